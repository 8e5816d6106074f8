import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { earliest, rateOf, reserveUntil, taken, type Pace } from "../../src/delivery/rate-limit.ts";

const NOW = Date.parse("2026-11-22T10:00:00.123Z");
const ALONE = { index: 0, count: 1 };

function paceOf(rate: number, burst: number, shard = ALONE): Pace {
  const pace = rateOf({ rate, burst }, shard);
  if (pace === null) throw new Error("no limit");
  return pace;
}

/** When requests go that are wanted at once, in milliseconds after NOW. */
function saturated(pace: Pace, forMs: number, factor = 1): number[] {
  const sent: number[] = [];
  let tat = 0;
  for (;;) {
    const now = Math.max(NOW, earliest(pace, tat));
    if (now >= NOW + forMs) return sent;
    sent.push(now - NOW);
    tat = taken(pace, tat, now, factor);
  }
}

/** The most requests of any half-open window that long. */
function mostIn(windowMs: number, sent: readonly number[]): number {
  const sorted = sent.toSorted((a, b) => a - b);
  let first = 0;
  return sorted.reduce((most, at, last) => {
    while ((sorted[first] ?? at) <= at - windowMs) first += 1;
    return Math.max(most, last - first + 1);
  }, 0);
}

const rate = fc.oneof(
  fc.integer({ min: 1, max: 50 }),
  fc.double({ min: 0.01, max: 50, noNaN: true }),
  fc.integer({ min: 900, max: 3_000 }),
);
const burst = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 }));
const demand = fc.array(
  fc.record({
    idleMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000 })),
    requests: fc.integer({ min: 1, max: 120 }),
    factor: fc.double({ min: 0.1, max: 1, noNaN: true }),
    isCrash: fc.boolean(),
  }),
  { maxLength: 12 },
);
type Demand = typeof demand extends fc.Arbitrary<infer Value> ? Value : never;

/** When the requests of a demand go, with a crash before some of its parts. */
function served(pace: Pace, parts: Demand): number[] {
  const sent: number[] = [];
  let clock = NOW;
  let tat = 0;
  let reserved = 0;
  for (const { idleMs, requests, factor, isCrash } of parts) {
    clock += idleMs;
    if (isCrash) tat = reserved;
    for (let request = 0; request < requests; request += 1) {
      clock = Math.max(clock, earliest(pace, tat));
      tat = taken(pace, tat, clock, factor);
      reserved = reserveUntil(tat, reserved) ?? reserved;
      sent.push(clock);
    }
  }
  return sent;
}

describe("a rate limit", () => {
  it("is none where the registration has none", () => {
    expect(rateOf(null, ALONE)).toBeNull();
  });

  it.each([
    [10, 0, [0, 100, 200, 300]],
    [10, 2, [0, 0, 0, 100]],
    [3, 0, [0, 333, 666, 1_000]],
    [2_000, 0, [0, 0, 1, 1]],
    [0.5, 0, [0, 2_000, 4_000, 6_000]],
    [0.5, 1, [0, 0, 2_000, 4_000]],
  ])("of %d per second and a burst of %i lets through at %j", (perSecond, extra, expected) => {
    expect(saturated(paceOf(perSecond, extra), 10_000).slice(0, 4)).toEqual(expected);
  });

  it("is stretched by a factor, and keeps its burst", () => {
    expect(saturated(paceOf(10, 0), 3_000, 0.1)).toEqual([0, 1_000, 2_000]);
    expect(saturated(paceOf(10, 5), 1_100, 0.5)).toEqual([0, 0, 0, 100, 300, 500, 700, 900]);
  });

  it("is never exceeded in any second, whatever is asked, granted or forgotten in a crash", () => {
    fc.assert(
      fc.property(rate, burst, demand, (perSecond, extra, parts) => {
        const sent = served(paceOf(perSecond, extra), parts);

        expect(mostIn(1_000, sent)).toBeLessThanOrEqual(Math.ceil(perSecond) + extra);
      }),
      { numRuns: 500 },
    );
  });

  it("is never exceeded in any minute either", () => {
    fc.assert(
      fc.property(rate, burst, demand, (perSecond, extra, parts) => {
        const sent = served(paceOf(perSecond, extra), parts);

        expect(mostIn(60_000, sent)).toBeLessThanOrEqual(Math.ceil(perSecond * 60) + extra);
      }),
    );
  });

  it.each([0.7, 1, 3, 7, 10, 333, 999, 1_001, 9_999, 10_000])(
    "of %d per second is reached within one per cent",
    (perSecond) => {
      const sent = saturated(paceOf(perSecond, 0), 60_000);

      expect(sent.length).toBeGreaterThanOrEqual(perSecond * 60 * 0.99);
      expect(mostIn(1_000, sent)).toBeLessThanOrEqual(Math.ceil(perSecond));
    },
  );
});

describe("a limit over shards", () => {
  const shards = (count: number) => Array.from({ length: count }, (_, index) => ({ index, count }));

  it("is kept by all of them together, each at its most", () => {
    const limit = fc
      .tuple(fc.constantFrom(1, 2, 4, 8, 16), fc.integer({ min: 0, max: 400 }), burst)
      .chain(([count, above, extra]) =>
        fc.constantFrom(0, 0.25, 0.3, 0.9).map((part) => ({
          count,
          extra,
          perSecond: count + above / 4 + part,
        })),
      );
    fc.assert(
      fc.property(limit, ({ count, perSecond, extra }) => {
        const sent = shards(count).flatMap((shard) =>
          saturated(paceOf(perSecond, extra, shard), 3_000),
        );

        expect(mostIn(1_000, sent)).toBeLessThanOrEqual(Math.ceil(perSecond) + extra);
        expect(sent.length).toBeGreaterThanOrEqual(3 * perSecond * 0.99);
      }),
    );
  });

  it("deals out what can't be divided from the first shard on", () => {
    const firstSecond = shards(4).map((shard) => saturated(paceOf(10, 3, shard), 1_000).length);

    expect(firstSecond).toEqual([3 + 1, 3 + 1, 2 + 1, 2]);
  });

  it("leaves no shard without, and keeps the average, when there are more of them than requests", () => {
    const sent = shards(4).map((shard) => saturated(paceOf(2, 0, shard), 60_000).length);

    expect(sent).toEqual([30, 30, 30, 30]);
  });
});

describe("what is stored of a limit", () => {
  it("is written about once a second of a steady flow", () => {
    const pace = paceOf(100, 0);
    let tat = 0;
    let reserved = 0;
    let writes = 0;
    for (let request = 0; request < 1_000; request += 1) {
      tat = taken(pace, tat, Math.max(NOW, earliest(pace, tat)), 1);
      const next = reserveUntil(tat, reserved);
      if (next === null) continue;
      writes += 1;
      reserved = next;
    }

    expect(writes).toBe(10);
  });

  it("covers what it was written for, and one second more", () => {
    const reserved = reserveUntil(NOW, 0);

    expect(reserved).toBe(NOW + 1_000);
    expect(reserveUntil(NOW + 1_000, NOW + 1_000)).toBeNull();
    expect(reserveUntil(NOW + 1_001, NOW + 1_000)).toBe(NOW + 2_001);
  });
});
