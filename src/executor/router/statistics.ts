import type { Recent } from "./rules/question.ts";

/* Figures of runs. Pure. */

/** Nearest rank: the smallest value that so large a share of them does not exceed; null of none. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
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
    p95_latency_s: percentile(latencies, 0.95) ?? 0,
    mean_cost_usd: mean(runs.map(([, cost_usd]) => cost_usd)),
  };
}
