import { describe, expect, it } from "vitest";

import { run } from "./run.ts";

/** `SIMULATION_SEED=7` repeats one run, `SIMULATION_SEEDS=500` makes more of them. */
const only = process.env["SIMULATION_SEED"];
const count = Number(process.env["SIMULATION_SEEDS"] ?? "50");
const seeds =
  only === undefined ? Array.from({ length: count }, (_, index) => index + 1) : [Number(only)];
const STEPS = Number(process.env["SIMULATION_STEPS"] ?? "10000");

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
