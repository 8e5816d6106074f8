import type { Draw } from "../draw.ts";
import { WorldClock } from "./clock.ts";
import { CrashWorld, calmly } from "./crash-world.ts";
import type { Manner } from "./crash-world.ts";
import { Fate, WAYS_DOWN } from "./fate.ts";
import type { Step, WayDown } from "./fate.ts";
import type { Grain } from "./incarnation.ts";
import type { Scenario } from "./scenario.ts";

/** The time of the code under test is the world's while `work` is done. */
async function atItsOwnTime<Value>(work: (clock: WorldClock) => Promise<Value>): Promise<Value> {
  const { setTimeout, clearTimeout } = globalThis;
  const clock = new WorldClock();
  Object.assign(globalThis, { setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout });
  try {
    return await work(clock);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
}

/** Lives one scenario through until nothing more happens, and looks at what is left. */
export async function liveOnce<Seen>(
  scenario: Scenario,
  manner: Manner,
  look: (world: CrashWorld) => Promise<Seen>,
): Promise<Seen> {
  return atItsOwnTime(async (clock) => {
    const world = new CrashWorld(clock, manner);
    const restore = scenario.install?.(world) ?? (() => {});
    try {
      await world.submit(scenario.changes ?? {});
      await scenario.setUp(world);
      // What the setup left to do is done: no alarm of its comes to the rescue.
      await world.pass(5_000);
      if (manner.isCold) world.evict();
      world.neighbours.trouble = scenario.trouble ?? "none";
      manner.fate.isCounting = true;
      await scenario.way(world);
      await world.untilQuiet();
      return await look(world);
    } finally {
      restore();
      world.close();
    }
  });
}

/** The steps of a run in which nothing happens to the machine. */
export async function stepsOf(scenario: Scenario, grain: Grain): Promise<Step[]> {
  const manner = { ...calmly(), grain };
  await liveOnce(scenario, manner, async () => {});
  return manner.fate.steps;
}

/** The ways down that differ at a step. A write that is late is one that never took effect. */
function waysAt(step: Step, grain: Grain): WayDown[] {
  if (grain === "write") return ["before", "after"];
  return step.kind === "call" ? [...WAYS_DOWN] : ["before", "after", "evicted"];
}

/** A run in which the machine goes down: where and how, in words that find it again. */
export interface Fall {
  title: string;
  manner: Manner;
}

function fallOf(plan: ReadonlyMap<number, WayDown>, how: Omit<Manner, "fate">): Fall {
  const downs = [...plan].map(([index, way]) => `${way} step ${index}`);
  const when = how.isCold ? "after a rest" : "on the way";
  const then = how.isPersistent ? "asked again" : "not asked again";
  const title = `down ${when} ${downs.join(" and ")}, ${then}, each ${how.grain} kept as a whole`;
  return { title, manner: { ...how, fate: new Fate(plan) } };
}

const PLAIN = { isPersistent: false, isCold: false };

/** In what else runs differ that go down in the same way. */
function mannersOf(way: WayDown, grain: Grain): Omit<Manner, "fate">[] {
  const plain = { ...PLAIN, grain };
  if (grain === "write" || way === "late" || way === "evicted") return [plain];
  const cold = { ...plain, isCold: true };
  return way === "before" ? [plain, cold] : [plain, cold, { ...plain, isPersistent: true }];
}

/** One run for each step, each way down at it, and each manner. */
export function* everyFall(steps: readonly Step[], grain: Grain): Generator<Fall> {
  for (const [index, step] of steps.entries()) {
    for (const way of waysAt(step, grain)) {
      for (const how of mannersOf(way, grain)) yield fallOf(new Map([[index, way]]), how);
    }
  }
}

/** Some runs in which the machine goes down twice. The later step is counted from the start, whatever came between. */
export function* someDoubleFalls(steps: number, draw: Draw, count: number): Generator<Fall> {
  for (let run = 0; run < count; run += 1) {
    const first = draw.between(0, steps - 1);
    const second = first + draw.between(1, steps);
    const wayOf = (): WayDown => draw.oneOf(WAYS_DOWN) ?? "after";
    const plan = new Map([
      [first, wayOf()],
      [second, wayOf()],
    ]);
    const grain = draw.happens(0.7) ? "turn" : "write";
    const how = { isPersistent: draw.happens(0.5), isCold: draw.happens(0.5) };
    yield fallOf(plan, { grain, ...how });
  }
}
