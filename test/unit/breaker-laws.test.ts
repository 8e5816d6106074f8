import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  breakerStateSchema,
  initialBreaker,
  limitsOf,
  rulesOf,
  sentLower,
  SLOT_CAPS,
  type BreakerRules,
  type BreakerState,
} from "../../src/delivery/breaker-state.ts";
import {
  afterResult,
  disabled,
  isQuiet,
  resumed,
  type BreakerStep,
} from "../../src/delivery/breaker.ts";
import { DEFAULTS, RESULTS, START } from "./breaker-steps.ts";

/** Runs of one kind, because a level is entered by many results of a kind and not by a mixture. */
const run = fc.record({
  letter: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...Object.values(RESULTS)) },
    { weight: 1, arbitrary: fc.constantFrom("resume", "disable", "lower") },
  ),
  times: fc.integer({ min: 1, max: 25 }),
  /** Now and then the clock goes back, as it may when an object moves. */
  everyMs: fc.oneof(
    fc.integer({ min: -30_000, max: 20_000 }),
    fc.constantFrom(0, 100, 60_000, 43_200_000),
  ),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});
type Run = typeof run extends fc.Arbitrary<infer Value> ? Value : never;

const share = fc.double({ min: 0.01, max: 1, noNaN: true });
const rules = fc
  .option(
    fc.record(
      {
        enabled: fc.boolean(),
        min_results: fc.integer({ min: 1, max: 20 }),
        degraded_share: share,
        restricted_share: share,
        open_share: share,
        open_after: fc.integer({ min: 1, max: 20 }),
        probe_s: fc.integer({ min: 1, max: 900 }),
        disable_after_s: fc.integer({ min: 60, max: 2_592_000 }),
      },
      { requiredKeys: [] },
    ),
    { nil: null },
  )
  .map(rulesOf);

function stepOf(state: BreakerState, { letter, random }: Run, now: number, by: BreakerRules) {
  if (letter === "resume") return resumed(state, now);
  if (letter === "disable") return disabled(state, now, "operator");
  if (letter === "lower") return { state: sentLower(state, now), change: null };
  return afterResult(state, letter, by, { now, random });
}
interface Seen {
  before: BreakerState;
  step: BreakerStep;
  now: number;
}

/** Every step of a life, with each state as it comes out of storage. */
function livedThrough(runs: readonly Run[], by: BreakerRules): Seen[] {
  const seen: Seen[] = [];
  let before = initialBreaker();
  let now = START;
  for (const each of runs) {
    for (let time = 0; time < each.times; time += 1) {
      now += each.everyMs;
      const step = stepOf(before, each, now, by);
      seen.push({ before, step, now });
      before = breakerStateSchema.parse(JSON.parse(JSON.stringify(step.state)));
    }
  }
  return seen;
}

function always(law: (seen: Seen, by: BreakerRules) => void): void {
  fc.assert(
    fc.property(fc.array(run, { maxLength: 25 }), rules, (runs, by) => {
      for (const seen of livedThrough(runs, by)) law(seen, by);
    }),
    { numRuns: 300 },
  );
}

describe("whatever comes back from an endpoint", () => {
  it("meets every level and every reason in these lives", () => {
    const met = new Set<string>();
    for (const runs of fc.sample(fc.array(run, { maxLength: 25 }), { numRuns: 500, seed: 7 })) {
      for (const { step } of livedThrough(runs, DEFAULTS)) met.add(step.change?.why ?? "none");
    }

    expect([...met].toSorted()).toEqual([
      "calm",
      "failed_share",
      "failing_for_days",
      "failures_in_a_row",
      "none",
      "operator",
      "probes_succeeded",
      "slow",
    ]);
  });

  it("the state survives storage", () => {
    always(({ step: { state } }) => {
      expect(breakerStateSchema.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
    });
  });

  it("the level gets better by one at a time, and a change is told exactly when there is one", () => {
    always(({ before, step }, by) => {
      const { level } = step.state;
      expect(step.change?.from ?? before.level).toBe(before.level);
      expect(step.change?.to ?? before.level).toBe(level);
      expect(step.change === null).toBe(level === before.level);
      expect(!by.enabled || level >= before.level - 1).toBe(true);
    });
  });

  it("the limits stay within those of the level", () => {
    always(({ step: { state }, now }, by) => {
      const limits = limitsOf(state, by, now);
      const level = by.enabled || state.level === 4 ? state.level : 0;

      expect(state.slots).toBeLessThanOrEqual(Math.max(1, SLOT_CAPS[state.level]));
      expect(limits.slots).toBeGreaterThanOrEqual(level === 4 ? 0 : 1);
      expect(limits.slots).toBeLessThanOrEqual(SLOT_CAPS[level]);
      expect(limits.rateFactor).toBeGreaterThanOrEqual(0.1);
      expect(limits.rateFactor).toBeLessThanOrEqual(1);
      expect(limits.probeAt !== null).toBe(level === 3);
      expect([0, level === 2 ? 2 : 0]).toContain(limits.leastPriority);
    });
  });

  it("a failed probe is never followed by another before the first wait", () => {
    always(({ before, step, now }, by) => {
      const wasFailure =
        before.level === 3 && (before.probe?.waits ?? 0) !== step.state.probe?.waits;
      if (!by.enabled || !wasFailure || step.state.level !== 3 || step.state.probe?.waits === 0)
        return;

      const wait = (step.state.probe?.at ?? 0) - now;
      expect(wait).toBeGreaterThanOrEqual(by.probe_s * 1_000);
      expect(wait).toBeLessThanOrEqual(900_000 * 1.2);
    });
  });

  it("a quiet state is served like an unknown one", () => {
    always(({ step: { state }, now }, by) => {
      if (!isQuiet(state, now)) return;

      expect(limitsOf(state, by, now)).toEqual(limitsOf(initialBreaker(), by, now));
    });
  });
});
