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
import { News } from "./news.ts";
import { Pacer } from "./pace.ts";
import type { Pace } from "./pace.ts";
import type { Assignment, ExecutorPorts } from "./ports.ts";
import type { SkillProgress } from "./skills/skill.ts";

/** Between two steps: a sign of life, and a look for commands, at most this often. Milliseconds. */
const BEAT_PAUSE_MS = 2_000;

/** Why an attempt stops before it is done. */
export type Stop = "cancelled" | "lease_lost" | "out_of_time" | "slice_over";

type FieldsOfEnd = Omit<AgentEndTask, "schema_version" | "task_id" | "agent_id" | "timestamp">;

/** One attempt as its executor lives it: its count of notifications, its signs of life, its use and its stop. */
export class Session {
  readonly #to: Assignment;
  readonly #ports: ExecutorPorts;
  readonly #journal: Journal;
  readonly #pacer: Pacer;
  readonly #abort = new AbortController();
  readonly #used: Used = { cost_usd: 0, tokens: 0 };
  readonly #granted: Used = { cost_usd: 0, tokens: 0 };
  #calls = 0;
  #sequence = 0;
  #beatAt: number;
  readonly #news: News;
  #pause: "asked" | "resting" | null = null;
  #stop: Stop | null = null;
  /** Facts that go with every notification from now on. */
  facts: JsonObject = { execution_mode: "builtin" };
  readonly startedAt: number;

  constructor(to: Assignment, ports: ExecutorPorts, of: { journal: Journal; pace: Pace }) {
    this.#to = to;
    this.#ports = ports;
    this.#journal = of.journal;
    this.startedAt = ports.now();
    this.#pacer = new Pacer(of.pace, this.startedAt);
    this.#beatAt = this.startedAt;
    this.#news = new News(this.startedAt);
  }

