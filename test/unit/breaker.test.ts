import { describe, expect, it } from "vitest";

import { BREAKER_DEFAULTS, limitsOf, rulesOf } from "../../src/delivery/breaker-state.ts";
import { disabled, resumed } from "../../src/delivery/breaker.ts";
import { DEFAULT_SCHEDULE_S } from "../../src/delivery/retry-policy.ts";
import { atLevel, DAY, DEFAULTS, HOUR, later, SECOND, START, story } from "./breaker-steps.ts";
import type { Story } from "./breaker-steps.ts";

const MINUTE = 60 * SECOND;

function levels({ changes }: Story): number[] {
  return changes.map(({ to }) => to);
}

describe("the breaker's rules", () => {
  it("are the table of defaults where a registration says nothing", () => {
    expect(rulesOf(null)).toEqual(BREAKER_DEFAULTS);
    expect(rulesOf({ open_after: 2 })).toEqual({ ...BREAKER_DEFAULTS, open_after: 2 });
  });
});

describe("the level", () => {
  it.each([
    ["stays without results", 0, "", 0],
    ["stays at one failure of nine, however large the share", 0, "x.x.x.x.x", 0],
    ["needs ten results: ten with half of them failed", 0, "x.x.x.x.x.", 2],
    ["degrades at a fifth of ten", 0, "x.x.......", 1],
    ["stays just below a fifth", 0, "x.........", 0],
    ["stays just below a half: degraded alone", 0, "xx.x.x....", 1],
    ["opens at seven of ten", 0, "xx.xx.xx.x", 3],
    ["is restricted at six of ten", 0, "xx.xx.xx..", 2],
    ["opens after five failures in a row", 0, "xxxxx", 3],
    ["stays after four in a row", 0, "xxxx", 0],
    ["stays when a success is between", 0, "xxx.xx", 0],
    ["degrades when one of ten is slow, though all are 200", 0, "s.........", 1],
    ["forgets what led to it: degraded by two failures, then one", 1, "x", 1],
    ["skips from degraded to open", 1, "xxxxx", 3],
    ["goes from degraded to restricted", 1, "x.x.x.x.x.", 2],
    ["opens from restricted", 2, "xxxxx", 3],
    ["improves after two calm windows", 1, "....................", 0],
    ["does not improve after one", 1, "..........", 1],
    ["does not improve at a tenth", 1, "x.........x.........", 1],
    ["begins again after a window that was bad", 1, "..........x...................", 1],
    ["needs two more after a bad one", 1, "x.............................", 0],
    ["does not leave degraded while slow", 1, "s.........s.........", 1],
    ["leaves restricted below a quarter", 2, "x.x.......x.x.......", 1],
    ["does not leave restricted at three tenths", 2, "x.x.x.....x.x.x.....", 2],
    ["leaves restricted though slow", 2, "ssssssssssssssssssss", 1],
    ["opens no sooner than five failures while probing", 3, "XXXXXXXXXX", 3],
    ["is restricted after three good probes", 3, "PPP", 2],
    ["stays open after two", 3, "PP", 3],
    ["stays open when one of them fails", 3, "PPXPP", 3],
    ["counts no other result while open", 3, "..........", 3],
    ["counts no manual success while open", 3, "mmmmmm", 3],
    ["stays disabled whatever comes", 4, ".PPPPPmX", 4],
    ["is moved by no number of 429s", 0, "oooooooooooooooooooo", 0],
    ["takes no 429 for a success between failures", 0, "xxoxxox", 3],
    ["takes no 429 for one of the ten results", 0, "xoxxx.....", 0],
    ["is worsened by no manual failure", 0, "MMMMMMMMMMMMMMMMMMMM", 0],
    ["is improved by manual successes", 1, "mmmmmmmmmmmmmmmmmmmm", 0],
  ] as const)("%s (from %i: %s)", (_what, from, letters, expected) => {
    expect(story(letters, { from: atLevel(from) }).state.level).toBe(expected);
  });

  it("says why it changed, with the numbers", () => {
    const failing = story("x.x.x.x.x.");
    const slow = story("s.........");
    const open = story("xxxxx");

    expect(failing.changes).toEqual([
      {
        from: 0,
        to: 2,
        why: "failed_share",
        evidence: { results: 10, failed: 5, slow: 0, in_row: 0 },
      },
    ]);
    expect(slow.changes).toMatchObject([{ why: "slow", evidence: { slow: 1, failed: 0 } }]);
    expect(open.changes).toMatchObject([{ why: "failures_in_a_row", evidence: { in_row: 5 } }]);
    expect(story("PPP", { from: open }).changes[1]).toEqual({
      from: 3,
      to: 2,
      why: "probes_succeeded",
      evidence: { probes: 3 },
    });
    expect(story(".".repeat(20), { from: atLevel(1) }).changes[1]).toEqual({
      from: 1,
      to: 0,
      why: "calm",
      evidence: { results: 10, failed: 0, slow: 0 },
    });
  });

  it("passes each step of a ramp of failures, and recovers by the same steps", () => {
    const degraded = story("x.x.......");
    const restricted = story("x.x.x.x.x.", { from: degraded });
    const open = story("xx.xx.xx.x", { from: restricted });
    const recovered = story(`PPP${".".repeat(40)}`, { from: open });

    expect(levels(recovered)).toEqual([1, 2, 3, 2, 1, 0]);
  });

  it("follows an endpoint's own thresholds", () => {
    const rules = rulesOf({ min_results: 3, degraded_share: 0.3, open_after: 2, slow_ms: 6_000 });

    expect(story("x..", { rules }).state.level).toBe(1);
    expect(story("xx", { rules }).state.level).toBe(3);
    expect(story("ssssss", { rules }).state.level).toBe(0);
  });

  it("takes more than 5 % of slow results for a slow 95th percentile, and 5 % not", () => {
    const rules = rulesOf({ min_results: 20 });

    expect(story("s...................", { rules }).state.level).toBe(0);
    expect(story("ss..................", { rules }).state.level).toBe(1);
  });

  it("does not leave restricted at a quarter exactly", () => {
    const rules = rulesOf({ min_results: 4 });

    expect(story("x...x...x...", { rules, from: atLevel(2) }).state.level).toBe(2);
    expect(story("........", { rules, from: atLevel(2) }).state.level).toBe(1);
  });

  it("counts only the last 60 s", () => {
    const failures = story("x.x.x.x.x");

    expect(story(".", { from: later(failures, 40 * SECOND) }).state.level).toBe(2);
    expect(story(".", { from: later(failures, MINUTE) }).state.level).toBe(0);
    expect(story("x", { from: later(story("xxxx"), MINUTE) }).state.level).toBe(0);
  });

  it("takes a success for the end of a row, however its failures lie in the minute", () => {
    const failures = story("xxx");

    expect(story(".xx", { from: later(failures, 10 * SECOND) }).state.level).toBe(0);
    expect(story("xx", { from: later(failures, 10 * SECOND) }).state.level).toBe(3);
  });

  it("closes a window of few results after 60 s", () => {
    const slowlyBack = story("..", { from: atLevel(1), everyMs: MINUTE });

    expect(slowlyBack.state.level).toBe(0);
    expect(story("...", { from: atLevel(1), everyMs: 20 * SECOND }).state.level).toBe(1);
  });

  it.each([0, 0.5, 0.999_999])(
    "is not opened by one delivery that fails through the default schedule (draw %d)",
    (draw) => {
      const walked = DEFAULT_SCHEDULE_S.reduce(
        (from, wait_s) => story("x", { from, everyMs: wait_s * SECOND * (1 + 0.2 * draw) }),
        story("x"),
      );

      expect(walked.changes).toEqual([]);
      expect(walked.state.failing).not.toBeNull();
    },
  );

  it("stays at 0 without a breaker, and comes back to it when that is turned off", () => {
    const rules = rulesOf({ enabled: false });
    const open = atLevel(3);

    expect(story("x".repeat(50), { rules, everyMs: HOUR * 12 }).changes).toEqual([]);
    expect(limitsOf(open.state, rules, open.now)).toMatchObject({
      probeAt: null,
      leastPriority: 0,
    });
    expect(story("x", { rules, from: open }).changes.at(-1)).toMatchObject({ from: 3, to: 0 });
    expect(story("...", { rules, from: atLevel(4) }).state.level).toBe(4);
  });
});

