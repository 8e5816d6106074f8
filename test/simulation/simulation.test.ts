import { describe, expect, it } from "vitest";

import { run } from "./run.ts";
import { seeds, stepsOf } from "./seeds.ts";

const STEPS = stepsOf(10_000);

describe("pools, tasks and executors under lost calls, crashes, zombies and wrong clocks", () => {
  it.each(seeds)(
    "keep every law in 10,000 steps: SIMULATION_SEED=%s",
    async (seed) => {
      const { submitted, ended } = await run(seed, STEPS);

      expect(submitted).toBeGreaterThan(STEPS / 100);
      expect(ended).toBe(submitted);
    },
    120_000,
  );
});
