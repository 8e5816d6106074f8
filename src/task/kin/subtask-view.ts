import type { ChildReport } from "../../protocol/kin.ts";
import { SCHEMA_VERSION } from "../../protocol/primitives.ts";
import type { SubtaskView } from "../../protocol/subtasks.ts";
import type { TaskState } from "../machine/state.ts";
import { percentageOf, weightedProgress } from "./family.ts";
import type { Child } from "./family.ts";
import { usedInTree } from "./tree-budget.ts";

type Subtask = SubtaskView["subtasks"][number];

/** Whether an executor has it: an offer is accepted by whoever first takes the task. */
function stateOf({ report }: Child): Subtask["state"] {
  if (report?.is_ended === true) return "ended";
  const hasHadOne = (report?.used.attempts ?? 0) > 0 || (report?.agent_id ?? null) !== null;
  return hasHadOne || report?.phase === "executing" ? "accepted" : "offered";
}

/** A child that has not reported yet. */
const UNHEARD = {
  agent_id: null,
  status: "pending",
  phase: "queued",
  completion_status: null,
  used: { cost_usd: 0, tokens: 0 },
} as const;

function subtaskOf(child: Child, told: ChildReport | undefined): Subtask {
  const { agent_id, status, phase, completion_status, used } = child.report ?? UNHEARD;
  return {
    task_id: child.task_id,
    state: stateOf(child),
    agent_id,
    status,
    phase,
    progress_percentage: percentageOf(child),
    completion_status,
    result: told?.result ?? null,
    quality_assessment: told?.quality ?? null,
    weight: child.weight,
    usage: { cost_usd: used.cost_usd, tokens: used.tokens },
  };
}

/**
 * The subtasks of a task as everyone sees them.
 *
 * @param reports what the children last reported, results included
 */
export function subtaskViewOf(state: TaskState, reports: readonly ChildReport[]): SubtaskView {
  const { cost_usd, tokens } = usedInTree(state);
  const children = state.family?.children ?? [];
  return {
    schema_version: SCHEMA_VERSION,
    task_id: state.origin.task_id,
    progress_percentage: weightedProgress(state.family, state.task.subtasks?.expected),
    usage: { cost_usd, tokens },
    subtasks: children.map((child) =>
      subtaskOf(
        child,
        reports.find(({ task_id }) => task_id === child.task_id),
      ),
    ),
  };
}
