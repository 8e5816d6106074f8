import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { TaskType } from "../protocol/enums.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Explanation, TaskView } from "../protocol/task-view.ts";

/** How tasks of one type have gone. Durations in seconds, `success_rate` 0-1. */
interface TypeHistory {
  runs: number;
  success_rate: number;
  p50_s: number;
  p95_s: number;
}

/** Runs from which history is worth telling. */
const FEWEST_RUNS = 3;

const seconds = (value: number): string => `${Number(value.toFixed(1))} s`;

/** What history says of a task type in one line, or null where it says too little. */
function estimateOf(task_type: TaskType, history: TypeHistory | undefined): string | null {
  if (history === undefined || history.runs < FEWEST_RUNS) return null;
  const { runs, success_rate, p50_s, p95_s } = history;
  const rate = Math.round(success_rate * 100);
  return `${task_type} takes ${seconds(p50_s)} at the median and at most ${seconds(p95_s)} in 95 of 100 cases; ${rate} % end well (${runs} runs of the last 30 days)`;
}

/** What an explanation with an estimate is made from. */
export interface EstimateParts {
  explain: (by: Principal, task_id: string) => Promise<Result<Explanation, Refusal>>;
  view: (by: Principal, task_id: string) => Promise<Result<TaskView, Refusal>>;
  /** Never fails; empty when nothing is known. */
  histories: (tenant: string) => Promise<ReadonlyMap<TaskType, TypeHistory>>;
}

/** Explanations that also say how long such a task takes, as long as it has no outcome. */
export function explainWithEstimate(parts: EstimateParts): EstimateParts["explain"] {
  return async (by, task_id) => {
    const explained = await parts.explain(by, task_id);
    if (!explained.ok || ["finalizing", "ended"].includes(explained.value.phase)) return explained;
    const [task, histories] = await Promise.all([
      parts.view(by, task_id),
      parts.histories(by.tenant),
    ]);
    if (!task.ok) return task;
    const { task_type } = task.value;
    const detail = estimateOf(task_type, histories.get(task_type));
    if (detail === null) return explained;
    const waiting_for = [...explained.value.waiting_for, { kind: "estimate", detail }];
    return { ok: true, value: { ...explained.value, waiting_for } };
  };
}
