import type { Clock } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { BatchPorts, Expansion } from "./batch-ports.ts";
import type { BatchPlan, BatchRecord, ItemEnd, Outcome, Stop } from "./batch-record.ts";
import { readBatch, writeEnd, writePlan, writeProgress } from "./batch-store.ts";
import {
  RETENTION_MS,
  deadlineOf,
  isNews,
  isPlanning,
  openTasks,
  standingOf,
  stopOrderOf,
  timeoutOf,
  unplanned,
  withPlan,
} from "./batch.ts";
import type { Standing } from "./batch.ts";
import { Creator } from "./creator.ts";

/** What failed, or was cut off by a crash, is done again after this long, then each time twice as long. Milliseconds. */
const FIRST_REPEAT_MS = 2_000;
const LONGEST_REPEAT_MS = 60_000;

/** Tasks that were stopped and have not ended are stopped again after this long. Milliseconds. */
const STOPPED_REPEAT_MS = 3_600_000;

/** Calls of tasks at one time. */
const CALLS_AT_ONCE = 10;

const UNKNOWN: Refusal = { code: "batch_not_found", detail: "There is no batch with this id." };

/**
 * Keeps one batch: writes what came, then does what follows from it.
 *
 * Everything that it does to tasks may be repeated, and the alarm repeats what failed. Its fields hold only
 * what waking can rebuild: a task that was not poked asks by itself, and a stop is repeated on waking.
 */
export class BatchKeeper {
  readonly #ctx: DurableObjectState;
  readonly #ports: BatchPorts;
  readonly #now: Clock;
  readonly #creator: Creator;
  #record: BatchRecord | null | undefined;
  /** Tasks that could not be told, and what. */
  #owed = new Map<string, "poke" | "stop">();
  #failures = 0;
  #alarmAt: number | null | undefined;

  constructor(ctx: DurableObjectState, ports: BatchPorts, now: Clock) {
    this.#ctx = ctx;
    this.#ports = ports;
    this.#now = now;
    this.#creator = new Creator(ports, (end) => this.#append(end));
  }

  /** The batch as it is now, its clock included; null when there is none. */
  async current(): Promise<BatchRecord | null> {
    const record = this.#load();
    if (record === null) return null;
    await this.#stopAt(timeoutOf(record, this.#now()));
    return this.#load();
  }

  /** The batch when this body made it. */
  find(body_hash: string): Result<BatchRecord | null, Refusal> {
    const record = this.#load();
    if (record === null || record.plan.body_hash === body_hash) return ok(record);
    const { batch_id } = record.plan;
    return refuse({
      code: "idempotency_conflict",
      detail: "A different request was submitted under this batch id or idempotency key.",
      extra: { existing_batch_id: batch_id },
    });
  }

