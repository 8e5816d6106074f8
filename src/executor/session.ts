import { instant } from "../lib/ports.ts";
import type { Result } from "../lib/result.ts";
import { ok } from "../lib/result.ts";
import type { AgentEndTask } from "../protocol/agent-end-task.ts";
import { BUILTIN_AGENT_ID } from "../protocol/agent.ts";
import type { Heartbeat, OpenCommand } from "../protocol/agent.ts";
import type { ExecutorNotificationType } from "../protocol/enums.ts";
import { notificationSchema } from "../protocol/notification.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import { SCHEMA_VERSION } from "../protocol/primitives.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Journal, Used } from "./journal.ts";
import type { Assignment, ExecutorPorts } from "./ports.ts";
import type { SkillProgress } from "./skills/skill.ts";

/** Between two steps: a sign of life, and a look for commands, at most this often. Milliseconds. */
const BEAT_PAUSE_MS = 2_000;

/** While something long is under way: at least so often, because a cancellation is waited for 30 s. Milliseconds. */
const LONGEST_SILENCE_MS = 10_000;

/** A consumer of a queue is stopped after 15 min (facts/platform.md §4); the rest is for the last words. Milliseconds. */
const LONGEST_RUN_MS = 14 * 60_000;

/** What is left of the attempt's time for its last words. Milliseconds. */
const LAST_WORDS_MS = 1_000;

/** Why an attempt stops before it is done. */
export type Stop = "cancelled" | "lease_lost" | "out_of_time" | "slice_over";

type FieldsOfEnd = Omit<AgentEndTask, "schema_version" | "task_id" | "agent_id" | "timestamp">;

/** What a task says of the pace of its attempt, in seconds. */
export interface Pace {
  timeout: number;
  heartbeat_timeout: number;
  progress_interval?: number | undefined;
}

/** One attempt as its executor lives it: its count of notifications, its signs of life, its use and its stop. */
export class Session {
  readonly #to: Assignment;
  readonly #ports: ExecutorPorts;
  readonly #journal: Journal;
  readonly #pace: Pace;
  readonly #abort = new AbortController();
  readonly #used: Used = { cost_usd: 0, tokens: 0 };
  readonly #granted: Used = { cost_usd: 0, tokens: 0 };
  #calls = 0;
  #grantedMs = 0;
  #sequence = 0;
  #beatAt: number;
  #progressAt: number;
  #latest: SkillProgress | null = null;
  #stop: Stop | null = null;
  /** Facts that go with every notification from now on. */
  facts: JsonObject = { execution_mode: "builtin" };
  readonly startedAt: number;

  constructor(to: Assignment, ports: ExecutorPorts, of: { journal: Journal; pace: Pace }) {
    this.#to = to;
    this.#ports = ports;
    this.#journal = of.journal;
    this.#pace = of.pace;
    this.startedAt = ports.now();
    this.#beatAt = this.startedAt;
    this.#progressAt = this.startedAt;
  }

