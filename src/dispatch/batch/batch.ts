import type { Result } from "../../lib/result.ts";
import type { BatchState } from "../../protocol/batch.ts";
import type { EndReason } from "../../protocol/enums.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Expansion } from "./batch-ports.ts";
import type { BatchPlan, BatchRecord, ItemEnd, Stop } from "./batch-record.ts";
import { parentsIn, takesPlace } from "./families.ts";

/* The rules of one batch. Pure: what stands where is a fold of the plan and of the ends in their order. */

/** Days that a batch is kept after its end, as long as task reports are read at most in practice. */
export const RETENTION_MS = 30 * 86_400_000;

/** Where a batch stands. */
export interface Standing {
  /** Indexes of the items that were let go, ended ones included. */
  released: ReadonlySet<number>;
  /** What became of items, by index. */
  ended: ReadonlyMap<number, ItemEnd>;
  /** Why the rest is stopped, or null. */
  stop: Stop | null;
  state: BatchState;
  /** Epoch milliseconds; null until every item has ended. */
  ended_at: number | null;
}

/** What a task that asks its batch is told. */
export interface GateAnswer {
  is_open: boolean;
  stop?: { reason: EndReason; message: string };
}

/** Why a batch, named by its id, ends its tasks. */
interface Stopping {
  from: string;
  reason: EndReason;
  message: string;
}

function isSuccess({ status }: ItemEnd): boolean {
  return status === "completed";
}

/** Items that are not over, and may be let go as far as others are concerned: a child comes after its parent. */
function candidates(
  plan: BatchPlan,
  released: ReadonlySet<number>,
  ended: ReadonlyMap<number, ItemEnd>,
): number[] {
  const parents = parentsIn(plan.items);
  return [...plan.items.keys()].filter((index) => {
    if (released.has(index) || ended.has(index)) return false;
    const parent = parents[index] ?? null;
    const isParentIn = parent === null || released.has(parent) || ended.has(parent);
    return isParentIn && (plan.items[index]?.after ?? []).every((other) => ended.has(other));
  });
}

/**
 * Lets go of items in their order, as far as what they wait for has ended and fewer than allowed are under way.
 *
 * One whose children do its work takes no place: they need those that there are.
 */
function release(
  plan: BatchPlan,
  released: Set<number>,
  ended: ReadonlyMap<number, ItemEnd>,
): void {
  const isWorker = (index: number): boolean => {
    const item = plan.items[index];
    return item !== undefined && takesPlace(item);
  };
  let active = [...released].filter((index) => !ended.has(index) && isWorker(index)).length;
  for (;;) {
    // Whoever is let go may have children in front of it: they are looked at again.
    const next = candidates(plan, released, ended).find(
      (index) => !isWorker(index) || active < plan.options.max_concurrent,
    );
    if (next === undefined) return;
    released.add(next);
    if (isWorker(next)) active += 1;
  }
}

/** What the first failure means where it stops the rest. */
function failFast(plan: BatchPlan, index: number, end: ItemEnd): Stop | null {
  if (!plan.options.fail_fast || isSuccess(end)) return null;
  const outcome = end.end_reason ?? end.problem?.code ?? "failure";
  return {
    kind: "fail_fast",
    reason: "cancelled",
    message: `fail_fast: task ${end.task_id} (number ${index}) ended with ${outcome}`,
    at: end.at,
  };
}

const STATES: Record<Stop["kind"], BatchState> = {
  fail_fast: "failed",
  cancel: "cancelled",
  timeout: "timed_out",
};

function stateOf(record: BatchRecord, ended: ReadonlyMap<number, ItemEnd>, stop: Stop | null) {
  const { plan } = record;
  if (plan.request?.rejection) return stop === null ? "failed" : STATES[stop.kind];
  if (isPlanning(record) || ended.size < plan.items.length) return "running";
  if ([...ended.values()].every(isSuccess)) return "completed";
  return stop === null ? "failed" : STATES[stop.kind];
}

/** Whether the steps of a request are still being found by an executor. */
export function isPlanning({ plan }: BatchRecord): boolean {
  const { request } = plan;
  return request !== null && request.plan === null && request.rejection === null;
}

function endOf(record: BatchRecord, state: BatchState): number | null {
  if (state === "running") return null;
  const ends = record.ends.map(({ at }) => at);
  return Math.max(record.plan.created_at, record.plan.request?.rejection?.at ?? 0, ...ends);
}

