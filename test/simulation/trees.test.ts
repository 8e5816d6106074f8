import { describe, expect, it } from "vitest";

import { seeds, STEPS } from "./seeds.ts";
import { runTrees } from "./tree-run.ts";

describe("trees of tasks under lost calls, crashes, zombies and wrong clocks", () => {
  it.each(seeds)(
    "keep every law in 10,000 steps: SIMULATION_SEED=%s",
    async (seed) => {
      const { submitted, ended } = await runTrees(seed, STEPS);

      expect(submitted).toBeGreaterThan(STEPS / 100);
      expect(ended).toBe(submitted);
    },
    120_000,
  );
});
