import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { statsOf, type CountedAttempt } from "../../src/delivery/endpoint/statistics.ts";
import { webhookStatsSchema } from "../../src/protocol/webhook-operations.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const AROUND = { window_s: 60, oldestDue: null, now: NOW, level: 0, last_error: null };

const attempt = (duration_ms: number, changes: Partial<CountedAttempt> = {}): CountedAttempt => ({
  duration_ms,
  isDelivered: true,
  isRetry: false,
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

    const stats = statsOf(attempts, { ...AROUND, oldestDue: NOW - 1_500, level: 1, last_error });

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

    expect(statsOf(attempts, AROUND)).toMatchObject({ p50_ms, p95_ms, p99_ms });
  });

  it("say that there is no evidence rather than none delivered", () => {
    expect(statsOf([], AROUND)).toMatchObject({
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
    expect(statsOf([], { ...AROUND, oldestDue: NOW + 5 }).oldest_due_age_s).toBe(0);
  });

  it("give percentiles that occurred and that so many did not exceed, in any order of attempts", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 30_000 }), { minLength: 1, maxLength: 60 }),
        (durations) => {
          const stats = statsOf(
            durations.map((ms) => attempt(ms)),
            AROUND,
          );

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
});
