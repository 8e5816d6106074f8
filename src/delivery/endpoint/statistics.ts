import type { WebhookStats } from "../../protocol/webhook-operations.ts";

/** What the attempts of a window come to. */
export interface AttemptFigures {
  delivered: number;
  /** Attempts that were not the first of their delivery. */
  retried: number;
  /** Milliseconds of every attempt, in any order. */
  durations: readonly number[];
}

/** What is known of an endpoint besides its attempts. */
export interface EndpointFigures
  extends AttemptFigures, Pick<WebhookStats, "level" | "last_error"> {
  /** Since when the oldest delivery that is due waits, in epoch milliseconds; null when none is. */
  oldestDue: number | null;
}

/** The figures of an endpoint from those of its shards: the level is the worst, the error the newest. */
export function mergedFigures(shards: readonly EndpointFigures[]): EndpointFigures {
  const dues = shards.map(({ oldestDue }) => oldestDue).filter((due) => due !== null);
  const errors = shards.map(({ last_error }) => last_error).filter((error) => error !== null);
  return {
    delivered: shards.reduce((sum, { delivered }) => sum + delivered, 0),
    retried: shards.reduce((sum, { retried }) => sum + retried, 0),
    durations: shards.flatMap(({ durations }) => durations),
    level: Math.max(0, ...shards.map(({ level }) => level)),
    oldestDue: dues.length === 0 ? null : Math.min(...dues),
    last_error: errors.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null,
  };
}

/**
 * How an endpoint has done over a window.
 *
 * Percentiles are of all durations, failures too, because a slow failure holds a slot as long as a slow success. They
 * are nearest-rank: the least duration that so many per cent of the attempts did not exceed, so always one that
 * occurred, which the interpolated quantiles of d3-array and simple-statistics need not be.
 *
 * @param window_s length of the window in seconds, above 0
 * @param now epoch milliseconds
 */
export function statsOf(figures: EndpointFigures, window_s: number, now: number): WebhookStats {
  const sorted = figures.durations.toSorted((a, b) => a - b);
  const { delivered, retried, oldestDue, level, last_error } = figures;
  return {
    window_s,
    attempts: sorted.length,
    delivered,
    failed: sorted.length - delivered,
    retried,
    success_rate: sorted.length === 0 ? null : delivered / sorted.length,
    p50_ms: nearestRank(sorted, 50),
    p95_ms: nearestRank(sorted, 95),
    p99_ms: nearestRank(sorted, 99),
    throughput_per_s: delivered / window_s,
    oldest_due_age_s: oldestDue === null ? null : Math.max(0, now - oldestDue) / 1_000,
    level,
    last_error,
  };
}

/** Per cents are whole numbers, so the rank is exact. Null when there is nothing to rank. */
function nearestRank(sorted: readonly number[], percent: number): number | null {
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1] ?? null;
}
