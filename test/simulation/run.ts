import type { JsonObject } from "../../src/protocol/primitives.ts";
import { Draw } from "./draw.ts";
import { World } from "./world.ts";

/** What came of a run. */
export interface RunOutcome {
  submitted: number;
  ended: number;
}

const MOST_TASKS = 25;

function request(draw: Draw): JsonObject {
  return {
    priority: draw.oneOf(["low", "normal", "normal", "high", "critical"]),
    timeout: draw.between(5, 60),
    heartbeat_timeout: draw.between(3, 20),
    stall_timeout: draw.between(5, 40),
    total_timeout: draw.between(30, 400),
    ...(draw.happens(0.2) && { queue_timeout: draw.between(5, 60) }),
    ...(draw.happens(0.4) && {
      contract: {
        budget: {
          max_cost_usd: draw.between(0, 200) / 100,
          ...(draw.happens(0.5) && { max_duration_s: draw.between(10, 100) }),
        },
      },
    }),
    execution_options: {
      ...(draw.happens(0.1) && { autonomy_level: "manual" }),
      retry_policy: { max_retries: draw.between(0, 3), retry_delay: draw.between(1, 10) },
    },
  };
}

/** Lets one thing happen in a world. Whether it was a submission. */
export async function step(world: World): Promise<boolean> {
  const { draw } = world;
  const executor = draw.oneOf(world.executors);
  const isRoom = world.tasks.size < MOST_TASKS;
  const kind = draw.weighted({
    submit: isRoom ? 8 : 0,
    claim: 18,
    work: 45,
    zombie: 5,
    stepIn: 2,
    break: 1.5,
    pass: 20,
  });
  if (kind === "submit") await world.submit(request(draw));
  else if (kind === "claim" && executor) await world.claim(executor);
  else if ((kind === "work" || kind === "zombie") && executor) {
    await world.work(executor, kind === "zombie");
  } else if (kind === "stepIn") await world.stepIn();
  else if (kind === "break") await world.breakSomething();
  else await world.pass(draw.between(1, 1_500));
  return kind === "submit";
}

/**
 * So many steps of a world that loses calls, crashes, and has zombies with clocks of their own; then it is
 * left alone until every task has ended.
 *
 * @throws BrokenLaw when something is not as promised
 */
export async function run(seed: number, steps: number): Promise<RunOutcome> {
  const draw = new Draw(seed);
  const world = new World(draw);
  let submitted = 0;
  for (let count = 1; count <= steps; count += 1) {
    if (await step(world)) submitted += 1;
    if (count % 20 === 0) await world.check();
  }
  world.calm();
  for (let minute = 0; minute < 60 && world.tasks.size > 0; minute += 1) {
    for (let second = 0; second < 12; second += 1) await world.pass(5_000);
    await world.check();
  }
  return { submitted, ended: world.ended };
}
