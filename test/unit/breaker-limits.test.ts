import { describe, expect, it } from "vitest";

import { initialBreaker, limitsOf, rulesOf, sentLower } from "../../src/delivery/breaker-state.ts";
import { isQuiet } from "../../src/delivery/breaker.ts";
import { atLevel, DAY, DEFAULTS, later, SECOND, story } from "./breaker-steps.ts";
import type { Story } from "./breaker-steps.ts";

describe("probes", () => {
  const probeAt = ({ state, now }: Story) => (limitsOf(state, DEFAULTS, now).probeAt ?? 0) - now;

  it.each([
    ["xxxxx", 0, 30],
    ["xxxxx", 0.5, 33],
    ["xxxxxX", 0, 60],
    ["xxxxxXX", 0, 120],
    ["xxxxxXXXX", 0, 480],
    ["xxxxxXXXXX", 0, 900],
    ["xxxxxXXXXX", 0.5, 990],
    [`xxxxx${"X".repeat(2_000)}`, 0, 900],
    ["xxxxxO", 0, 30],
    ["xxxxxXO", 0, 60],
    ["xxxxxP", 0.5, 0],
  ])("after %s with draw %d are due in %d s", (letters, random, seconds) => {
    expect(probeAt(story(letters, { random }))).toBe(seconds * SECOND);
  });

  it("wait at most thirty times the first wait", () => {
    const rules = rulesOf({ probe_s: 2 });

    expect(probeAt(story("xxxxxXXXXXXXXX", { rules }))).toBe(60 * SECOND);
  });

  it("are never a fraction of a millisecond early", () => {
    expect(probeAt(story("xxxxx", { random: 0.000_001 }))).toBe(30_001);
  });

  it("are the one request in flight, of any priority, at the full rate", () => {
    const { state, now } = atLevel(3);

    expect(limitsOf(state, DEFAULTS, now)).toMatchObject({
      slots: 1,
      rateFactor: 1,
      leastPriority: 0,
    });
  });
});

describe("the slots", () => {
  it.each([
    ["", 6, 1],
    ["o", 3, 0.5],
    ["oo", 1, 1 / 6],
    ["ooo", 1, 1 / 6],
    ["o.........", 3, 0.5],
    ["o..........", 4, 4 / 6],
    [`o${".".repeat(30)}`, 6, 1],
    [`o${".".repeat(99)}`, 6, 1],
    ["o.........x.........", 3, 0.5],
    ["oo.........o.........", 1, 1 / 6],
    ["x.x.......", 3, 0.5],
    ["x.x.......o", 1, 1 / 6],
    ["x.x.x.x.x.", 1, 0.1],
  ])("after %s are %i, with %d of the rate", (letters, slots, rateFactor) => {
    const { state, now } = story(letters);

    expect(limitsOf(state, DEFAULTS, now)).toMatchObject({ slots, rateFactor });
  });

  it("come back one by one, ten successes each", () => {
    const slots: number[] = [];
    let at = atLevel(3);
    at = story("PPP", { from: at });
    for (let round = 0; round < 9; round += 1) {
      at = story("..........", { from: at });
      slots.push(limitsOf(at.state, DEFAULTS, at.now).slots);
    }

    expect(slots).toEqual([1, 1, 2, 3, 4, 5, 6, 6, 6]);
  });

  it("are won by successes of the present level alone", () => {
    const slowlyBack = story("o..", { from: atLevel(1), everyMs: 60 * SECOND });
    const slots = (letters: string) => story(letters, { from: slowlyBack }).state.slots;

    expect(slowlyBack.state.level).toBe(0);
    expect([slots("........."), slots("..........")]).toEqual([1, 2]);
  });
});

describe("priorities at level 2", () => {
  it("are the high ones alone until nothing was sent for half a second", () => {
    const { state, now } = atLevel(2);

    expect(limitsOf(state, DEFAULTS, now + 499)).toMatchObject({
      leastPriority: 2,
      lowerAt: now + 500,
    });
    expect(limitsOf(state, DEFAULTS, now + 500)).toMatchObject({
      leastPriority: 0,
      lowerAt: null,
    });
  });

  it("are the high ones again once a lower one was sent, or any answer came", () => {
    const { state, now } = atLevel(2);
    const sentAt = now + 3_000;
    const answered = story(".", { from: { state, now, changes: [] }, everyMs: 3_000 });

    expect(limitsOf(sentLower(state, sentAt), DEFAULTS, sentAt).leastPriority).toBe(2);
    expect(limitsOf(answered.state, DEFAULTS, answered.now).leastPriority).toBe(2);
  });

  it("do not matter at other levels", () => {
    for (const level of [0, 1, 3] as const) {
      const { state, now } = atLevel(level);

      expect(limitsOf(sentLower(state, now), DEFAULTS, now).leastPriority).toBe(0);
    }
  });
});

describe("whether a state need not be stored", () => {
  it.each([
    ["of which nothing is known", story(""), true],
    ["after successes alone", story("............"), true],
    ["after a failure", story("x"), false],
    ["after a failure and a success", story("x."), false],
    ["a minute after a failure and a success", later(story("x."), 60 * SECOND), true],
    ["a day after a failure alone", later(story("x"), DAY), false],
    ["after a slow success", story("s"), false],
    ["with slots to win back", later(story("o"), DAY), false],
    ["at level 1", atLevel(1), false],
    ["at level 4", atLevel(4), false],
  ])("is told of one %s", (_what, { state, now }, expected) => {
    expect(isQuiet(state, now)).toBe(expected);
  });

  it("is served as if nothing were known", () => {
    const { state, now } = story("............");

    expect(limitsOf(state, DEFAULTS, now)).toEqual(limitsOf(initialBreaker(), DEFAULTS, now));
  });
});
