import { describe, expect, it } from "vitest";

import {
  breakerState,
  CLOSED,
  mayPush,
  pushedTo,
  pushing,
} from "../../src/dispatch/choice/push-breaker.ts";
import type { PushBreaker } from "../../src/dispatch/choice/push-breaker.ts";

const NOW = 1_000_000;
const failed = (breaker: PushBreaker, now = NOW) => pushedTo(breaker, "failed", now);
const OPEN = failed(failed(failed(CLOSED)));

describe("the breaker of a push executor", () => {
  it("opens for 30 s at the third failure in a row, and at no sooner one", () => {
    const two = failed(failed(CLOSED));

    expect([breakerState(two, NOW), mayPush(two, NOW)]).toEqual(["closed", true]);
    expect([breakerState(OPEN, NOW), mayPush(OPEN, NOW)]).toEqual(["open", false]);
    expect(breakerState(OPEN, NOW + 29_999)).toBe("open");
    expect(breakerState(OPEN, NOW + 30_000)).toBe("half_open");
  });

  it("counts no failures that an answer lies between, be it a decline", () => {
    expect(failed(pushedTo(failed(failed(CLOSED)), "accepted", NOW)).failures).toBe(1);
    expect(failed(pushedTo(failed(failed(CLOSED)), "declined", NOW)).failures).toBe(1);
  });

  it("lets one probe through when its time has come, and another when that one is lost", () => {
    const at = NOW + 30_000;
    const probing = pushing(OPEN, at);

    expect([mayPush(OPEN, at), mayPush(probing, at)]).toEqual([true, false]);
    expect([mayPush(probing, at + 60_000), mayPush(probing, at + 60_001)]).toEqual([false, true]);
    expect(pushing(CLOSED, at)).toBe(CLOSED);
  });

  it("doubles the pause with each failed probe up to 15 minutes, and closes at a good one", () => {
    const pauses: number[] = [];
    let [breaker, now] = [OPEN, NOW];
    for (let probe = 0; probe < 8; probe += 1) {
      pauses.push(((breaker.open_until ?? 0) - now) / 1_000);
      now = breaker.open_until ?? 0;
      breaker = failed(pushing(breaker, now), now);
    }

    expect(pauses).toEqual([30, 60, 120, 240, 480, 900, 900, 900]);
    expect(pushedTo(breaker, "accepted", now)).toEqual(CLOSED);
  });

  it("stays open no longer for failures of what was on its way before", () => {
    expect(failed(OPEN, NOW + 10_000)).toEqual(OPEN);
  });
});