  /** Seconds since the session began. */
  get elapsedSeconds(): number {
    return (this.#ports.now() - this.startedAt) / 1_000;
  }

  /** Milliseconds until the attempt has to be over, the time for its last words apart. */
  get timeLeftMs(): number {
    const attempt = this.#pace.timeout * 1_000 + this.#grantedMs;
    const end = this.startedAt + Math.min(attempt - LAST_WORDS_MS, LONGEST_RUN_MS);
    return end - this.#ports.now();
  }

  /** Aborted once the attempt stops. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why it stops; null while it goes on. */
  get stop(): Stop | null {
    return this.#stop;
  }

  /** What this attempt has used. */
  get used(): Readonly<Used> {
    return this.#used;
  }

  /** What was granted beyond the budget since the attempt began. */
  get granted(): Readonly<Used> {
    return this.#granted;
  }

  /** How long a wait beside something may last before the next look at the commands. Milliseconds. */
  get pauseMs(): number {
    const { heartbeat_timeout, progress_interval } = this.#pace;
    const beat = Math.min((heartbeat_timeout * 1_000) / 3, LONGEST_SILENCE_MS);
    const told = progress_interval === undefined ? beat : progress_interval * 1_000;
    return Math.max(1, Math.min(beat, told, this.timeLeftMs));
  }

  /** Counts what a call has used. */
  spend({ cost_usd, tokens }: Used): void {
    this.#used.cost_usd += cost_usd;
    this.#used.tokens += tokens;
    this.#calls += 1;
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
      metadata: { agent_version: SCHEMA_VERSION, ...this.facts },
    });
    const said = await this.#ports.notify(this.#to, notification);
    // What was refused is not in the log: the next one takes its place in the count.
    if (said.ok) this.#sequence = sequence;
    else if (said.refusal.code !== "result_rejected") this.#halt("lease_lost");
    return said;
  }

  /** Reports where the work stands. The percentage never falls within an attempt (protocol.md §3). */
  async progress(step: SkillProgress): Promise<Result<unknown, Refusal>> {
    const percentage = Math.max(step.progress_percentage, this.#latest?.progress_percentage ?? 0);
    this.#latest = { ...step, progress_percentage: Math.min(100, percentage) };
    this.#progressAt = this.#ports.now();
    return this.notify("task_progress", this.#latest);
  }

  /** A look for commands between two steps, at most every two seconds. Refused when the lease is gone. */
  async glance(): Promise<Result<unknown, Refusal>> {
    if (this.#ports.now() - this.#beatAt < BEAT_PAUSE_MS) return ok(null);
    const seen = await this.#see();
    return seen.ok ? ok(null) : seen;
  }

  /**
   * The same while something long is under way, where nothing else would tell the news that are asked for, or due by
   * the task's interval.
   */
  async look(): Promise<Result<unknown, Refusal>> {
    const seen = await this.#see();
    if (!seen.ok || this.#stop !== null || this.#latest === null) return seen;
    return this.#isNewsDue(seen.value) ? this.progress(this.#latest) : seen;
  }

  /** Keeps what is done in the task's checkpoint. Refused when the lease is gone. */
  async save(): Promise<Result<unknown, Refusal>> {
    return this.#journal.isChanged ? this.#beat([]) : ok(null);
  }

  /** Tells what was used and keeps what is done. Refused when the lease is gone, as it is beyond the task's budget. */
  report(): Promise<Result<unknown, Refusal>> {
    return this.#beat([]);
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
        tokens_consumed: this.#used.tokens,
        ...(this.#calls > 0 && { api_calls_made: this.#calls }),
        cost_incurred: this.#used.cost_usd,
      },
    });
  }

  #isSliceOver(): boolean {
    return this.#pace.timeout * 1_000 + this.#grantedMs - LAST_WORDS_MS > LONGEST_RUN_MS;
  }

  #obey({ command, grant }: OpenCommand): void {
    if (command === "cancel") this.#halt("cancelled");
    if (grant === undefined) return;
    this.#granted.cost_usd += grant.cost_usd ?? 0;
    this.#granted.tokens += grant.tokens ?? 0;
    this.#grantedMs += (grant.duration_s ?? 0) * 1_000;
  }

  #halt(why: Stop): void {
    this.#stop ??= why;
    this.#abort.abort();
  }

  #isNewsDue(commands: readonly OpenCommand[]): boolean {
    const { progress_interval } = this.#pace;
    const since = this.#ports.now() - this.#progressAt;
    return (
      commands.some(({ command }) => command === "request_update") ||
      (progress_interval !== undefined && since >= progress_interval * 1_000)
    );
  }

  /**
   * A sign of life with what was used so far, and the commands that came back. They are acknowledged: a cancellation
   * stops the attempt, a grant widens it. A pause is not, because a queue's consumer can't rest.
   */
  async #see(): Promise<Result<OpenCommand[], Refusal>> {
    const beat = await this.#beat([]);
    if (!beat.ok) return beat;
    const commands = beat.value.commands.filter(({ command }) => command !== "pause");
    if (commands.length > 0) {
      const acknowledged = await this.#beat(commands.map(({ command_id }) => command_id));
      if (!acknowledged.ok) return acknowledged;
      for (const command of commands) this.#obey(command);
    }
    if (this.timeLeftMs <= 0) this.#halt(this.#isSliceOver() ? "slice_over" : "out_of_time");
    return ok(commands);
  }

  async #beat(acknowledged: string[]): ReturnType<ExecutorPorts["heartbeat"]> {
    const { cost_usd, tokens } = this.#used;
    const beat: Heartbeat = {
      schema_version: SCHEMA_VERSION,
      acknowledged,
      ...(this.#calls > 0 && { usage: { cost_usd, tokens } }),
      ...(this.#journal.isChanged && { checkpoint: { ...this.#journal.snapshot(this.#used) } }),
    };
    this.#beatAt = this.#ports.now();
    const beaten = await this.#ports.heartbeat(this.#to, beat);
    if (!beaten.ok) this.#halt("lease_lost");
    return beaten;
  }
}
