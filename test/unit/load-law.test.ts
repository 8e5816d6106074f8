import { beforeEach, describe, expect, it } from "vitest";

import { agentOf, outcomeOf } from "./pool-fixture.ts";
import { PoolWorld } from "./pool-world.ts";

let world: PoolWorld;

beforeEach(() => {
  world = new PoolWorld();
});

/** Executors that always wait: each asks again as soon as it has got something. */
function keepWaiting(agent_id: string, taken: Record<string, number>, isReleased: boolean): void {
  const again = async (): Promise<void> => {
    const { offers } = await world.pool.claim({ agent_id, max_tasks: 1, wait_ms: 1_000_000 });
    if (offers.length === 0) return;
    taken[agent_id] = (taken[agent_id] ?? 0) + offers.length;
    const [{ task_id, attempt } = { task_id: "", attempt: 0 }] = offers;
    if (isReleased) await world.pool.release(task_id, attempt, agent_id, outcomeOf());
    await again();
  };
  again().catch(() => {});
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

async function shareOfWaiting(weights: [number, number], isReleased: boolean) {
  const taken: Record<string, number> = {};
  for (const [index, agent_id] of ["ann", "bob"].entries()) {
    await world.pool.register(agentOf(agent_id, { slots: 100, weight: weights[index] ?? 1 }));
    keepWaiting(agent_id, taken, isReleased);
  }
  for (let number = 0; number < 100; number += 1) {
    await settled();
    world.now += 50;
    await world.announce(`t${number}`);
  }
  await settled();
  await Promise.all([world.pool.deregister("ann"), world.pool.deregister("bob")]);
  return [taken["ann"] ?? 0, taken["bob"] ?? 0];
}

async function shareOfPushed(weights: [number, number], isReleased: boolean) {
  await world.push("ann", { slots: 100, weight: weights[0] });
  await world.push("bob", { slots: 100, weight: weights[1] });
  for (let number = 0; number < 100; number += 1) {
    world.now += 50;
    await world.announce(`t${number}`);
    if (isReleased) await world.pool.release(`t${number}`, 1, undefined, outcomeOf());
  }
  return [world.takenBy()["ann"] ?? 0, world.takenBy()["bob"] ?? 0];
}

describe("100 tasks", () => {
  const table = [
    { how: "that stay held by waiting executors", share: shareOfWaiting, isReleased: false },
    { how: "that waiting executors finish at once", share: shareOfWaiting, isReleased: true },
    { how: "that stay held by push executors", share: shareOfPushed, isReleased: false },
    { how: "that push executors finish at once", share: shareOfPushed, isReleased: true },
  ];

  it.each(table)("$how are shared 50 to 50 by two equal ones", async ({ share, isReleased }) => {
    const [ann = 0, bob = 0] = await share([1, 1], isReleased);

    expect(ann + bob).toBe(100);
    expect(Math.abs(ann - 50)).toBeLessThanOrEqual(1);
  });

  it.each(table)("$how are shared 67 to 33 by weights of 2 and 1", async (row) => {
    const [ann = 0, bob = 0] = await row.share([2, 1], row.isReleased);

    expect(ann + bob).toBe(100);
    expect(Math.abs(ann - 67)).toBeLessThanOrEqual(1);
  });
});

describe("an executor that comes new", () => {
  it("takes its share and not all the others have had before it", async () => {
    await shareOfPushed([1, 1], true);
    world.pushed.length = 0;
    await world.push("cas", { slots: 100 });

    for (let number = 0; number < 30; number += 1) {
      await world.announce(`n${number}`);
      await world.pool.release(`n${number}`, 1, undefined, outcomeOf());
    }

    expect(world.takenBy()["cas"]).toBeGreaterThanOrEqual(9);
    expect(world.takenBy()["cas"]).toBeLessThanOrEqual(11);
  });
});
