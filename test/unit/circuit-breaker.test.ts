import { describe, expect, it } from "vitest";

import { admit, CircuitBreaker, CLOSED, settle } from "../../src/lib/circuit-breaker.ts";
import type { BreakerLimits, BreakerState } from "../../src/lib/circuit-breaker.ts";

const LIMITS: BreakerLimits = {
  failures: 5,
  slow_ms: 20,
  pause_ms: 5_000,
  longest_pause_ms: 60_000,
};

function after(
  outcomes: ("failure" | "success")[],
  now = 0,
  state: BreakerState = CLOSED,
): BreakerState {
  return outcomes.reduce(
    (before, outcome) =>
      settle(before, { kind: "call", hasFailed: outcome === "failure" }, now, LIMITS),
    state,
  );
}

const OPEN = after(Array.from({ length: 5 }, () => "failure" as const));

describe("the rules of a circuit breaker", () => {
  it("open it at the fifth failure in a row, for five seconds", () => {
    const almost = after(["failure", "failure", "failure", "failure"]);

    expect(admit(almost, 0, LIMITS).kind).toBe("call");
    expect(admit(after(["success", "failure"], 0, almost), 0, LIMITS).kind).toBe("call");
    expect(admit(after(["failure"], 0, almost), 1_000, LIMITS)).toEqual({
      kind: "refuse",
      retry_after_ms: 4_000,
    });
  });

  it("let one probe out after the pause, and the next only when it must be lost", () => {
    const probe = admit(OPEN, 5_000, LIMITS);

    expect(probe.kind).toBe("probe");
    if (probe.kind === "refuse") throw new Error("no probe");
    expect(admit(probe.state, 5_019, LIMITS).kind).toBe("refuse");
    expect(admit(probe.state, 5_020, LIMITS).kind).toBe("probe");
  });

  it("double the pause with each probe that fails, to a minute, and close it with one that does not", () => {
    const pauses: (number | null)[] = [];
    let state = OPEN;
    for (let probe = 0; probe < 5; probe += 1) {
      state = settle(state, { kind: "probe", hasFailed: true }, 0, LIMITS);
      pauses.push(state.pause_ms);
    }

    expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
    expect(settle(state, { kind: "probe", hasFailed: false }, 0, LIMITS)).toEqual(CLOSED);
  });

  it("do not care about calls that went out before it opened", () => {
    expect(after(["failure", "success"], 1, OPEN)).toEqual(OPEN);
  });
});

describe("a circuit breaker", () => {
  let now = 0;
  const breaker = () =>
    new CircuitBreaker(
      LIMITS,
      () => now,
      (error) => !(error instanceof TypeError),
    );
  const failing = () => Promise.reject(new Error("down"));

  it("gives values, and refuses at once without a call while it is open", async () => {
    const own = breaker();
    let calls = 0;

    expect(await own.run(async () => 42)).toEqual({ ok: true, value: 42 });
    for (let call = 0; call < 5; call += 1) await own.run(failing);
    const refused = await own.run(async () => (calls += 1));

    expect(own.isOpen).toBe(true);
    expect(refused).toEqual({ ok: false, refusal: { cause: null, retry_after_ms: 5_000 } });
    expect(calls).toBe(0);
    now = 5_000;
    expect(await own.run(async () => "back")).toEqual({ ok: true, value: "back" });
    expect(own.isOpen).toBe(false);
  });

  it("counts a call that takes too long as failed, and does not wait for it", async () => {
    const own = breaker();

    const calls = Array.from({ length: 5 }, () => own.run(() => new Promise(() => undefined)));

    expect((await Promise.all(calls)).every(({ ok }) => !ok)).toBe(true);
    expect(own.isOpen).toBe(true);
  });

  it("lets an error through that is not of what it calls", async () => {
    const own = breaker();

    for (let call = 0; call < 6; call += 1) {
      await expect(own.run(() => Promise.reject(new TypeError("ours")))).rejects.toThrow("ours");
    }

    expect(own.isOpen).toBe(false);
  });
});
