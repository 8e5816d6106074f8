import { instant, type Clock } from "../../lib/ports.ts";
import {
  isOfTasks,
  namesThatFit,
  seriesNamesOf,
  STEPS_S,
  type MetricSeries,
} from "../../protocol/metric-series.ts";
import type { Metrics, MetricsQuery } from "../../protocol/observation.ts";
import type { MeterSeriesQuery } from "../meter/show/series.ts";
import { taskSeries, unknownSteps, type RollupQuery, type RollupSteps } from "./task-series.ts";

/** Steps of the range where none is asked for. */
const DEFAULT_POINTS = 60;

const NOTHING = { series: [], isComplete: true };

/** What figures over time are read from. */
export interface OverTimeParts {
  now: Clock;
  tasks: (tenant: string, query: RollupQuery) => Promise<RollupSteps>;
  technical: (
    tenant: string,
    query: MeterSeriesQuery,
  ) => Promise<{ series: MetricSeries[]; isComplete: boolean }>;
}

/** A range in whole steps: the last is the one in which it ends, so that until midnight is the day before. */
function rangeOf(
  { step, range, until }: MetricsQuery,
  now: number,
): Pick<RollupQuery, "from" | "to" | "step_s"> {
  const step_s = step ?? STEPS_S[0];
  const end_s = (until === undefined ? now : Date.parse(until)) / 1_000;
  const to = Math.ceil(end_s / step_s) * step_s;
  const points = range === undefined ? DEFAULT_POINTS : Math.ceil(range / step_s);
  return { from: to - points * step_s, to, step_s };
}

/**
 * Figures of a tenant over time. `is_complete` is false where a series has steps that are kept in longer ones only.
 *
 * @throws when D1 fails
 */
export async function figuresOverTime(
  { now, tasks, technical }: OverTimeParts,
  tenant: string,
  query: MetricsQuery,
): Promise<Metrics> {
  const range = rangeOf(query, now());
  const { metrics } = query;
  const names = metrics === undefined ? namesThatFit(query) : seriesNamesOf(metrics);
  const { task_type = null, agent_id = null } = query;
  const rollup = { ...range, task_type, agent_id };
  const [found, measured] = await Promise.all([
    tasks(tenant, rollup),
    names.every(isOfTasks) ? NOTHING : technical(tenant, { ...range, metrics: names }),
  ]);
  const series = [...taskSeries(names, found, rollup), ...measured.series];
  const tokens = [...found.steps.values()].reduce((sum, amounts) => sum + amounts.tokens, 0);
  const areTasksKnown = !names.some(isOfTasks) || unknownSteps(found, rollup).size === 0;
  return {
    window_s: range.to - range.from,
    since: instant(range.from * 1_000),
    until: instant(range.to * 1_000),
    sampled: { tasks: 0, limit: 0, is_complete: areTasksKnown && measured.isComplete },
    by: query.by,
    groups: [],
    tokens: { orchestrator: 0, executor: Math.min(tokens, Number.MAX_SAFE_INTEGER) },
    series: names.flatMap((name) => series.filter(({ metric }) => metric === name)),
  };
}
