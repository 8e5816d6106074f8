import { instant } from "../lib/ports.ts";
import type { Result } from "../lib/result.ts";
import { ok } from "../lib/result.ts";
import type { AgentEndTask } from "../protocol/agent-end-task.ts";
import { BUILTIN_AGENT_ID } from "../protocol/agent.ts";
import type { ExecutorNotificationType } from "../protocol/enums.ts";
import { notificationSchema } from "../protocol/notification.ts";
import { SCHEMA_VERSION } from "../protocol/primitives.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Assignment, ExecutorPorts } from "./ports.ts";

/** A sign of life, and a look for commands, at most this often. Milliseconds. */
const BEAT_PAUSE_MS = 2_000;

type FieldsOfEnd = Omit<AgentEndTask, "schema_version" | "task_id" | "agent_id" | "timestamp">;

/** One attempt as its executor lives it: counts its notifications and looks for commands now and then. */
export class Session {
  readonly #to: Assignment;
  readonly #ports: ExecutorPorts;
  #sequence = 0;
  #beatAt: number;
  readonly startedAt: number;

  constructor(to: Assignment, ports: ExecutorPorts) {
    this.#to = to;
    this.#ports = ports;
    this.startedAt = ports.now();
    this.#beatAt = this.startedAt;
  }

  /** Seconds since the session began. */
  get elapsedSeconds(): number {
    return (this.#ports.now() - this.startedAt) / 1_000;
  }

  /** Says something about the task. The id is stable: a repetition of the same step changes nothing. */
  async notify(type: ExecutorNotificationType, data: unknown): Promise<Result<unknown, Refusal>> {
    const { task_id, lease } = this.#to;
    const sequence = this.#sequence + 1;
    const notification = notificationSchema.parse({
      notification_id: `${BUILTIN_AGENT_ID}-${task_id}-${lease.attempt}-${sequence}-${type}`,
      notification_type: type,
      task_id,
      agent_id: BUILTIN_AGENT_ID,
      timestamp: instant(this.#ports.now()),
      sequence,
      data,
      metadata: { agent_version: SCHEMA_VERSION, execution_mode: "builtin" },
    });
    const said = await this.#ports.notify(this.#to, notification);
    // What was refused is not in the log: the next one takes its place in the count.
    if (said.ok) this.#sequence = sequence;
    return said;
  }

  /**
   * Whether a cancellation is waiting. Asks at most every two seconds. Commands are acknowledged: a request for
   * an update is answered by the progress that follows; a pause is not, because a queue's consumer can't rest.
   */
  async isCancelled(): Promise<Result<boolean, Refusal>> {
    const now = this.#ports.now();
    if (now - this.#beatAt < BEAT_PAUSE_MS) return ok(false);
    this.#beatAt = now;
    const beat = await this.#beat([]);
    if (!beat.ok) return beat;
    const commands = beat.value.commands.filter(({ command }) => command !== "pause");
    if (commands.length === 0) return ok(false);
    const acknowledged = await this.#beat(commands.map(({ command_id }) => command_id));
    if (!acknowledged.ok) return acknowledged;
    return ok(commands.some(({ command }) => command === "cancel"));
  }

  /** The last word on the attempt. */
  end(fields: FieldsOfEnd): Promise<Result<unknown, Refusal>> {
    const now = this.#ports.now();
    return this.#ports.end(this.#to, {
      schema_version: SCHEMA_VERSION,
      task_id: this.#to.task_id,
      agent_id: BUILTIN_AGENT_ID,
      timestamp: instant(now),
      ...fields,
      execution_metrics: {
        start_time: instant(this.startedAt),
        end_time: instant(now),
        duration_seconds: (now - this.startedAt) / 1_000,
        tokens_consumed: 0,
        cost_incurred: 0,
      },
    });
  }

  #beat(acknowledged: string[]): ReturnType<ExecutorPorts["heartbeat"]> {
    return this.#ports.heartbeat(this.#to, { schema_version: SCHEMA_VERSION, acknowledged });
  }
}
