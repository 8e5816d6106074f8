import { percentile } from "../../lib/percentile.ts";
import type { Recent } from "./rules/question.ts";

/* Figures of runs. Pure. */

/** The latency that so large a share of the runs did not exceed; null of none. @param latencies in any order */
export function latencyWithin(latencies: readonly number[], share: number): number | null {
  return percentile(
    latencies.toSorted((a, b) => a - b),
    share,
  );
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What the last runs of a model took. */
export function recentOf(
  model_id: string,
  runs: readonly (readonly [latency_s: number, cost_usd: number])[],
): Recent {
  const latencies = runs.map(([latency_s]) => latency_s);
  return {
    model_id,
    runs: runs.length,
    mean_latency_s: mean(latencies),
    p95_latency_s: latencyWithin(latencies, 0.95) ?? 0,
    mean_cost_usd: mean(runs.map(([, cost_usd]) => cost_usd)),
  };
}