describe("an endpoint that only fails", () => {
  /** Probes from `from` on until `ms` have passed since START. */
  function probing(from: Story, everyMs: number, ms: number): Story {
    return story("X".repeat(Math.ceil((START + ms - from.now) / everyMs)), { from, everyMs });
  }

  it("is disabled after five days of it", () => {
    const almost = probing(story("xxxxx"), HOUR, 5 * DAY - HOUR);
    const over = probing(almost, HOUR, 5 * DAY);

    expect(almost.state.level).toBe(3);
    expect(over.state.level).toBe(4);
    expect(over.changes.at(-1)).toMatchObject({ from: 3, to: 4, why: "failing_for_days" });
    expect(over.changes.at(-1)?.evidence["failing_s"]).toBeGreaterThanOrEqual(432_000);
  });

  it("is not disabled when one probe has succeeded meanwhile", () => {
    const once = story("P", { from: probing(story("xxxxx"), HOUR, 3 * DAY) });

    expect(probing(once, HOUR, 6 * DAY).state.level).toBe(3);
  });

  it("is disabled from any level", () => {
    expect(story("xxxxxxx", { everyMs: DAY }).changes).toMatchObject([{ from: 0, to: 4 }]);
  });

  it("is not disabled for an old failure and today's alone", () => {
    const longAgo = story("xxxx");

    expect(story("x", { from: later(longAgo, 6 * DAY) }).state.level).toBe(0);
    expect(story("xx", { from: later(longAgo, 6 * DAY) }).state.level).toBe(4);
  });

  it("needs failures a tenth of the time apart where the time is short", () => {
    const rules = rulesOf({ disable_after_s: 3_600 });
    const second = (apart: number) => story("x", { rules, from: later(story("x"), apart) });
    const third = (from: Story) => story("x", { rules, from: later(from, HOUR) });

    expect(third(second(6 * MINUTE - SECOND)).state.level).toBe(0);
    expect(third(second(6 * MINUTE)).state.level).toBe(4);
  });

  it("does not count 429s and manual failures as failing", () => {
    expect(story("oMoMoMoMoMoM", { everyMs: DAY }).state.level).toBe(0);
  });
});

