import { afterAll, describe, expect, it } from "vitest";

import { planOf } from "../chaos/plans/plan.ts";
import { Draw } from "./draw.ts";
import { must } from "./laws.ts";
import { step } from "./run.ts";
import { World } from "./world.ts";

/** `CHAOS_SEED=7` repeats one plan. */
const only = process.env["CHAOS_SEED"];
const seeds =
  only === undefined ? Array.from({ length: 100 }, (_, index) => index + 1) : [Number(only)];
const plans = seeds.map((seed) => planOf(seed)).filter(({ jumps }) => jumps.length > 0);

const STEPS_BETWEEN = 60;

/** Whatever was due long ago is done by then: the executor's grace, the end phases, and their repetitions. */
const SETTLING_MS = 240_000;

/** What the logs of a world say that they should not: something before what came earlier. */
function checkTimes(world: World): void {
  for (const node of world.tasks.values()) {
    const instants = node.log().map(({ at }) => at);
    const isForward = instants.every(
      (at, index) => index === 0 || (instants[index - 1] ?? 0) <= at,
    );
    must(isForward, `the log of ${node.task_id} never goes back in time`);
  }
}

/** Lives through the jumps of a plan, with work before and after each of them. Milliseconds. */
async function jump(seed: number, jumps: readonly number[]) {
  const world = new World(new Draw(seed));
  let submitted = 0;
  const work = async (): Promise<void> => {
    for (let count = 0; count < STEPS_BETWEEN; count += 1) {
      if (await step(world)) submitted += 1;
    }
  };
  const settle = async (): Promise<void> => {
    for (let passed = 0; passed < SETTLING_MS; passed += 5_000) await world.pass(5_000);
    await world.check();
    checkTimes(world);
  };
  for (const ms of jumps) {
    await work();
    world.now += ms;
    // Some of the work meets the new time before any alarm does.
    await work();
    await settle();
  }
  world.calm();
  for (let minute = 0; minute < 60 && world.tasks.size > 0; minute += 1) await settle();
  return { submitted, ended: world.ended };
}

const moved = { jumps: 0, tasks: 0 };

describe("pools, tasks and executors whose clock jumps as the chaos plans say", () => {
  afterAll(() => {
    process.stdout.write(
      `clock_jump: ${plans.length} plans, ${moved.jumps} jumps of up to 3 h, ${moved.tasks} tasks\n`,
    );
  });

  it.each(plans.map(({ seed, jumps }) => ({ seed, jumps })))(
    "keep every law: CHAOS_SEED=$seed",
    async ({ seed, jumps }) => {
      const { submitted, ended } = await jump(seed, jumps);
      moved.jumps += jumps.length;
      moved.tasks += submitted;

      expect(submitted).toBeGreaterThan(3);
      expect(ended).toBe(submitted);
    },
    60_000,
  );
});
