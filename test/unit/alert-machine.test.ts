import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  SILENT_MS,
  step,
  verdictOf,
  type Observation,
  type Step,
  type Thresholds,
  type Watch,
} from "../../src/observe/alerts/machine.ts";

const MINUTE = 60_000;
const START = Date.parse("2026-11-22T12:00:00.000Z");

const RULE: Thresholds = {
  comparison: "above",
  threshold: 10,
  clear_threshold: 5,
  for_s: 120,
  resolve_after_s: 300,
  min_samples: 10,
};

const seen = (score: number, samples: number | null = 100): Observation => ({ score, samples });
const BAD = seen(20);
const WELL = seen(1);
const BETWEEN = seen(7);

/** What has happened by minute, when a rule sees one observation a minute. */
function told(observations: readonly (Observation | null)[], rule: Thresholds = RULE): string[] {
  let watch: Watch | null = null;
  return observations.flatMap((observation, minute) => {
    const next = step(watch, observation, rule, START + minute * MINUTE);
    watch = next.watch;
    return next.happened === null ? [] : [`${minute} ${next.happened}`];
  });
}

const times = <Item>(count: number, item: Item): Item[] =>
  Array.from({ length: count }, () => item);

describe("a rule", () => {
  it("is not moved by a spike", () => {
    expect(told([WELL, BAD, WELL, BAD, BAD, WELL, WELL])).toEqual([]);
  });

  it("fires once for what goes on, within its for-duration, and resolves once", () => {
    const observations = [WELL, ...times(30, BAD), ...times(30, WELL)];

    // Bad from minute 1 on, well from minute 31 on.
    expect(told(observations)).toEqual(["3 fired", "36 resolved"]);
  });

  it("fires at once where it has no for-duration", () => {
    expect(told([BAD, BAD], { ...RULE, for_s: 0 })).toEqual(["0 fired"]);
  });

  it("does not tell anew of what swings faster than it resolves", () => {
    const swings = times(60, [BAD, WELL, WELL, WELL]).flat();

    expect(told([...times(4, BAD), ...swings])).toEqual(["2 fired"]);
  });

  it("stays as it is between its thresholds", () => {
    expect(told([...times(3, BAD), ...times(60, BETWEEN), ...times(6, WELL)])).toEqual([
      "2 fired",
      "68 resolved",
    ]);
    expect(told(times(60, BETWEEN))).toEqual([]);
  });

  it("learns nothing from too few observations", () => {
    const few = seen(20, 9);

    expect(told(times(60, few))).toEqual([]);
    // Bad in the minutes 0 and 1, and again after an hour of which nothing is known: the hour does not count.
    expect(told([BAD, ...times(60, few), BAD, BAD])).toEqual(["62 fired"]);
    expect(told(times(3, seen(20, null)))).toEqual(["2 fired"]);
  });

  it("is over when nothing was known for six hours", () => {
    const hours = SILENT_MS / MINUTE;

    expect(told([...times(3, BAD), ...times(hours + 2, null)])).toEqual([
      "2 fired",
      `${hours + 3} resolved`,
    ]);
    // What was about to fire begins anew.
    expect(told([BAD, ...times(hours + 2, null), BAD, BAD, BAD])).toEqual([`${hours + 5} fired`]);
  });

  it.each<[string, Partial<Thresholds>, number, string]>([
    ["above its threshold", {}, 10.1, "bad"],
    ["at its threshold", {}, 10, "between"],
    ["at its clear threshold", {}, 5, "well"],
    ["at its threshold, without another one", { clear_threshold: undefined }, 10, "well"],
    ["below its threshold", { comparison: "below", clear_threshold: 12 }, 9, "bad"],
    ["at the threshold that it must not fall below", { comparison: "below" }, 10, "well"],
    ["not well above", { comparison: "below", clear_threshold: 12 }, 11, "between"],
    ["well above", { comparison: "below", clear_threshold: 12 }, 12, "well"],
    ["unusual", { comparison: "anomaly" }, 11, "bad"],
    ["no number", {}, Number.NaN, "unknown"],
  ])("is judged %s", (_title, changes, score, verdict) => {
    const { clear_threshold, ...rest } = { ...RULE, ...changes };
    const rule = { ...rest, ...(clear_threshold !== undefined && { clear_threshold }) };

    expect(verdictOf(seen(score), rule)).toBe(verdict);
  });
});

