import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import type { Result } from "../lib/result.ts";
import type { AgentEndTask } from "../protocol/agent-end-task.ts";
import type { Heartbeat, Lease, OpenCommand } from "../protocol/agent.ts";
import type { Notification } from "../protocol/notification.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { ExecutionMessage } from "../protocol/queue-messages.ts";
import type { Fault, Refusal } from "../protocol/refusal.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type { BriefParts, ModelBrief } from "./assisted/brief.ts";
import type { MemoryDoor } from "./memory/memory-port.ts";
import type { ModelDoor } from "./models/model-port.ts";
import type { Deadlines } from "./pace.ts";
import type { Assessment, QualityQuestion } from "./quality/assessment.ts";
import type { RouterDoor } from "./router/router-port.ts";
import type { HttpAnswer, HttpFault, HttpRequest, SkillFailure } from "./skills/skill.ts";

/** An assigned task, addressed for every write of its attempt. */
export interface Assignment {
  tenant: string;
  task_id: string;
  lease: Lease;
}

/** What the built-in executor needs: the same doors that every executor has, and what its skills and models need. */
export interface ExecutorPorts {
  now: Clock;
  log: Log;
  /** Waits; less when the signal is aborted meanwhile. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /**
   * The task of a message as JSON text, or null when it is not this executor's to take. `deadline_at`: when its whole
   * life is over, `budget_ends_at`: when its budget of time is, epoch milliseconds. `trace_id` is the task's.
   */
  take(
    message: ExecutionMessage,
  ): Promise<
    Result<({ task: string; lease: Lease; trace_id?: string } & Partial<Deadlines>) | null, Refusal>
  >;
  notify(to: Assignment, notification: Notification): Promise<Result<unknown, Refusal>>;
  heartbeat(to: Assignment, beat: Heartbeat): Promise<Result<{ commands: OpenCommand[] }, Refusal>>;
  end(to: Assignment, end: AgentEndTask): Promise<Result<unknown, Refusal>>;
  /** Reads what a URL names: a table as `{csv}` or `{rows}`, a text as `{text}`. Never throws. */
  fetchInput(
    url: string,
    form: "table" | "text",
    signal: AbortSignal,
  ): Promise<Result<JsonObject, SkillFailure>>;
  /** One request of a skill. Never throws. */
  http(request: HttpRequest, signal: AbortSignal): Promise<Result<HttpAnswer, HttpFault>>;
  models: ModelDoor;
  router: RouterDoor;
  memory: MemoryDoor;
  /** What keeps a result from being accepted by the task's own gates; empty when nothing does. */
  judge(
    task: TaskExecution,
    completed: { result: unknown; quality_assessment: { overall_score: number } },
  ): Fault[];
  /** How good an output is, and what is wrong with it. */
  assess(question: QualityQuestion): Assessment;
  /** Puts a task to a model. */
  assist(parts: BriefParts): ModelBrief;
}
