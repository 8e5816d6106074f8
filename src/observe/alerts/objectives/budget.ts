import type { ObjectiveStatus } from "../../../protocol/objectives.ts";

/** What was counted for an objective. */
export interface Share {
  good: number;
  total: number;
}

/** Figures are shown to this fraction: 1 - 0.99 is not quite 0.01 to a computer. */
const FRACTION = 1e9;

function rounded(value: number): number {
  return Math.round(value * FRACTION) / FRACTION;
}

/**
 * The error budget: of `total`, a share of 1 - target may be bad. What is left of it is below 0 once more were.
 */
export function budgetOf(
  target: number,
  { good, total }: Share,
): Pick<ObjectiveStatus, "attained" | "budget_total" | "budget_left"> {
  const allowed = (1 - target) * total;
  return {
    attained: total === 0 ? null : rounded(good / total),
    budget_total: rounded(allowed),
    budget_left: rounded(allowed - (total - good)),
  };
}

/**
 * How fast the budget goes: the share of bad ones by the share that may be bad. At 1 it lasts exactly the objective's
 * window. Null while there is nothing.
 */
export function burnRate(target: number, { good, total }: Share): number | null {
  return total === 0 ? null : rounded((total - good) / total / (1 - target));
}
