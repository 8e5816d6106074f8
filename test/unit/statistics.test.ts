import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  mergedFigures,
  statsOf,
  type EndpointFigures,
} from "../../src/delivery/endpoint/statistics.ts";
import { webhookStatsSchema } from "../../src/protocol/webhook-operations.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");

interface Counted {
  duration_ms: number;
  isDelivered: boolean;
  isRetry: boolean;
}

const attempt = (duration_ms: number, changes: Partial<Counted> = {}): Counted => ({
  duration_ms,
  isDelivered: true,
  isRetry: false,
  ...changes,
});

const figuresOf = (
  attempts: readonly Counted[],
  changes: Partial<EndpointFigures> = {},
): EndpointFigures => ({
  delivered: attempts.filter(({ isDelivered }) => isDelivered).length,
  retried: attempts.filter(({ isRetry }) => isRetry).length,
  durations: attempts.map(({ duration_ms }) => duration_ms),
  oldestDue: null,
  level: 0,
  last_error: null,
  ...changes,
});

describe("an endpoint's statistics", () => {
  it("equal a calculation by hand", () => {
    // Sorted: 15 20 35 40 50. Ranks: 0.5 × 5 = 2.5 -> 3rd; 0.95 × 5 = 4.75 -> 5th; 0.99 × 5 = 4.95 -> 5th.
    const attempts = [
      attempt(40),
      attempt(15, { isDelivered: false }),
      attempt(50, { isRetry: true, isDelivered: false }),
      attempt(20, { isRetry: true }),
      attempt(35),
    ];
    const last_error = {
      at: "2026-11-22T09:59:30.000Z",
      status_code: 503,
      error_class: "server_error",
    };

    const stats = statsOf(
      figuresOf(attempts, { oldestDue: NOW - 1_500, level: 1, last_error }),
      60,
      NOW,
    );

    expect(stats).toEqual({
      window_s: 60,
      attempts: 5,
      delivered: 3,
      failed: 2,
      retried: 2,
      success_rate: 0.6,
      p50_ms: 35,
      p95_ms: 50,
      p99_ms: 50,
      throughput_per_s: 0.05,
      oldest_due_age_s: 1.5,
      level: 1,
      last_error,
    });
    expect(webhookStatsSchema.parse(stats)).toEqual(stats);
  });

  it.each([
    [1, 1, 1, 1],
    [2, 1, 2, 2],
    [20, 10, 19, 20],
    [21, 11, 20, 21],
    [100, 50, 95, 99],
    [101, 51, 96, 100],
    [200, 100, 190, 198],
  ])("rank durations of 1 to %i ms as %i, %i and %i", (count, p50_ms, p95_ms, p99_ms) => {
    const attempts = Array.from({ length: count }, (_, index) => attempt(count - index));

    expect(statsOf(figuresOf(attempts), 60, NOW)).toMatchObject({ p50_ms, p95_ms, p99_ms });
  });

  it("say that there is no evidence rather than none delivered", () => {
    expect(statsOf(figuresOf([]), 60, NOW)).toMatchObject({
      attempts: 0,
      success_rate: null,
      p50_ms: null,
      p95_ms: null,
      p99_ms: null,
      throughput_per_s: 0,
      oldest_due_age_s: null,
    });
  });

  it("never show a negative age when the clocks differ", () => {
    expect(statsOf(figuresOf([], { oldestDue: NOW + 5 }), 60, NOW).oldest_due_age_s).toBe(0);
  });

  it("give percentiles that occurred and that so many did not exceed, in any order of attempts", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 30_000 }), { minLength: 1, maxLength: 60 }),
        (durations) => {
          const stats = statsOf(figuresOf(durations.map((ms) => attempt(ms))), 60, NOW);

          for (const [percent, value] of [
            [50, stats.p50_ms],
            [95, stats.p95_ms],
            [99, stats.p99_ms],
          ] as const) {
            const within = durations.filter((ms) => ms <= (value ?? -1)).length;
            const below = durations.filter((ms) => ms < (value ?? -1)).length;

            expect(durations).toContain(value);
            expect(within * 100).toBeGreaterThanOrEqual(percent * durations.length);
            expect(below * 100).toBeLessThan(percent * durations.length);
          }
        },
      ),
    );
  });

  it("of several shards are those of all: the worst level, the newest error, the oldest due", () => {
    const errorAt = (at: string) => ({ at, status_code: 500, error_class: "server_error" });
    const one = figuresOf([attempt(5)], { level: 1, oldestDue: 9, last_error: errorAt("2026-02") });
    const two = figuresOf([attempt(7, { isDelivered: false, isRetry: true })], {
      oldestDue: 4,
      last_error: errorAt("2026-03"),
    });

    expect(mergedFigures([one, two, figuresOf([])])).toEqual({
      delivered: 1,
      retried: 1,
      durations: [5, 7],
      level: 1,
      oldestDue: 4,
      last_error: errorAt("2026-03"),
    });
  });
});
