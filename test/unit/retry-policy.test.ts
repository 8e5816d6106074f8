import { describe, expect, it } from "vitest";

import {
  DEFAULT_SCHEDULE_S,
  hopSeconds,
  retryAfterMs,
  retryDelayMs,
} from "../../src/delivery/retry-policy.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const HOUR_S = 3_600;

/** A linear congruential generator (Numerical Recipes), so that every run draws the same numbers. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

describe("the default schedule", () => {
  it("is nine retries over 75 hours", () => {
    const hours = DEFAULT_SCHEDULE_S.reduce((sum, seconds) => sum + seconds, 0) / HOUR_S;

    expect(DEFAULT_SCHEDULE_S).toEqual([
      5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ]);
    expect(hours).toBeGreaterThan(75);
    expect(hours).toBeLessThan(76);
  });

  it("is never early and at most a fifth late, over a thousand whole schedules", () => {
    const random = seeded(20_261_122);
    for (let run = 0; run < 1_000; run += 1) {
      for (const [index, seconds] of DEFAULT_SCHEDULE_S.entries()) {
        const delay = retryDelayMs(null, index + 1, random()) ?? Number.NaN;

        expect(delay).toBeGreaterThanOrEqual(seconds * 1_000);
        expect(delay).toBeLessThanOrEqual(seconds * 1_200);
      }
    }
  });

  it("spreads retries over the whole fifth", () => {
    expect([0, 0.5, 0.999_999].map((draw) => retryDelayMs(null, 2, draw))).toEqual([
      300_000, 330_000, 360_000,
    ]);
  });

  it("has no tenth retry", () => {
    expect(retryDelayMs(null, 10, 0)).toBeNull();
  });
});

describe("an endpoint's own policy", () => {
  it.each([
    [1, 7_000],
    [2, 60_000],
    [3, null],
  ])("takes retry %i from its schedule", (retry, expected) => {
    expect(retryDelayMs({ schedule: [7, 60] }, retry, 0)).toBe(expected);
  });

  it("does not retry at all with an empty schedule", () => {
    expect(retryDelayMs({ schedule: [] }, 1, 0)).toBeNull();
  });

  it.each([
    [1, 10_000],
    [2, 30_000],
    [3, 90_000],
    [4, 200_000],
    [5, 200_000],
    [6, null],
  ])("multiplies up to its cap: retry %i", (retry, expected) => {
    const policy = { base: 10, multiplier: 3, cap: 200, max_retries: 5 };

    expect(retryDelayMs(policy, retry, 0)).toBe(expected);
  });
});

describe("Retry-After", () => {
  it.each([
    ["120", 120_000],
    ["0", 0],
    [" 7 ", 7_000],
    ["86400", 86_400_000],
    ["999999999", 86_400_000],
    ["Sun, 22 Nov 2026 10:01:30 GMT", 90_000],
    ["Sun, 22 Nov 2026 09:00:00 GMT", 0],
    ["Mon, 30 Nov 2026 10:00:00 GMT", 86_400_000],
    ["-5", null],
    ["1.5", null],
    ["soon", null],
    ["", null],
    [null, null],
  ])("reads %s", (header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });
});

describe("the delay of a queue message", () => {
  it.each([
    [0, 0],
    [-5_000, 0],
    [1, 1],
    [5_000, 5],
    [5_001, 6],
    [43_200_000, 43_200],
    [43_200_001, 43_200],
    [86_400_000, 43_200],
  ])("for %i ms from now is %i s", (wait, expected) => {
    expect(hopSeconds(NOW + wait, NOW)).toBe(expected);
  });

  it("chains hops of at most 12 hours up to the longest retry, and never arrives early", () => {
    const due = NOW + 86_400_000 * 1.2;
    const hops: number[] = [];
    let now = NOW;
    while (now < due) {
      const seconds = hopSeconds(due, now);
      hops.push(seconds);
      now += seconds * 1_000;
    }

    expect(hops).toEqual([43_200, 43_200, 17_280]);
    expect(now).toBeGreaterThanOrEqual(due);
  });
});
