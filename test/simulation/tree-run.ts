import { Draw } from "./draw.ts";
import type { Executor } from "./executor.ts";
import type { RunOutcome } from "./run.ts";
import { TreeWorld } from "./tree-world.ts";

const MOST_OPEN = 30;

/** How often each thing happens, compared with the others. */
const WEIGHTS = {
  plant: 8,
  claim: 18,
  work: 45,
  zombie: 4,
  offer: 2,
  repeat: 2,
  stepIn: 1.5,
  stopMany: 0.05,
  break: 1.5,
  pass: 20,
};

type Kind = keyof typeof WEIGHTS;

async function happen(kind: Kind, world: TreeWorld, executor: Executor): Promise<void> {
  const happenings: Record<Kind, () => Promise<void>> = {
    plant: async () => {
      if ((await world.open()) < MOST_OPEN) await world.plant();
    },
    claim: () => world.claim(executor),
    work: () => world.work(executor, false),
    zombie: () => world.work(executor, true),
    offer: () => world.offer(executor),
    repeat: () => world.repeat(),
    stepIn: () => world.stepIn(),
    stopMany: () => world.stopMany(),
    break: () => world.breakSomething(),
    pass: () => world.pass(world.draw.between(1, 1_500)),
  };
  await happenings[kind]();
}

/**
 * So many steps of a world of trees, then it is left alone until every task has ended.
 *
 * @throws BrokenLaw when something is not as promised
 */
export async function runTrees(
  seed: number,
  steps: number,
): Promise<RunOutcome & { tally: ReadonlyMap<string, number> }> {
  const world = new TreeWorld(new Draw(seed));
  for (let count = 1; count <= steps; count += 1) {
    const executor = world.draw.oneOf(world.executors);
    if (executor !== undefined) await happen(world.draw.weighted(WEIGHTS), world, executor);
    if (count % 20 === 0) await world.check();
  }
  world.calm();
  for (let second = 0; second < 3_600 && world.tasks.size > 0; second += 1) {
    await world.pass(1_000);
    if (second % 20 === 0) await world.check();
  }
  const { submitted, ended, tally } = world;
  return { submitted, ended, tally };
}