  /** Seconds since the session began. */
  get elapsedSeconds(): number {
    return (this.#ports.now() - this.startedAt) / 1_000;
  }

  /** Seconds of them in which it worked, or waited for an answer: not while it was paused. */
  get workedSeconds(): number {
    return this.elapsedSeconds - this.#pacer.restedMs / 1_000;
  }

  /** Milliseconds until the attempt has to be over, the time for its last words apart. */
  get timeLeftMs(): number {
    return this.#pacer.timeLeftMs(this.#ports.now());
  }

  /** Milliseconds that the next step may last before the attempt is taken for stalled. */
  get stepLeftMs(): number {
    return this.#pacer.stepLeftMs(this.#ports.now(), this.#news.newAt);
  }

  /** Milliseconds that stopped work may be waited for. */
  get stoppingMs(): number {
    return this.#pacer.stoppingMs(this.#ports.now());
  }

  /** Whether the attempt's time is bounded by the budget of its contract. */
  get isTimeBudgeted(): boolean {
    return this.#pacer.isBudgeted;
  }

  /** Whether the task has accepted task_started. */
  get hasStarted(): boolean {
    return this.#sequence > 0;
  }

  /** Aborted once the attempt stops. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why it stops; null while it goes on. */
  get stop(): Stop | null {
    return this.#stop;
  }

  /** Whether nobody wants the result any more; one that is there when only the time is over may still be told. */
  get isWithdrawn(): boolean {
    return this.#stop === "cancelled" || this.#stop === "lease_lost";
  }

  /** Whether it was told to rest and does not yet. */
  get isPauseAsked(): boolean {
    return this.#pause === "asked";
  }

  /** Whether it rests. */
  get isResting(): boolean {
    return this.#pause === "resting";
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
    return this.#pacer.pauseMs(this.#ports.now());
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

  /** Reports where the work stands. */
  progress(step: SkillProgress): Promise<Result<unknown, Refusal>> {
    return this.notify("task_progress", this.#news.tell(step, this.#ports.now()));
  }

  /** Knows where the work stands from what an attempt before this one has told: it is told again if nothing new comes. */
  remember(step: SkillProgress): void {
    this.#news.remember(step);
  }

  /** Reports that the present step goes on in another way. */
  async goOn(current_step: string): Promise<Result<unknown, Refusal>> {
    const { latest } = this.#news;
    return latest === null ? ok(null) : this.progress({ ...latest, current_step });
  }

  /** A look for commands between two steps, at most every two seconds. Refused when the lease is gone. */
  async glance(): Promise<Result<unknown, Refusal>> {
    if (this.#ports.now() - this.#beatAt < BEAT_PAUSE_MS) return ok(null);
    return this.#see();
  }

  /**
   * The same while something long is under way, where nothing else would tell the news that are asked for, or due by
   * the task's interval.
   */
  async look(): Promise<Result<unknown, Refusal>> {
    const seen = await this.#see();
    const { latest } = this.#news;
    if (!seen.ok || this.#stop !== null || latest === null) return seen;
    if (this.isResting && !this.#news.isAsked) return seen;
    return this.#news.isDue(this.#ports.now(), this.#pacer) ? this.progress(latest) : seen;
  }

  /** Keeps what is done in the task's checkpoint. Refused when the lease is gone. */
  async save(): Promise<Result<unknown, Refusal>> {
    return this.#journal.isChanged ? this.look() : ok(null);
  }

  /** Tells what was used and keeps what is done. Refused when the lease is gone, as it is beyond the task's budget. */
  report(): Promise<Result<unknown, Refusal>> {
    return this.look();
  }

  /** Rests from now on, as it was told to: the pause is acknowledged, and nothing but signs of life comes. */
  async rest(): Promise<Result<unknown, Refusal>> {
    // A rest ends with the first news: what is to be told comes before it.
    const told = await this.look();
    if (!told.ok || this.#pause !== "asked") return told;
    this.#pause = "resting";
    this.#pacer.rest(this.#ports.now());
    return this.#see();
  }

  /** The attempt is over: its signal is aborted. */
  close(): void {
    this.#abort.abort();
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

  #obey({ command, grant }: OpenCommand): void {
    if (command === "cancel") this.#halt("cancelled");
    if (command === "request_update") this.#news.ask();
    if (grant === undefined) return;
    this.#granted.cost_usd += grant.cost_usd ?? 0;
    this.#granted.tokens += grant.tokens ?? 0;
    this.#pacer.grant(grant.duration_s ?? 0);
  }

  /**
   * The commands that are obeyed at once. A pause is so only when there is nothing left to be done before it: a rest
   * begins with its acknowledgement. Of pauses and resumptions the last one counts.
   */
  #obeyable(commands: readonly OpenCommand[]): OpenCommand[] {
    const last = commands.findLast(({ command }) => command === "pause" || command === "resume");
    if (last?.command === "resume") {
      if (this.#pause === "resting") {
        const now = this.#ports.now();
        this.#pacer.goOn(now);
        this.#news.restart(now);
      }
      this.#pause = null;
    }
    if (last?.command === "pause") this.#pause ??= "asked";
    return commands.filter(({ command }) => command !== "pause" || this.#pause !== "asked");
  }

  #halt(why: Stop): void {
    this.#stop ??= why;
    this.#abort.abort();
  }

  /**
   * A sign of life with what was used so far, and the commands that came back. They are acknowledged: a cancellation
   * stops the attempt, a grant widens it.
   */
  async #see(): Promise<Result<null, Refusal>> {
    const beat = await this.#beat([]);
    if (!beat.ok) return beat;
    const commands = this.#obeyable(beat.value.commands);
    if (commands.length > 0) {
      const acknowledged = await this.#beat(commands.map(({ command_id }) => command_id));
      if (!acknowledged.ok) return acknowledged;
      for (const command of commands) this.#obey(command);
    }
    if (this.timeLeftMs <= 0) this.#halt(this.#pacer.isSliced ? "slice_over" : "out_of_time");
    return ok(null);
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
