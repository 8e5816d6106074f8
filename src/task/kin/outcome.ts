import type { ChildReport, Outcome } from "../../protocol/kin.ts";
import type { TaskState } from "../machine/state.ts";
import { completionStatusOf } from "../machine/verdict.ts";
import { isCarriable, omitted } from "./carry.ts";
import { hasEnding, heightOf, isComposite, weightedProgress } from "./family.ts";
import { isHeldBack } from "./gates.ts";
import { usedInTree } from "./tree-budget.ts";

/** What a task that did not succeed left of its work; null when there is nothing. */
function partialOf({ verdict, progress }: TaskState): unknown {
  return verdict?.hasPartialResults === true ? (progress?.intermediate ?? null) : null;
}

/** How a task stands, for those that wait for it. */
export function outcomeOf(state: TaskState): Outcome {
  const { verdict } = state;
  const partial = partialOf(state);
  return {
    task_id: state.origin.task_id,
    task_type: state.task.task_type,
    phase: state.phase,
    is_ended: state.phase === "ended",
    status: state.status,
    end_reason: verdict?.reason ?? null,
    completion_status:
      verdict === null ? null : completionStatusOf(verdict.reason, verdict.hasPartialResults),
    result: verdict?.result ?? null,
    ...(partial !== null && { partial_results: partial }),
    quality: verdict?.quality ?? null,
    agent_id: state.holder?.agent_id ?? state.holders.at(-1) ?? null,
    ...placeOf(state),
  };
}

/** Where a task is in its tree, and whether it may go on there. */
function placeOf(state: TaskState): Pick<Outcome, "is_held_back" | "parent_task_id"> {
  const parent_task_id = state.origin.lineage?.parent_task_id ?? null;
  return { is_held_back: isHeldBack(state), parent_task_id };
}

function percentage(state: TaskState): number | null {
  const told = state.progress?.percentage ?? null;
  if (!isComposite(state.task) || state.started_at === null) return told;
  return Math.max(told ?? 0, weightedProgress(state.family, state.task.subtasks?.expected));
}

/** What a child tells its parent. A result that is too large for its parent's row is named by its address. */
export function childReportOf(state: TaskState): ChildReport {
  const { partial_results: _, ...outcome } = outcomeOf(state);
  const isLarge = !isCarriable(outcome.result);
  return {
    ...outcome,
    result: isLarge ? omitted(outcome.task_id) : outcome.result,
    seq: state.seq,
    percentage: percentage(state),
    used: usedInTree(state),
    height: heightOf(state.family),
    ...(isEnding(state) && { is_ending: true }),
    ...(state.verdict?.error?.type === "stopped" && { is_stopped: true }),
  };
}

/** Whether the task, or an open one below it, is in its end phases. */
function isEnding(state: TaskState): boolean {
  return state.phase === "finalizing" || (state.phase !== "ended" && hasEnding(state.family));
}

/** Equal for reports that tell the same: what is neither said nor new needs no call. */
export function digestOf(state: TaskState): string {
  return JSON.stringify([
    state.phase,
    state.status,
    percentage(state),
    usedInTree(state),
    heightOf(state.family),
    isEnding(state),
    state.holder?.agent_id ?? null,
    state.verdict?.reason ?? null,
  ]);
}
