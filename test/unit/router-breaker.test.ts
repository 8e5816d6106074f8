import { describe, expect, it } from "vitest";

import {
  afterFault,
  afterProbe,
  breakerStateOf,
  type ModelBreaker,
} from "../../src/executor/router/breaker.ts";

const MINUTE = 60_000;

/** A breaker after failures at these instants. */
function failing(instants: readonly number[], isProbe = false): ModelBreaker {
  const last = instants.reduce<ModelBreaker | null>(
    (before, now) => afterFault(before, { isProbe, now }),
    null,
  );
  if (last === null) throw new Error("nothing failed");
  return last;
}

describe("the breaker of a model", () => {
  it("opens after three failures in a row, for half a minute", () => {
    const open = failing([0, 1, 2]);

    expect(breakerStateOf(failing([0, 1]), 3)).toBe("closed");
    expect([breakerStateOf(open, 3), breakerStateOf(open, 30_001)]).toEqual(["open", "open"]);
    expect(breakerStateOf(open, 30_002)).toBe("probe");
  });

  it("forgets a failure that ten minutes have passed since", () => {
    expect(breakerStateOf(failing([0, 1, 10 * MINUTE + 2]), 10 * MINUTE + 3)).toBe("closed");
    expect(breakerStateOf(failing([0, 1, 10 * MINUTE + 1]), 10 * MINUTE + 2)).toBe("open");
  });

  it("lets one probe out at a time, and pauses twice as long where that fails", () => {
    const probing = afterProbe(failing([0, 1, 2]), 30_002);
    const failed = afterFault(probing, { isProbe: true, now: 31_000 });

    expect(breakerStateOf(probing, 30_003)).toBe("open");
    // Its caller was never heard of again.
    expect(breakerStateOf(probing, 30_002 + 2 * MINUTE)).toBe("probe");
    expect(breakerStateOf(failed, 31_000 + 59_999)).toBe("open");
    expect(breakerStateOf(failed, 31_000 + MINUTE)).toBe("probe");
  });

  it("stays as it is when a question fails that went out before it opened", () => {
    const open = failing([0, 1, 2]);

    expect(afterFault(open, { isProbe: false, now: 20_000 })).toMatchObject({
      pause_ms: open.pause_ms,
      probe_at: open.probe_at,
    });
  });
});
