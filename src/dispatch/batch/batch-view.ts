import { instant } from "../../lib/ports.ts";
import type { BatchOutcome, BatchStop, BatchView, ItemCounts } from "../../protocol/batch.ts";
import type { TaskStatus } from "../../protocol/enums.ts";
import type { BatchItem, BatchRecord, Stop } from "./batch-record.ts";
import { standingOf } from "./batch.ts";

/** The statuses of tasks that only the tasks themselves know, by task_id. */
export type LiveStatuses = ReadonlyMap<string, TaskStatus>;

/** Whether a task that its batch has not let go may wait for somebody's answer. */
function mayAsk({ task, approval, assessment }: BatchItem): boolean {
  const { autonomy_level } = task.execution_options;
  const isCritical = assessment.band === "critical" || task.complexity === "critical";
  return (
    approval !== null ||
    autonomy_level === "manual" ||
    (autonomy_level === "semi_autonomous" && isCritical) ||
    task.parameters?.on_failed_dependency === "block"
  );
}

/** The tasks whose status their batch can't tell: those under way, and those that may wait for an answer. */
export function tasksToAsk(record: BatchRecord): string[] {
  const { released, ended } = standingOf(record);
  return record.plan.items
    .filter((item, index) => !ended.has(index) && (released.has(index) || mayAsk(item)))
    .map(({ task_id }) => task_id);
}

/** What became of each item. */
export function outcomesOf(record: BatchRecord, live: LiveStatuses): BatchOutcome[] {
  const { ended } = standingOf(record);
  return record.plan.items.map(({ task_id }, index) => {
    const end = ended.get(index);
    if (end?.problem) return { index, problem: end.problem };
    return { index, task_id, status: end?.status ?? live.get(task_id) ?? "pending" };
  });
}

/** How many items stand where. */
export function countsOf(outcomes: readonly BatchOutcome[]): ItemCounts {
  const counts = {
    total: outcomes.length,
    pending: 0,
    running: 0,
    escalated: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    refused: 0,
  };
  for (const outcome of outcomes) counts["status" in outcome ? outcome.status : "refused"] += 1;
  return counts;
}

/** A stop as everyone sees it. */
export function stopView(stop: Stop | null): BatchStop | null {
  if (stop === null) return null;
  const { reason, message, at } = stop;
  return { reason, message, at: instant(at) };
}

/** A batch as everyone sees it. */
export function batchViewOf(record: BatchRecord, live: LiveStatuses): BatchView {
  const { plan } = record;
  const { state, stop, ended_at } = standingOf(record);
  const outcomes = outcomesOf(record, live);
  return {
    batch_id: plan.batch_id,
    state,
    outcomes,
    counts: countsOf(outcomes),
    stop: stopView(stop),
    options: plan.options,
    created_at: instant(plan.created_at),
    ended_at: ended_at === null ? null : instant(ended_at),
  };
}