describe("an order", () => {
  it.each([0, 1, 2, 3] as const)("disables from level %i", (level) => {
    const { state, now } = atLevel(level);

    const step = disabled(state, now, "gone");

    expect(step.state.level).toBe(4);
    expect(step.change).toEqual({ from: level, to: 4, why: "gone", evidence: {} });
    expect(limitsOf(step.state, DEFAULTS, now)).toMatchObject({ slots: 0, probeAt: null });
  });

  it("to disable what is disabled changes nothing", () => {
    const { state, now } = atLevel(4);

    expect(disabled(state, now, "operator")).toEqual({ state, change: null });
  });

  it.each([0, 1, 2] as const)("to resume changes nothing at level %i", (level) => {
    const { state, now } = atLevel(level);

    expect(resumed(state, now)).toEqual({ state, change: null });
  });

  it.each([
    [3, null],
    [4, { from: 4, to: 3, why: "operator", evidence: {} }],
  ] as const)("to resume makes a probe due now at level %i", (level, change) => {
    const { state, now } = story("PP", { from: atLevel(level) });

    const step = resumed(state, now);

    expect(step.change).toEqual(change);
    expect(step.state).toMatchObject({ level: 3, calm: 0, failing: null });
    expect(limitsOf(step.state, DEFAULTS, now).probeAt).toBe(now);
  });

  it("to resume begins the waits for a probe anew", () => {
    const { state, now } = story("xxxxxXXXX");

    const failed = story("X", { from: { state: resumed(state, now).state, now, changes: [] } });

    expect(failed.state.probe?.at).toBe(failed.now + 30 * SECOND);
  });

  it("to resume does not lead to the next failure's disabling it again", () => {
    const longFailing = story("xxxxxxx", { everyMs: DAY });
    const resumedAt = resumed(longFailing.state, longFailing.now);

    expect(story("X", { from: { ...longFailing, state: resumedAt.state } }).state.level).toBe(3);
  });
});
