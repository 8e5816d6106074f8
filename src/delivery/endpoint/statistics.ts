import type { WebhookStats } from "../../protocol/webhook-operations.ts";

/** What of an attempt is counted. */
export interface CountedAttempt {
  duration_ms: number;
  isDelivered: boolean;
  /** Whether it was not the first of its delivery. */
  isRetry: boolean;
}

/** What is known of the endpoint besides its attempts. */
export interface StatsSurroundings extends Pick<WebhookStats, "level" | "last_error"> {
  /** Length in seconds of the window that the attempts are from, above 0. */
  window_s: number;
  /** Since when the oldest delivery that is due waits, in epoch milliseconds; null when none is. */
  oldestDue: number | null;
  /** Epoch milliseconds. */
  now: number;
}

/**
 * How an endpoint has done over a window, from all attempts of that window in any order.
 *
 * Percentiles are of all durations, failures too, because a slow failure holds a slot as long as a slow success. They
 * are nearest-rank: the least duration that so many per cent of the attempts did not exceed, so always one that
 * occurred, which the interpolated quantiles of d3-array and simple-statistics need not be.
 */
export function statsOf(
  attempts: readonly CountedAttempt[],
  around: StatsSurroundings,
): WebhookStats {
  const sorted = attempts.map(({ duration_ms }) => duration_ms).toSorted((a, b) => a - b);
  const delivered = attempts.filter(({ isDelivered }) => isDelivered).length;
  return {
    window_s: around.window_s,
    attempts: attempts.length,
    delivered,
    failed: attempts.length - delivered,
    retried: attempts.filter(({ isRetry }) => isRetry).length,
    success_rate: attempts.length === 0 ? null : delivered / attempts.length,
    p50_ms: nearestRank(sorted, 50),
    p95_ms: nearestRank(sorted, 95),
    p99_ms: nearestRank(sorted, 99),
    throughput_per_s: delivered / around.window_s,
    oldest_due_age_s: ageSeconds(around),
    level: around.level,
    last_error: around.last_error,
  };
}

/** Per cents are whole numbers, so the rank is exact. Null when there is nothing to rank. */
function nearestRank(sorted: readonly number[], percent: number): number | null {
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1] ?? null;
}

function ageSeconds({ oldestDue, now }: StatsSurroundings): number | null {
  return oldestDue === null ? null : Math.max(0, now - oldestDue) / 1_000;
}