/**
 * Where a batch stands, from its plan and what has ended, in the order in which it ended.
 *
 * Letting go needs no record of its own: the same ends in the same order always let go the same items.
 */
export function standingOf(record: BatchRecord): Standing {
  const { plan, ends } = record;
  const places = new Map(plan.items.map(({ task_id }, index) => [task_id, index]));
  const released = new Set<number>();
  const ended = new Map<number, ItemEnd>();
  let stop: Stop | null = null;
  const letGo = (at: number): void => {
    const isStopped = stop !== null || (record.stop !== null && record.stop.at <= at);
    if (!isStopped) release(plan, released, ended);
  };
  letGo(plan.created_at);
  for (const end of ends) {
    const index = places.get(end.task_id);
    if (index === undefined || ended.has(index)) continue;
    ended.set(index, end);
    stop ??= failFast(plan, index, end);
    letGo(end.at);
  }
  // Whichever came first holds.
  const first = stop !== null && (record.stop === null || stop.at < record.stop.at);
  const holding = first ? stop : record.stop;
  const state = stateOf(record, ended, holding);
  return { released, ended, stop: holding, state, ended_at: endOf(record, state) };
}

/** What tasks are told when the rest of the batch is stopped, or null. */
export function stopOrderOf(record: BatchRecord): Stopping | null {
  const { stop } = standingOf(record);
  if (stop === null) return null;
  return { from: record.plan.batch_id, reason: stop.reason, message: stop.message };
}

/** What a task is told that asks whether it may start. One that the batch does not know is not let go. */
export function gateOf(record: BatchRecord, task_id: string): GateAnswer {
  const index = record.plan.items.findIndex((item) => item.task_id === task_id);
  const { released, stop } = standingOf(record);
  if (stop !== null) {
    return { is_open: false, stop: { reason: stop.reason, message: stop.message } };
  }
  return { is_open: released.has(index) };
}

/** The stop that the clock brings, or null when it is not due. */
export function timeoutOf(record: BatchRecord, now: number): Stop | null {
  const { stop, state } = standingOf(record);
  if (stop !== null || state !== "running" || now < deadlineOf(record)) return null;
  const seconds = record.plan.options.timeout;
  return {
    kind: "timeout",
    reason: "timeout",
    message: `The batch has taken the ${seconds} s that it may take`,
    at: now,
  };
}

/** When the rest of the batch is stopped by the clock, epoch milliseconds. */
export function deadlineOf({ plan }: BatchRecord): number {
  return plan.created_at + plan.options.timeout * 1_000;
}

/** Tasks that have not ended, the one that plans included. */
export function openTasks(record: BatchRecord): string[] {
  const isEnded = new Set(record.ends.map(({ task_id }) => task_id));
  const planner = isPlanning(record) ? record.plan.request?.planner : null;
  return [
    ...(planner ? [planner.task_id] : []),
    ...record.plan.items.map(({ task_id }) => task_id),
  ].filter((task_id) => !isEnded.has(task_id));
}

/** Whether an end is news: of one of its tasks, and the first of that task. */
export function isNews(record: BatchRecord, task_id: string): boolean {
  return openTasks(record).includes(task_id);
}

/** Why there is no plan although the task that was to plan has ended; null when it has given one. */
export function unplanned(
  { status, end_reason, problem }: ItemEnd,
  stop: Stop | null,
): Refusal | null {
  if (status === "completed" && stop === null) return null;
  const ended = problem?.detail ?? `It ended with ${end_reason ?? "failure"}.`;
  const detail = stop?.message ?? `The task that was to plan gave no plan: ${ended}`;
  return { code: "plan_rejected", detail };
}

/** A batch whose plan an executor has given, or whose plan was rejected. */
export function withPlan(
  plan: BatchPlan,
  expanded: Result<Expansion, Refusal>,
  now: number,
): BatchPlan {
  const { request } = plan;
  if (request === null) throw new Error("only a request waits for a plan");
  if (expanded.ok) {
    const { items, plan: record } = expanded.value;
    return { ...plan, items, request: { ...request, plan: record } };
  }
  const { code, detail, errors = [] } = expanded.refusal;
  const faults = errors.map((fault) => ({
    pointer: fault.pointer,
    code: fault.code,
    detail: fault.detail,
  }));
  return { ...plan, request: { ...request, rejection: { code, detail, errors: faults, at: now } } };
}
