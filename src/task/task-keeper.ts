import type { Clock } from "../lib/ports.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Notification } from "../protocol/notification.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Errands } from "./alarm-plan.ts";
import { FLUSH_PAUSE_MS, FLUSH_WATCHDOG_MS, nextWakeAt, repeatDelayMs } from "./alarm-plan.ts";
import { Archivist } from "./archivist.ts";
import { Finisher } from "./finish/finisher.ts";
import { repairDebt } from "./finish/repair.ts";
import { Flusher } from "./flusher.ts";
import { HeldBack } from "./hold-back.ts";
import { KinKeeper } from "./kin/kin-keeper.ts";
import { advance } from "./machine/advance.ts";
import type { Advance } from "./machine/advance.ts";
import type { Change, Command } from "./machine/commands.ts";
import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { poolErrand } from "./outbox.ts";
import { PoolTeller } from "./pool-teller.ts";
import type { TaskPorts } from "./ports.ts";
import { RecentEvents } from "./recent-events.ts";
import type { StoredTask } from "./task-store.ts";
import { appendCommit, readTask, writeMemo } from "./task-store.ts";
import { tellWatchers } from "./watchers.ts";

/** What a command has done. */
export interface Applied {
  state: TaskState;
  change: Change;
  events: LoggedEvent[];
}

/** Whether an alarm has fired, and for when it was set where that is known, epoch milliseconds. */
interface Waking {
  hasAlarmFired: boolean;
  alarm_at?: number | undefined;
}

/**
 * Keeps one task: reads, decides, writes in one turn, then runs the errands that follow from it.
 *
 * Every errand is safe to repeat, and the alarm repeats what failed or was lost. Its fields hold only
 * what waking can rebuild.
 */
export class TaskKeeper {
  readonly #ctx: DurableObjectState;
  readonly #ports: TaskPorts;
  readonly #now: Clock;
  readonly #archivist: Archivist;
  /** Its dealings with other tasks. */
  readonly kin: KinKeeper;
  #stored: StoredTask | null | undefined;
  #alarmAt: number | null | undefined;
  readonly #held: HeldBack;
  readonly #recent = new RecentEvents();
  readonly #flusher: Flusher;
  #flushedAt = 0;
  /** Events past the cursor: when they are to be flushed. */
  #flushAt: number | null = null;
  readonly #pool: PoolTeller;
  readonly #finisher: Finisher;
  #failures = 0;
  /** Whether it has forgotten its task: then it is of no further use. */
  isEmptied = false;

