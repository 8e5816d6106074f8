import {
  DURATION_BOUNDS_S,
  DURATIONS,
  ENDS,
  NOTIFICATIONS,
  type Amount,
} from "../../db/rollup-table.ts";
import type { MetricSeries, SeriesName } from "../../protocol/metric-series.ts";
import { quantile } from "../meter/show/series.ts";

/** Figures of some time, as they are kept: whole numbers (src/db/rollup-table.ts). */
export type Amounts = Readonly<Record<Amount, number>>;

/** What is read: a range of epoch seconds, the later one excluded, in equal steps that both are multiples of. */
export interface RollupQuery {
  from: number;
  to: number;
  step_s: number;
  task_type: string | null;
  agent_id: string | null;
}

/** What was read: figures by the start of their step, and longer steps that are kept in the place of some of them. */
export interface RollupSteps {
  steps: ReadonlyMap<number, Amounts>;
  coarse: readonly { step: number; bucket: number }[];
}

/** What a line shows of a step; the figures are null where nothing happened. */
interface Line {
  stat: MetricSeries["stat"];
  labels: Record<string, string>;
  value: (amounts: Amounts | null) => number | null;
}

const MILLI = 1_000;
const MILLION = 1_000_000;
const BILLION = 1_000_000_000;

const sum = (amount: Amount, labels: Record<string, string> = {}, unit = 1): Line => ({
  stat: "sum",
  labels,
  value: (amounts) => (amounts?.[amount] ?? 0) / unit,
});

/** A mean of scores. */
const mean = (total: Amount, count: Amount): Line => ({
  stat: "mean",
  labels: {},
  value: (amounts) =>
    amounts === null || amounts[count] === 0 ? null : amounts[total] / MILLION / amounts[count],
});

/** How many tasks took how long, by bucket. */
export function durationCounts(amounts: Amounts): number[] {
  return DURATIONS.map((name) => amounts[name]);
}

const share = (stat: "p50" | "p95" | "p99", of: number): Line => ({
  stat,
  labels: {},
  value: (amounts) =>
    amounts === null ? null : quantile(DURATION_BOUNDS_S, durationCounts(amounts), of),
});

const meanDuration: Line = {
  stat: "mean",
  labels: {},
  value: (amounts) => {
    const count = amounts === null ? 0 : durationCounts(amounts).reduce((a, b) => a + b, 0);
    return amounts === null || count === 0 ? null : amounts.duration_ms / MILLI / count;
  },
};

const LINES: Partial<Record<SeriesName, readonly Line[]>> = {
  tasks_created: [sum("created")],
  tasks_ended: ENDS.map((status) => sum(status, { status })),
  task_duration: [meanDuration, share("p50", 0.5), share("p95", 0.95), share("p99", 0.99)],
  task_quality: [mean("quality_sum", "quality_count")],
  task_rating: [mean("rating_sum", "rating_count")],
  task_retries: [sum("retries")],
  notifications: NOTIFICATIONS.map((type) => sum(type, { type })),
  escalations: [sum("escalations")],
  cost_usd: [sum("cost_nano_usd", {}, BILLION)],
  tokens: [sum("tokens")],
};

/** Starts of the steps of a range, ascending. */
function startsOf({ from, to, step_s }: RollupQuery): number[] {
  return Array.from({ length: (to - from) / step_s }, (_, index) => from + index * step_s);
}

/** Starts of the steps that are kept in longer ones only: nobody knows their share. */
export function unknownSteps({ coarse }: RollupSteps, query: RollupQuery): Set<number> {
  return new Set(
    startsOf(query).filter((start) =>
      coarse.some(({ step, bucket }) => bucket <= start && start < bucket + step),
    ),
  );
}

/**
 * Series of tasks, a line for each label value and statistic, in the order of the names; technical names are passed over.
 * A step in which nothing happened is 0 where things are counted and null where there is nothing to make a mean or
 * percentile of; one that is kept in longer ones only is null.
 */
export function taskSeries(
  names: readonly SeriesName[],
  found: RollupSteps,
  query: RollupQuery,
): MetricSeries[] {
  const starts = startsOf(query);
  const unknown = unknownSteps(found, query);
  return names.flatMap((metric) =>
    (LINES[metric] ?? []).map(({ stat, labels, value }): MetricSeries => {
      const points = starts.map((start): [number, number | null] => [
        start,
        unknown.has(start) ? null : value(found.steps.get(start) ?? null),
      ]);
      return { metric, stat, labels, points };
    }),
  );
}
