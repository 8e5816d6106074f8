import { describe, expect, it } from "vitest";

import { seeds, stepsOf } from "./seeds.ts";
import { runTrees } from "./tree-run.ts";

/** Fewer than in a flat world: a step of a tree costs about twice as much. */
const STEPS = stepsOf(4_000);

describe("trees of tasks under lost calls, crashes, zombies and wrong clocks", () => {
  it.each(seeds)(
    "keep every law in 4,000 steps: SIMULATION_SEED=%s",
    async (seed) => {
      const { submitted, ended } = await runTrees(seed, STEPS);

      expect(submitted).toBeGreaterThan(STEPS / 100);
      expect(ended).toBe(submitted);
    },
    120_000,
  );
});
