import { percentile } from "../lib/percentile.ts";
import type { TaskType } from "../protocol/enums.ts";
import { durationsOf, isJudged, successRateOf, type Run } from "./run.ts";

/** How tasks of one type have gone. Durations in seconds; `success_rate` 0-1; `runs` that ended uncancelled. */
export interface TypeHistory {
  runs: number;
  success_rate: number;
  p50_s: number;
  p95_s: number;
}

/** How the tasks of each type have gone; a type of which none has started and ended is left out. */
export function typeHistoryOf(runs: readonly Run[]): ReadonlyMap<TaskType, TypeHistory> {
  const history = new Map<TaskType, TypeHistory>();
  for (const [task_type, ofType] of Map.groupBy(runs, (run) => run.task_type)) {
    const durations = durationsOf(ofType);
    const [p50_s, p95_s] = [percentile(durations, 0.5), percentile(durations, 0.95)];
    const success_rate = successRateOf(ofType);
    if (p50_s === null || p95_s === null || success_rate === null) continue;
    history.set(task_type, { runs: ofType.filter(isJudged).length, success_rate, p50_s, p95_s });
  }
  return history;
}
