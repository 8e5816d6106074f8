import type { TaskState } from "./state.ts";
import { DEFAULT_TOTAL_TIMEOUT_S } from "./state.ts";

/** When the whole life must be over, epoch milliseconds. */
export function totalDeadline(state: TaskState): number {
  const seconds = (state.task.total_timeout ?? DEFAULT_TOTAL_TIMEOUT_S) + state.granted.duration_s;
  return state.created_at + seconds * 1_000;
}

/** A budget of a task and what it allows for, grants included; null where there is no limit. */
export function budgetLimits(state: TaskState): { cost_usd: number | null; tokens: number | null } {
  const budget = state.task.contract?.budget;
  return {
    cost_usd:
      budget?.max_cost_usd === undefined ? null : budget.max_cost_usd + state.granted.cost_usd,
    tokens: budget?.max_tokens === undefined ? null : budget.max_tokens + state.granted.tokens,
  };
}
