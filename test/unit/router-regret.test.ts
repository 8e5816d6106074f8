import { describe, expect, it } from "vitest";

import { POLICIES, routerPolicy } from "../router-policies.ts";
import { regretOf, simulate } from "../router-simulation.ts";

/* The regret test of the router on the simulator; `npm run ablation` prints the whole table. */

const SEEDS = [1, 2, 3];
const router = routerPolicy("the router", {});
const [alwaysLarge] = POLICIES;

function lineOf(setting: Parameters<typeof regretOf>[1]) {
  if (alwaysLarge === undefined) throw new Error("there is no line to compare with");
  return regretOf(alwaysLarge, setting, SEEDS);
}

describe("the regret of the router", () => {
  it("is below the line of always taking the large model, under drift and after it", () => {
    const setting = { tasks: 5_000, hasDrift: true, priors: "informed" } as const;
    const regret = regretOf(router, setting, SEEDS);

    expect(regret.mean).toBeLessThan(0.6 * lineOf(setting).mean);
    expect(regret.late).toBeLessThan(0.6 * lineOf(setting).late);
  });

  it("is below that line within 500 tasks where priors are right", () => {
    const setting = { tasks: 500, hasDrift: false, priors: "informed" } as const;

    expect(regretOf(router, setting, SEEDS).mean).toBeLessThan(0.6 * lineOf(setting).mean);
  });

  it("is hardly above it within 500 tasks where all priors are flat and wrong", () => {
    const setting = { tasks: 500, hasDrift: false, priors: "flat" } as const;

    expect(regretOf(router, setting, SEEDS).mean).toBeLessThan(lineOf(setting).mean + 0.01);
  });

  it("without exploration is below it, too: what does badly is left, and what was left comes back", () => {
    const greedy = routerPolicy("greedy", {}, 0);
    const setting = { tasks: 5_000, hasDrift: true, priors: "informed" } as const;

    expect(regretOf(greedy, setting, SEEDS).mean).toBeLessThan(lineOf(setting).mean);
  });

  it("is the same for the same seed", () => {
    const setting = { tasks: 300, hasDrift: true, priors: "informed", seed: 7 } as const;

    expect(simulate(router, setting)).toEqual(simulate(router, setting));
  });
});
