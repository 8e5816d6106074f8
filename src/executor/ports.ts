import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import type { Result } from "../lib/result.ts";
import type { AgentEndTask } from "../protocol/agent-end-task.ts";
import type { Heartbeat, Lease, OpenCommand } from "../protocol/agent.ts";
import type { Notification } from "../protocol/notification.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { ExecutionMessage } from "../protocol/queue-messages.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { SkillFailure } from "./skills/skill.ts";

/** An assigned task, addressed for every write of its attempt. */
export interface Assignment {
  tenant: string;
  task_id: string;
  lease: Lease;
}

/** What the built-in executor needs: the same doors that every executor has, and a way to fetch input. */
export interface ExecutorPorts {
  now: Clock;
  log: Log;
  /** The task of a message as JSON text, or null when it is not this executor's to take. */
  take(message: ExecutionMessage): Promise<Result<{ task: string; lease: Lease } | null, Refusal>>;
  notify(to: Assignment, notification: Notification): Promise<Result<unknown, Refusal>>;
  heartbeat(to: Assignment, beat: Heartbeat): Promise<Result<{ commands: OpenCommand[] }, Refusal>>;
  end(to: Assignment, end: AgentEndTask): Promise<Result<unknown, Refusal>>;
  /** Reads a table from a URL as `{csv}` or `{rows}`. */
  fetchInput(url: string): Promise<Result<JsonObject, SkillFailure>>;
}
