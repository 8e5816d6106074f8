import type { Clock } from "../lib/ports.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Notification } from "../protocol/notification.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Errands } from "./alarm-plan.ts";
import {
  ARCHIVE_CHECK_MS,
  FLUSH_PAUSE_MS,
  archiveDelayMs,
  nextWakeAt,
  reminderDelayMs,
  repeatDelayMs,
} from "./alarm-plan.ts";
import { finishTask } from "./finish/finish.ts";
import { holdBack, takeHeld } from "./hold-back.ts";
import { advance } from "./machine/advance.ts";
import type { Advance } from "./machine/advance.ts";
import { finishDueAt } from "./machine/clocks.ts";
import type { Change, Command } from "./machine/commands.ts";
import type { LoggedEvent, TaskState } from "./machine/state.ts";
import {
  EVENTS_PER_FLUSH,
  announcementOf,
  historyMessageOf,
  newsOf,
  poolErrand,
} from "./outbox.ts";
import type { PoolErrand } from "./outbox.ts";
import type { TaskPorts } from "./ports.ts";
import type { StoredTask } from "./task-store.ts";
import { appendCommit, readEvents, readTask, writeMemo } from "./task-store.ts";
import { tellWatchers } from "./watchers.ts";

/** What a command has done. */
export interface Applied {
  state: TaskState;
  change: Change;
  events: LoggedEvent[];
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
  #stored: StoredTask | null | undefined;
  #alarmAt: number | null | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #flushedAt = 0;
  #errands: Errands = { flush_at: null, pool_at: null, archive_at: null };
  /** What the pool could not be told. */
  #owed: PoolErrand | null = null;
  #failures = 0;

  constructor(ctx: DurableObjectState, ports: TaskPorts, now: Clock) {
    this.#ctx = ctx;
    this.#ports = ports;
    this.#now = now;
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
    await this.#arm();
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
      const refusal = holdBack(this.#ctx.storage, state, notification, this.#now());
      if (refusal !== null) return refuse(refusal);
    }
    if (notification.sequence !== undefined) await this.#applyHeld();
    return applied;
  }

  /** What the alarm does. Never throws: the platform drops an alarm that failed too often. */
  async wake(): Promise<void> {
    this.#alarmAt = null;
    try {
      await this.#runErrands();
    } catch (cause) {
      this.#ports.log("error", "task_alarm_failed", { ...this.#ids(), detail: String(cause) });
      this.#errands.flush_at = this.#repeatAt();
    }
    await this.#arm();
  }

  /** Has history read the whole task again: by reference, so that a log of any length fits. */
  async sendToHistory(state: TaskState): Promise<void> {
    const { tenant, task_id } = state.origin;
    await this.#ports.record({ form: "reference", tenant, task_id, after: 0, rebuild: true });
  }

