import { describe, expect, it } from "vitest";

import { injectedFaultsSchema } from "../../src/protocol/injected-faults.ts";
import { FAULT_KINDS, planOf } from "../chaos/plans/plan.ts";

const HUNDRED = Array.from({ length: 100 }, (_, index) => planOf(index + 1));

describe("fault plans", () => {
  it("are the same for the same seed, to the last byte of their JSON", () => {
    for (const plan of HUNDRED) {
      expect(JSON.stringify(planOf(plan.seed))).toBe(JSON.stringify(plan));
    }
    expect(new Set(HUNDRED.map((plan) => JSON.stringify(plan))).size).toBe(100);
  });

  it("combine kinds of faults, and a hundred of them have each kind often", () => {
    for (const { kinds } of HUNDRED) expect(kinds.length).toBeGreaterThan(1);
    for (const kind of FAULT_KINDS) {
      const own = HUNDRED.filter(({ kinds }) => kinds.includes(kind));
      expect([kind, own.length > 10]).toEqual([kind, true]);
    }
  });

  it("hold nothing of the kinds that they do not name", () => {
    const { injected, kills, outages, jumps, executor_death, receiver } = planOf(3, null);

    expect([kills, outages, jumps, executor_death]).toEqual([[], [], [], 0]);
    expect(Object.values(receiver).every((share) => share === 0)).toBe(true);
    for (const { slow_ms: _, ...shares } of [
      injected.objects,
      injected.database,
      injected.outbound,
    ]) {
      expect(Object.values(shares).every((share) => share === 0)).toBe(true);
    }
    expect(planOf(3, "kill").kills).not.toEqual([]);
  });

  it("ask of the server what BATUTA_FAULTS can say", () => {
    for (const { seed, injected } of HUNDRED) {
      const faults = { seed, until: "2026-11-27T12:00:00Z", ...injected };
      expect(injectedFaultsSchema.safeParse(faults).success).toBe(true);
    }
  });
});
