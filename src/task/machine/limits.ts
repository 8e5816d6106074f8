import type { TaskState } from "./state.ts";
import { DEFAULT_TOTAL_TIMEOUT_S } from "./state.ts";

/**
 * When the work on the task has used up `contract.budget.max_duration_s`, epoch milliseconds; null where there is no
 * such limit, and before the first attempt has started.
 */
export function durationDeadline({ task, started_at, granted }: TaskState): number | null {
  const limit = task.contract?.budget?.max_duration_s;
  if (limit === undefined || started_at === null) return null;
  return started_at + (limit + granted.duration_s) * 1_000;
}

/** When the whole life must be over, epoch milliseconds. */
export function totalDeadline(state: TaskState): number {
  const granted_ms = state.granted.duration_s * 1_000;
  const own = state.created_at + (state.task.total_timeout ?? DEFAULT_TOTAL_TIMEOUT_S) * 1_000;
  return Math.min(own, state.origin.lineage?.deadline_at ?? own) + granted_ms;
}
