import type { DraftEvent, Memo, TaskState } from "../machine/state.ts";
import { SYSTEM, usageOf } from "../machine/state.ts";
import { closedCancels, verdictEvent } from "../machine/verdict.ts";
import { committedInTree, isBeyond, limitsOf, usedInTree } from "./tree-budget.ts";

/** A share of a budget from which on the orchestrator is warned (protocol.md §7, Notifications). */
const WARNING_SHARE = 0.8;

/**
 * What the use of a task and all below it leads to: a warning at 80 % of a limit, the verdict beyond it.
 *
 * At most one verdict, and nothing after it.
 *
 * @param memo the use of the task itself, which may be newer than the state
 */
export function budgetEvents(state: TaskState, memo: Memo | null): DraftEvent[] {
  const limits = limitsOf(state);
  const uses = usedInTree(state, memo);
  const committed = committedInTree(state, memo);
  const [before, now] = [usageOf(state), usageOf({ ...state, memo })];
  const warnings: DraftEvent[] = [];
  for (const resource of ["cost_usd", "tokens"] as const) {
    const limit = limits[resource];
    const used = uses[resource];
    if (limit === null) continue;
    // What is set aside for open children is theirs: the task itself may not use it up.
    const isTheirs = now[resource] > before[resource] && isBeyond(committed[resource], limit);
    if (isTheirs || isBeyond(used, limit)) {
      const aside = isBeyond(used, limit) ? "" : ` beside what is set aside for subtasks`;
      const message = `${resource} of ${used}${aside} exceeds the budget of ${limit}`;
      return [
        ...warnings,
        ...closedCancels(state, "rejected"),
        verdictEvent(state, {
          reason: "resource_exhausted",
          error: { type: "budget_exceeded", message, root_cause: null },
        }),
      ];
    }
    if (used >= limit * WARNING_SHARE && !state.warned_of.includes(resource)) {
      warnings.push({ type: "budget_warning", actor: SYSTEM, data: { resource, used, limit } });
    }
  }
  return warnings;
}
