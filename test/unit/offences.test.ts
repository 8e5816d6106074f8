import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { added, isEnough, pointsOf, sentence, type Tally } from "../../src/access/offences.ts";
import { offenceSchema } from "../../src/protocol/block.ts";

const T0 = 1_000_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

/** How many offences of one kind, evenly over so long, lead to a block; null when they never do. */
function needed(offence: Parameters<typeof pointsOf>[0], within_ms: number, factor = 1) {
  for (let count = 1; count <= 10_000; count += 1) {
    let tally: Tally | undefined;
    for (let turn = 0; turn < count; turn += 1) {
      tally = added(tally, pointsOf(offence), T0 + (turn * within_ms) / count);
    }
    if (tally !== undefined && isEnough(tally, factor)) return count;
  }
  return null;
}

describe("offences", () => {
  it.each([
    ["wrong_key", 20],
    ["forged_signature", 20],
    ["oversize", 20],
    ["malformed", 50],
    ["address_limited", 1_200],
    ["key_limited", 2_400],
  ] as const)("of the kind %s lead to a block when there are %i in a minute", (offence, count) => {
    expect(needed(offence, MINUTE - 1)).toBe(count);
  });

  it("add up over kinds", () => {
    const half = [
      ...Array<"wrong_key">(10).fill("wrong_key"),
      ...Array<"malformed">(24).fill("malformed"),
    ];
    const tally = half.reduce<Tally | undefined>(
      (sum, kind) => added(sum, pointsOf(kind), T0),
      undefined,
    );

    expect(tally && isEnough(tally, 1)).toBe(false);
    expect(isEnough(added(tally, pointsOf("malformed"), T0), 1)).toBe(true);
  });

  it("count no more when their minute is over", () => {
    const almost = { points: 2_399, since: T0 };

    expect(isEnough(added(almost, 1, T0 + MINUTE - 1), 1)).toBe(true);
    expect(added(almost, 1, T0 + MINUTE)).toEqual({ points: 1, since: T0 + MINUTE });
  });

  it("are tolerated as much more as the limits are lifted", () => {
    expect(needed("wrong_key", MINUTE - 1, 10)).toBe(200);
  });

  it("have whole points, so that they add up without rounding", () => {
    expect(offenceSchema.options.map(pointsOf).every(Number.isInteger)).toBe(true);
  });
});

describe("a block", () => {
  it("lasts a minute, then twice as long each time, and never longer than an hour", () => {
    const lengths: number[] = [];
    let former = null;
    for (let turn = 0; turn < 9; turn += 1) {
      const now: number = former === null ? T0 : former.until + 1;
      former = sentence(former, now);
      lengths.push((former.until - now) / MINUTE);
    }

    expect(lengths).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("is forgiven a day after its end", () => {
    const first = sentence(null, T0);

    expect(sentence(first, first.until + DAY - 1).times).toBe(2);
    expect(sentence(first, first.until + DAY)).toEqual({
      ...sentence(null, first.until + DAY),
      times: 1,
    });
  });

  it("always ends, whatever came before", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 * DAY }), { maxLength: 200 }), (pauses) => {
        let former = null;
        let now = T0;
        for (const pause of pauses) {
          former = sentence(former, now);
          expect(former.until - now).toBeGreaterThanOrEqual(MINUTE);
          expect(former.until - now).toBeLessThanOrEqual(HOUR);
          now = former.until + pause;
        }
      }),
    );
  });
});
