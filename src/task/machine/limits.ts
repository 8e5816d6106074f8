import type { TaskState } from "./state.ts";
import { DEFAULT_TOTAL_TIMEOUT_S } from "./state.ts";

/** When the whole life must be over, epoch milliseconds. */
export function totalDeadline(state: TaskState): number {
  const granted_ms = state.granted.duration_s * 1_000;
  const own = state.created_at + (state.task.total_timeout ?? DEFAULT_TOTAL_TIMEOUT_S) * 1_000;
  return Math.min(own, state.origin.lineage?.deadline_at ?? own) + granted_ms;
}
