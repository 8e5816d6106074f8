import { describe, expect, it } from "vitest";

import { endReasonSchema } from "../../../src/protocol/enums.ts";
import { Draw } from "../draw.ts";
import { step } from "../run.ts";
import { temporaryRows } from "./end-laws.ts";
import { LeakWorld } from "./leak-world.ts";

/** `CRASH_SEED=7` draws other ends. */
const SEED = Number(process.env["CRASH_SEED"] ?? "1");
const TASKS = 200;

async function liveThrough(): Promise<LeakWorld> {
  const world = new LeakWorld(new Draw(SEED));
  for (let submitted = 0; submitted < TASKS;) if (await step(world)) submitted += 1;
  world.calm();
  for (let second = 0; second < 3_600 && world.tasks.size > 0; second += 5) await world.pass(5_000);
  return world;
}

describe(`${TASKS} tasks with random ends: CRASH_SEED=${SEED}`, () => {
  it("leave no slot in use, no task in the pool, no alarm and no temporary row behind", async () => {
    const world = await liveThrough();

    expect(world.ended).toBe(TASKS);
    expect([...world.reasons.keys()].toSorted()).toEqual(endReasonSchema.options.toSorted());
    expect([...world.cleared].toSorted()).toEqual(["record", "waiter"]);
    expect(await world.pool.slotsInUse()).toBe(0);
    expect(world.pool.tasks()).toEqual([]);
    expect(world.over.flatMap(({ object }) => temporaryRows(object))).toEqual([]);

    // What is left is the log, and an alarm at most for when it need not be kept any more.
    const isKept = world.over.filter(({ object }) => object.alarmAt === null);
    await world.outliveRetention();

    for (const node of world.over) {
      const { alarmAt } = node.object;
      const rows = Object.keys(node.object.rows());
      expect({ alarmAt, rows }).toEqual({
        alarmAt: null,
        rows: isKept.includes(node) ? ["record"] : [],
      });
    }
    world.close();
  }, 60_000);
});
