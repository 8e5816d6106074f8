import { DURATION_BOUNDS_S } from "../../../db/rollup-table.ts";
import { quantile } from "../../meter/show/series.ts";
import type { Share } from "../objectives/budget.ts";
import type { Figure, FigureMetric, Indicator } from "../ports.ts";

/** What is summed; amounts in the units of the roll-up (src/db/rollup-table.ts). */
export interface TaskSums {
  created: number;
  completed: number;
  failed: number;
  cancelled: number;
  escalated: number;
  duration_ms: number;
  cost_nano_usd: number;
  tokens: number;
  quality_sum: number;
  quality_count: number;
  escalations: number;
  /** Tasks by duration, as DURATIONS has the columns. */
  durations: number[];
}

/** What there is where nothing was counted. */
export const NO_TASKS: TaskSums = {
  created: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  escalated: 0,
  duration_ms: 0,
  cost_nano_usd: 0,
  tokens: 0,
  quality_sum: 0,
  quality_count: 0,
  escalations: 0,
  durations: [],
};

/** Scores are summed in millionths, and money in billionths of a dollar. */
const MILLION = 1_000_000;
const BILLION = 1_000_000_000;

const count = (value: number): Figure => ({ value, samples: null });

function ratio(sum: number, samples: number): Figure | null {
  return samples === 0 ? null : { value: sum / samples, samples };
}

/** Tasks that came to an end by themselves: that somebody cancelled one says nothing of how well it was done. */
function judged({ completed, failed, escalated }: TaskSums): number {
  return completed + failed + escalated;
}

/** A figure of tasks from their sums; null where there is nothing to say, and for what is no figure of tasks. */
export function taskFigure(metric: FigureMetric, sums: TaskSums): Figure | null {
  const ended = judged(sums) + sums.cancelled;
  switch (metric) {
    case "task_failure_rate":
      return ratio(judged(sums) - sums.completed, judged(sums));
    case "task_duration_p95_s": {
      const samples = sums.durations.reduce((total, number) => total + number, 0);
      const value = quantile(DURATION_BOUNDS_S, sums.durations, 0.95);
      return value === null ? null : { value, samples };
    }
    case "task_duration_mean_s":
      return ratio(sums.duration_ms / 1_000, ended);
    case "tasks_created":
      return count(sums.created);
    case "tasks_ended":
      return count(ended);
    case "cost_usd":
      return { ...count(sums.cost_nano_usd / BILLION), tasks: ended };
    case "tokens":
      return { ...count(sums.tokens), tasks: ended };
    case "quality_mean":
      return ratio(sums.quality_sum / MILLION, sums.quality_count);
    case "escalations":
      return count(sums.escalations);
    case "delivery_failure_rate":
    case "delivery_latency_p95_s":
    case "delivery_oldest_age_s":
    case "http_error_rate":
    case "http_latency_p95_s":
    case "agents_online":
    case "slots_free":
    case "escalations_open":
    case "cleanup_debts_open":
      return null;
  }
}

/**
 * Which tasks were good for an objective: those that completed, or those that ended within its limit, which is one of
 * DURATION_BOUNDS_S.
 */
export function taskShare({ indicator, limit_s }: Indicator, sums: TaskSums): Share {
  if (indicator !== "task_in_time") return { good: sums.completed, total: judged(sums) };
  const within = DURATION_BOUNDS_S.filter((bound) => bound <= (limit_s ?? 0)).length;
  const sum = (counts: readonly number[]) => counts.reduce((total, number) => total + number, 0);
  return { good: sum(sums.durations.slice(0, within)), total: sum(sums.durations) };
}