const observation = fc.oneof(
  fc.constant(null),
  fc.record({
    score: fc.constantFrom(0, 5, 7, 10, 11, 50),
    samples: fc.constantFrom(null, 0, 9, 10, 1_000),
  }),
);
const rule = fc.record({
  comparison: fc.constant("above" as const),
  threshold: fc.constant(10),
  clear_threshold: fc.constantFrom(5, 10),
  for_s: fc.constantFrom(0, 60, 300),
  resolve_after_s: fc.constantFrom(0, 60, 600),
  min_samples: fc.constantFrom(0, 10),
});
const life = fc.array(fc.tuple(observation, fc.integer({ min: 1, max: 20 })), { maxLength: 200 });

/** Whoever watches a rule from outside, and notes each promise that it breaks. */
class Witness {
  readonly faults: string[] = [];
  #isFiring = false;
  #badSince: number | null = null;
  #wellSince: number | null = null;
  readonly #of: Thresholds;

  constructor(of: Thresholds) {
    this.#of = of;
  }

  see(sees: Observation | null, { watch, happened }: Step, now: number): void {
    const verdict = verdictOf(sees, this.#of);
    if (verdict !== "unknown") {
      this.#badSince = verdict === "bad" ? (this.#badSince ?? now) : null;
      this.#wellSince = verdict === "well" ? (this.#wellSince ?? now) : null;
    }
    if (happened === "fired") this.#fired(verdict, now);
    if (happened === "resolved") this.#resolved(verdict, now);
    this.#demand((watch?.phase === "firing") === this.#isFiring, "remembers what fires");
  }

  #fired(verdict: string, now: number): void {
    const badFor = now - (this.#badSince ?? now + 1);
    this.#demand(!this.#isFiring, "has one alert at a time");
    this.#demand(verdict === "bad", "fires of what is bad");
    this.#demand(badFor >= this.#of.for_s * 1_000, "waits until it is bad for long enough");
    this.#isFiring = true;
  }

  #resolved(verdict: string, now: number): void {
    const wellFor = verdict === "well" ? now - (this.#wellSince ?? now + 1) : Infinity;
    this.#demand(this.#isFiring, "resolves what fires");
    this.#demand(verdict === "well" || verdict === "unknown", "resolves of what is well");
    this.#demand(wellFor >= this.#of.resolve_after_s * 1_000, "waits until it is well for long");
    this.#isFiring = false;
  }

  #demand(isKept: boolean, promise: string): void {
    if (!isKept) this.faults.push(promise);
  }
}

describe("the machine of alerts", () => {
  it("keeps its promises in any life", () => {
    fc.assert(
      fc.property(rule, life, (of, steps) => {
        const witness = new Witness(of);
        let watch: Watch | null = null;
        let now = START;
        for (const [sees, minutes] of steps) {
          now += minutes * MINUTE;
          const next = step(watch, sees, of, now);
          witness.see(sees, next, now);
          watch = next.watch;
        }

        expect(witness.faults).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("fires for whatever stays bad, and resolves for whatever stays well, after any life", () => {
    fc.assert(
      fc.property(rule, life, (of, steps) => {
        let watch: Watch | null = null;
        let now = START;
        const look = (sees: Observation | null, minutes: number) => {
          now += minutes * MINUTE;
          const next = step(watch, sees, of, now);
          watch = next.watch;
        };
        for (const [sees, minutes] of steps) look(sees, minutes);

        for (let minute = 0; minute <= 10; minute += 1) look(seen(50), 1);
        expect(watch).toMatchObject({ phase: "firing" });
        for (let minute = 0; minute <= 15; minute += 1) look(seen(0), 1);
        expect(watch).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});