  /** Stores a batch and creates its tasks. */
  async begin(plan: BatchPlan): Promise<Result<{ record: BatchRecord; isNew: boolean }, Refusal>> {
    const found = this.find(plan.body_hash);
    if (!found.ok) return found;
    if (found.value !== null) return ok({ record: found.value, isNew: false });
    const { storage } = this.#ctx;
    storage.transactionSync(() => writePlan(storage.sql, plan));
    this.#record = { plan, is_created: false, stop: null, ends: [] };
    // No await since the write: the rows and the alarm that goes on after a crash commit together.
    const armed = this.#arm();
    await this.#createTasks();
    await armed;
    await this.#arm();
    return ok({ record: this.#known(), isNew: true });
  }

  /** Notes the end of a task and lets go what may start now. */
  async ended({ task_id, is_ended, status, end_reason, result }: Outcome): Promise<void> {
    const record = this.#load();
    if (record === null || !is_ended || !isNews(record, task_id)) return;
    const isPlan = isPlanning(record);
    const end = { task_id, status, end_reason, at: this.#now(), problem: null };
    const before = standingOf(record);
    this.#append(isPlan ? { ...end, result } : end);
    await this.#follow(before);
  }

  /** Stops what has not ended. Of a batch that has ended or is being stopped nothing changes. */
  async cancel(message: string): Promise<Result<BatchRecord, Refusal>> {
    const record = await this.current();
    if (record === null) return refuse(UNKNOWN);
    const { state } = standingOf(record);
    const stop: Stop = { kind: "cancel", reason: "cancelled", message, at: this.#now() };
    await this.#stopAt(state === "running" ? stop : null);
    await this.#arm();
    return ok(this.#known());
  }

  /** What the alarm does. Never throws: the platform drops an alarm that failed too often. */
  async wake(): Promise<void> {
    this.#alarmAt = null;
    try {
      if (await this.#forgetIfOld()) return;
      const stored = this.#load();
      if (stored === null) return;
      if (standingOf(stored).stop !== null) this.#oweStop();
      await this.current();
      await this.#createTasks();
      await this.#expandPlan();
      await this.#payOwed();
      await this.#arm();
    } catch (cause) {
      const { batch_id = null } = this.#record?.plan ?? {};
      this.#ports.log("error", "batch_alarm_failed", { batch_id, detail: String(cause) });
      this.#failures += 1;
      this.#alarmAt = this.#repeatAt();
      await this.#ctx.storage.setAlarm(this.#alarmAt);
    }
  }

  #load(): BatchRecord | null {
    if (this.#record === undefined) this.#record = readBatch(this.#ctx.storage.sql);
    return this.#record;
  }

  #known(): BatchRecord {
    const record = this.#load();
    if (record === null) throw new Error("the batch is gone");
    return record;
  }

  #append(end: ItemEnd): void {
    const record = this.#known();
    if (!isNews(record, end.task_id)) return;
    const ends = [...record.ends, end];
    writeEnd(this.#ctx.storage.sql, ends.length, end);
    this.#record = { ...record, ends };
  }

  #progress(change: Partial<Pick<BatchRecord, "is_created" | "stop">>): void {
    const record = { ...this.#known(), ...change };
    const { is_created, stop } = record;
    writeProgress(this.#ctx.storage.sql, { is_created, stop });
    this.#record = record;
  }

  /** Does what follows from a change: pokes what was let go, stops what must not go on, expands a plan. */
  async #follow(before: Standing): Promise<void> {
    this.#oweNews(before);
    const isStopNew = before.stop === null && standingOf(this.#known()).stop !== null;
    // No await since the write: after a crash the alarm stops and expands. A task that was not poked asks by itself.
    const armed = isStopNew || isPlanning(this.#known()) ? this.#arm() : null;
    await this.#payOwed();
    await this.#expandPlan();
    await armed;
    await this.#arm();
  }

  async #stopAt(stop: Stop | null): Promise<void> {
    if (stop === null || this.#known().stop !== null) return;
    const before = standingOf(this.#known());
    this.#progress({ stop });
    await this.#follow(before);
  }

  /** What tasks must be told of a change: those that were let go, or all when the rest is stopped. */
  #oweNews(before: Standing): void {
    const after = standingOf(this.#known());
    if (after.stop !== null) {
      if (before.stop === null) this.#oweStop();
      return;
    }
    for (const [index, { task_id }] of this.#known().plan.items.entries()) {
      const isLetGo = after.released.has(index) && !before.released.has(index);
      if (isLetGo) this.#owed.set(task_id, "poke");
    }
  }

  #oweStop(): void {
    for (const task_id of openTasks(this.#known())) this.#owed.set(task_id, "stop");
  }

  /** Tells tasks what is owed to them; who can't be told stays owed. */
  async #payOwed(): Promise<void> {
    const { tenant, batch_id } = this.#known().plan;
    const isOpen = new Set(openTasks(this.#known()));
    const order = stopOrderOf(this.#known());
    const owed = [...this.#owed].filter(([task_id]) => isOpen.has(task_id));
    this.#owed = new Map(owed);
    for (let from = 0; from < owed.length; from += CALLS_AT_ONCE) {
      const calls = owed.slice(from, from + CALLS_AT_ONCE).map(async ([task_id, what]) => {
        if (what === "poke") await this.#ports.poke(tenant, task_id);
        else if (order !== null) await this.#ports.stop(tenant, task_id, order);
        this.#owed.delete(task_id);
      });
      const failed = (await Promise.allSettled(calls)).find(({ status }) => status === "rejected");
      if (failed === undefined) continue;
      this.#failures += 1;
      this.#ports.log("warning", "batch_tasks_not_told", { tenant, batch_id });
    }
    if (this.#owed.size === 0) this.#failures = 0;
  }

  async #createTasks(): Promise<void> {
    const record = this.#known();
    if (record.is_created) return;
    const before = standingOf(record);
    const isDone = await this.#creator.createAll(() => this.#known());
    if (isDone) this.#progress({ is_created: true });
    else this.#failures += 1;
    // An item that was refused lets others go, or stops them; a stop that came meanwhile is for all.
    this.#oweNews(before);
    await this.#payOwed();
  }

  /** Turns what the planning executor gave into tasks, once. */
  async #expandPlan(): Promise<void> {
    const record = this.#known();
    const { plan } = record;
    const end = record.ends.find(({ task_id }) => task_id === plan.request?.planner?.task_id);
    if (plan.request === null || !isPlanning(record) || end === undefined) return;
    const refusal = unplanned(end, standingOf(record).stop);
    const expanded = refusal === null ? await this.#expanded(plan, end.result) : refuse(refusal);
    if (expanded === null || !isPlanning(this.#known())) return;
    const next = withPlan(plan, expanded, this.#now());
    const { storage } = this.#ctx;
    storage.transactionSync(() => {
      writePlan(storage.sql, next);
      this.#record = { ...this.#known(), plan: next };
      this.#progress({ is_created: false });
    });
    await this.#createTasks();
  }

  /** Null when a part of the system was away: the alarm tries again. */
  async #expanded(plan: BatchPlan, result: unknown): Promise<Result<Expansion, Refusal> | null> {
    try {
      return await this.#ports.expand(plan, result);
    } catch (cause) {
      const { tenant, batch_id } = plan;
      this.#failures += 1;
      this.#ports.log("warning", "plan_not_expanded", { tenant, batch_id, detail: String(cause) });
      return null;
    }
  }

  #repeatAt(): number {
    const pause = FIRST_REPEAT_MS * 2 ** Math.max(0, this.#failures - 1);
    return this.#now() + Math.min(pause, LONGEST_REPEAT_MS);
  }

  /** Sets the alarm for what is due next; one that does soon what failed is not put off. */
  async #arm(): Promise<void> {
    const { at, isRepeat } = this.#dueNext();
    if (this.#alarmAt === undefined) this.#alarmAt = await this.#ctx.storage.getAlarm();
    const isSoonEnough = isRepeat && this.#alarmAt !== null && this.#alarmAt <= at;
    if (this.#alarmAt === at || isSoonEnough) return;
    this.#alarmAt = at;
    await this.#ctx.storage.setAlarm(at);
  }

  #dueNext(): { at: number; isRepeat: boolean } {
    const record = this.#known();
    const { ended_at, stop } = standingOf(record);
    const isPlanDue = isPlanning(record) && openTasks(record).length === 0;
    if (!record.is_created || this.#owed.size > 0 || isPlanDue) {
      return { at: this.#repeatAt(), isRepeat: true };
    }
    if (ended_at !== null) return { at: ended_at + RETENTION_MS, isRepeat: false };
    if (stop !== null) return { at: this.#now() + STOPPED_REPEAT_MS, isRepeat: true };
    return { at: deadlineOf(record), isRepeat: false };
  }

  /** Empties the object of a batch that nobody will ask for any more. */
  async #forgetIfOld(): Promise<boolean> {
    const record = this.#load();
    const ended_at = record === null ? null : standingOf(record).ended_at;
    if (ended_at === null || this.#now() < ended_at + RETENTION_MS) return false;
    await this.#ctx.storage.deleteAll();
    this.#record = null;
    return true;
  }
}