  constructor(ctx: DurableObjectState, ports: TaskPorts, now: Clock) {
    this.#ctx = ctx;
    this.#ports = ports;
    this.#now = now;
    this.#archivist = new Archivist(ports, now);
    this.#held = new HeldBack(ctx.storage);
    this.#flusher = new Flusher({
      sql: ctx.storage.sql,
      recent: this.#recent,
      ports,
      archivist: this.#archivist,
      load: () => this.#load(),
    });
    this.#pool = new PoolTeller(ports, now, () => this.#repeatAt());
    const parts = { sql: ctx.storage.sql, ports, now, state: () => this.#load()?.state ?? null };
    this.#finisher = new Finisher({
      ...parts,
      commit: (command, also) => this.#commitAndTell(command, also),
    });
    this.kin = new KinKeeper({
      ...parts,
      setFamily: (family) => {
        const stored = this.#load();
        if (stored !== null) stored.state = { ...stored.state, family };
      },
      apply: (command) => this.apply(command),
      arm: () => this.arm(),
    });
  }

  /** The task as it is now, clocks included; null when there is none. */
  async current(): Promise<TaskState | null> {
    if (this.#load() === null) return null;
    return (await this.#commitAndTell({ type: "tick" })).state;
  }

  /** Carries out a command; its effects are durable when this resolves. */
  async apply(command: Command): Promise<Result<Applied, Refusal>> {
    const { decision, state, events } = await this.#commitAndTell(command);
    const isSubmission = events[0]?.seq === 1;
    // A lone event leaves at once, a burst together; a submission has nothing to announce to endpoints yet.
    if (events.length > 0 && !isSubmission && this.#isQuiet()) await this.#flush();
    await this.arm();
    if (!decision.ok) return decision;
    if (state === null) throw new Error("an accepted command leaves a task");
    return ok({ state, change: decision.value, events });
  }

  /** Carries out a notification, then those that were waiting for it. */
  async applyNotification(
    token: string | null,
    notification: Notification,
  ): Promise<Result<Applied, Refusal>> {
    const applied = await this.apply({ type: "notify", token, notification });
    if (!applied.ok) return applied;
    const state = this.#load()?.state;
    if (applied.value.change.hold !== undefined && state !== undefined) {
      const refusal = this.#held.hold(state, notification, this.#now());
      if (refusal !== null) return refuse(refusal);
    }
    if (notification.sequence !== undefined) await this.#applyHeld();
    return applied;
  }

  /** What the alarm does. Never throws: the platform drops an alarm that failed too often. */
  async wake({ hasAlarmFired, alarm_at }: Waking): Promise<void> {
    // Without it firing, what is remembered of the alarm is in doubt: storage is asked.
    this.#alarmAt = hasAlarmFired ? null : undefined;
    const isNewHere = this.#stored === undefined;
    try {
      await this.#runErrands(isNewHere, alarm_at);
      await this.arm();
    } catch (cause) {
      this.#ports.log("error", "task_alarm_failed", { ...this.#ids(), detail: String(cause) });
      // Not by the clocks: the one that failed is still due, and an alarm in the past comes at once.
      this.#alarmAt = this.#repeatAt();
      await this.#ctx.storage.setAlarm(this.#alarmAt);
    }
  }

  /** Tries again what its end left undone (finish/repair.ts). */
  repair(state: TaskState, debt_id: string): Promise<Result<string, Refusal>> {
    return repairDebt(state, debt_id, { sql: this.#ctx.storage.sql, ports: this.#ports });
  }

  /** Has history read the whole task again. */
  async sendToHistory(state: TaskState): Promise<void> {
    await this.#archivist.tellAll(state);
  }

  #load(): StoredTask | null {
    return (this.#stored ??= readTask(this.#ctx.storage.sql));
  }

  #ids(): { tenant: string; task_id: string; correlation_id: string } {
    const { tenant = "", task_id = "", trace_id = "" } = this.#stored?.state.origin ?? {};
    return { tenant, task_id, correlation_id: trace_id };
  }

  /** Decides, writes and arms the alarm in one turn; then tells the watchers and the pool. */
  async #commitAndTell(command: Command, also?: () => void): Promise<Advance> {
    // First, so that no await comes between the rows and the alarm.
    if (this.#isAlarmInDoubt()) this.#alarmAt = await this.#ctx.storage.getAlarm();
    const stored = this.#load();
    const before = stored?.state ?? null;
    // The log never goes back in time, whatever the clock of this machine does.
    const now = Math.max(this.#now(), before?.updated_at ?? 0);
    const advanced = advance(before, command, now);
    this.#write(before, advanced, { flushed: stored?.flushed ?? 0, also });
    const { state, events } = advanced;
    if (state === null || events.length === 0) return advanced;
    if (before === null) {
      this.#alarmAt = null;
      this.#flushedAt = now;
    }
    this.#planErrands(state);
    // No await since the write: the rows and the alarm for what follows from them commit together. A flush is
    // tried at once instead; the alarm is for one that a crash cuts off, and mostly there already.
    const armed = this.arm(before === null ? {} : { flush_at: now + FLUSH_WATCHDOG_MS });
    tellWatchers(this.#ctx, state, events);
    await this.#pool.tell(poolErrand(before, state), state);
    await armed;
    return advanced;
  }

  #planErrands(state: TaskState): void {
    this.#flushAt ??= this.#flushedAt + FLUSH_PAUSE_MS;
    this.#pool.plan(state);
    this.#archivist.plan(state);
  }

  #isQuiet(): boolean {
    return this.#now() - this.#flushedAt >= FLUSH_PAUSE_MS;
  }

  #write(
    before: TaskState | null,
    advanced: Advance,
    { flushed, also }: { flushed: number; also: (() => void) | undefined },
  ): void {
    const { state, events, memo } = advanced;
    if (state === null || (events.length === 0 && memo === null)) return;
    const { storage } = this.#ctx;
    storage.transactionSync(() => {
      appendCommit(storage.sql, events, { flushed, request: before === null ? state : null });
      if (memo !== null) writeMemo(storage.sql, memo);
      also?.();
    });
    this.#stored = { state, flushed };
    if (events.length > 0) this.#recent.append(events);
  }

  #repeatAt(): number {
    this.#failures += 1;
    return this.#now() + repeatDelayMs(this.#failures);
  }

  #isAlarmInDoubt(): boolean {
    return this.#alarmAt === undefined && this.#load() !== null;
  }

  #allErrands(state: TaskState): Errands {
    return {
      flush_at: this.#flushAt,
      pool_at: this.#pool.due,
      archive_at: this.#archivist.due,
      kin_at: this.kin.due(state),
      finish_at: this.#finisher.due(state),
    };
  }

  /** Arms the alarm when something is due before it; a later wish is met when it fires. */
  async arm(without: Partial<Errands> = {}): Promise<void> {
    const stored = this.#load();
    if (stored === null) return;
    const due = nextWakeAt(stored.state, { ...this.#allErrands(stored.state), ...without });
    if (this.#alarmAt === undefined) this.#alarmAt = await this.#ctx.storage.getAlarm();
    if (due === null || (this.#alarmAt !== null && this.#alarmAt <= due)) return;
    this.#alarmAt = due;
    await this.#ctx.storage.setAlarm(due);
  }

  async #flush(): Promise<void> {
    this.#flushedAt = this.#now();
    this.#flushAt = null;
    const failed = await this.#flusher.flush();
    if (failed.length === 0) {
      this.#failures = 0;
      return;
    }
    const detail = failed.join("; ");
    this.#ports.log("warning", "flush_failed", { ...this.#ids(), detail });
    this.#flushAt = this.#repeatAt();
  }

  async #runErrands(isNewHere: boolean, alarm_at: number | undefined): Promise<void> {
    const state = await this.current();
    if (state === null) return;
    if (state.holder !== null) await this.#applyHeld();
    await this.#pool.remind(state);
    await this.#finisher.run(() => this.kin.run().then(() => this.#flush()));
    await this.kin.run();
    const latest = this.#load()?.state ?? state;
    // After an eviction nobody knows here what was flushed, but history knows what it has.
    if (isNewHere && latest.ended_at === null) await this.#archivist.ask(latest);
    const isKept = await this.#archivist.check(latest);
    // What was sent long ago is not sent again; what a late alarm finds unsent is.
    if (!this.#archivist.isLastAlarm(latest, alarm_at)) await this.#flush();
    if (isKept) await this.#emptyUnlessOwing(latest);
  }

  /** Forgets the task, which history has, unless somebody is still to be told something. */
  async #emptyUnlessOwing(state: TaskState): Promise<void> {
    if (nextWakeAt(state, { ...this.#allErrands(state), archive_at: null }) !== null) return;
    this.#ports.log("info", "task_emptied", this.#ids());
    await this.#ctx.storage.deleteAll();
    this.#stored = null;
    this.isEmptied = true;
  }

  /** Applies in order what was held and has its turn now. Its sender had this attempt's token when it came. */
  async #applyHeld(): Promise<void> {
    for (;;) {
      const holder = this.#load()?.state.holder ?? null;
      const notification = this.#held.take(holder);
      if (holder === null || notification === null) return;
      // No await since it was taken: it is forgotten and applied in one turn.
      const { token } = holder;
      const applied = await this.apply({ type: "notify", token, notification, was_held: true });
      if (applied.ok) continue;
      const { code } = applied.refusal;
      this.#ports.log("warning", "held_notification_refused", { ...this.#ids(), code });
    }
  }
}