  #load(): StoredTask | null {
    this.#stored ??= readTask(this.#ctx.storage.sql);
    return this.#stored;
  }

  #ids(): { tenant: string; task_id: string; correlation_id: string } {
    const { tenant, task_id, trace_id } = this.#stored?.state.origin ?? {
      tenant: "",
      task_id: "",
      trace_id: "",
    };
    return { tenant, task_id, correlation_id: trace_id };
  }

  /** Decides, writes and arms the alarm in one turn; then tells the watchers and the pool. */
  async #commitAndTell(command: Command): Promise<Advance> {
    const stored = this.#load();
    const before = stored?.state ?? null;
    // The log never goes back in time, whatever the clock of this machine does.
    const now = Math.max(this.#now(), before?.updated_at ?? 0);
    const advanced = advance(before, command, now);
    this.#write(before, advanced, stored?.flushed ?? 0);
    const { state, events } = advanced;
    if (state === null || events.length === 0) return advanced;
    if (before === null) {
      this.#alarmAt = null;
      this.#flushedAt = now;
    }
    this.#errands.flush_at ??= this.#flushedAt + FLUSH_PAUSE_MS;
    // No await since the write: the rows and the alarm for what follows from them commit together. A flush is
    // tried at once instead; when it is cut off, whatever alarm or call comes next repeats it.
    const armed = this.#arm(before === null ? {} : { flush_at: null });
    tellWatchers(this.#ctx, state, events);
    await this.#tellPool(poolErrand(before, state), state);
    await armed;
    return advanced;
  }

  #isQuiet(): boolean {
    return this.#now() - this.#flushedAt >= FLUSH_PAUSE_MS;
  }

  #write(before: TaskState | null, advanced: Advance, flushed: number): void {
    const { state, events, memo } = advanced;
    if (state === null || (events.length === 0 && memo === null)) return;
    const { storage } = this.#ctx;
    storage.transactionSync(() => {
      appendCommit(storage.sql, events, { flushed, request: before === null ? state : null });
      if (memo !== null) writeMemo(storage.sql, memo);
    });
    this.#stored = { state, flushed };
  }

  async #tellPool(errand: PoolErrand | null, state: TaskState): Promise<void> {
    if (errand === null) return;
    const { tenant, task_id } = state.origin;
    this.#owed = null;
    this.#errands.pool_at = null;
    try {
      if (errand.kind === "release") {
        await this.#ports.release(tenant, state.task.pool, task_id, errand.attempt);
      } else {
        await this.#ports.announce(tenant, state.task.pool, announcementOf(state));
        const now = this.#now();
        this.#errands.pool_at = now + reminderDelayMs(now - (state.queued_at ?? now));
      }
    } catch (cause) {
      this.#ports.log("warning", "pool_unreachable", { ...this.#ids(), detail: String(cause) });
      this.#owed = errand;
      this.#errands.pool_at = this.#repeatAt();
    }
  }

  #repeatAt(): number {
    this.#failures += 1;
    return this.#now() + repeatDelayMs(this.#failures);
  }

  /** Arms the alarm when something is due before it; a later wish is met when it fires. */
  async #arm(without: Partial<Errands> = {}): Promise<void> {
    const stored = this.#load();
    if (stored === null) return;
    const due = nextWakeAt(stored.state, { ...this.#errands, ...without });
    if (this.#alarmAt === undefined) this.#alarmAt = await this.#ctx.storage.getAlarm();
    if (due === null || (this.#alarmAt !== null && this.#alarmAt <= due)) return;
    this.#alarmAt = due;
    await this.#ctx.storage.setAlarm(due);
  }

  /** Flushes past the cursor in order, one flush at a time. */
  #flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flushAll());
    return this.#flushing;
  }

  async #flushAll(): Promise<void> {
    this.#flushedAt = this.#now();
    this.#errands.flush_at = null;
    try {
      while (await this.#flushOnce()) this.#failures = 0;
    } catch (cause) {
      this.#ports.log("warning", "flush_failed", { ...this.#ids(), detail: String(cause) });
      this.#errands.flush_at = this.#repeatAt();
    }
  }

  async #flushOnce(): Promise<boolean> {
    const stored = this.#load();
    if (stored === null || stored.flushed >= stored.state.seq) return false;
    const { state, flushed } = stored;
    const events = readEvents(this.#ctx.storage.sql, flushed, EVENTS_PER_FLUSH);
    await Promise.all([
      this.#ports.publish(newsOf(state, events)),
      this.#ports.record(historyMessageOf(state, events, flushed)),
    ]);
    // Written with the next commit: losing it costs a repetition that changes nothing.
    if (this.#stored) this.#stored.flushed = events.at(-1)?.seq ?? flushed;
    return true;
  }

  async #runErrands(): Promise<void> {
    const state = await this.current();
    if (state === null) return;
    if (state.holder !== null) await this.#applyHeld();
    await this.#remindPool(state);
    await this.#finishIfDue(state);
    await this.#flush();
    await this.#checkArchive();
  }

  async #remindPool(state: TaskState): Promise<void> {
    const { pool_at } = this.#errands;
    if (pool_at !== null && pool_at > this.#now()) return;
    const wish: PoolErrand | null = state.phase === "queued" ? { kind: "announce" } : this.#owed;
    this.#errands.pool_at = null;
    await this.#tellPool(wish, state);
  }

  async #finishIfDue(state: TaskState): Promise<void> {
    const due = finishDueAt(state);
    if (due === null || due > this.#now()) return;
    const command = await finishTask(state, { ports: this.#ports, due, now: this.#now });
    await this.#commitAndTell(command);
    this.#ports.log("info", "task_ended", {
      ...this.#ids(),
      reason: state.verdict?.reason,
      task_type: state.task.task_type,
      attempts: state.attempt,
    });
  }

  /** After the end: asks once whether history has everything, and sends it again until it has. */
  async #checkArchive(): Promise<void> {
    const state = this.#load()?.state;
    if (state?.ended_at == null) return;
    const due = this.#errands.archive_at ?? state.ended_at + ARCHIVE_CHECK_MS;
    this.#errands.archive_at = due;
    const now = this.#now();
    if (due > now) return;
    // Set first, so that a question that fails is not asked again any sooner.
    this.#errands.archive_at = now + archiveDelayMs(now - state.ended_at);
    const { tenant, task_id } = state.origin;
    if (await this.#ports.isRecorded(tenant, task_id, state.seq)) this.#errands.archive_at = null;
    else await this.sendToHistory(state);
  }

  /** Applies in order what was held and has its turn now. Its sender had this attempt's token when it came. */
  async #applyHeld(): Promise<void> {
    for (;;) {
      const holder = this.#load()?.state.holder ?? null;
      const notification = takeHeld(this.#ctx.storage.sql, holder);
      if (holder === null || notification === null) return;
      // No await since it was taken: it is forgotten and applied in one turn.
      const applied = await this.apply({ type: "notify", token: holder.token, notification });
      if (applied.ok) continue;
      const { code } = applied.refusal;
      this.#ports.log("warning", "held_notification_refused", { ...this.#ids(), code });
    }
  }
}
