import { beforeEach, describe, expect, it } from "vitest";

import { BUILTIN_AGENT } from "../../src/dispatch/builtin.ts";
import { agentOf, outcomeOf } from "./pool-fixture.ts";
import { PoolWorld } from "./pool-world.ts";

let world: PoolWorld;

beforeEach(() => {
  world = new PoolWorld();
});

const holders = async (task_id: string) => {
  const names = ["ann", "bob", "sam"];
  const offers = await Promise.all(names.map((name) => world.pool.reservation(task_id, name)));
  return names.filter((_, index) => offers[index] !== null);
};

describe("finding executors", () => {
  it("prefers one that has registered, no more when it is silent for a minute, again when it calls", async () => {
    world.store.agents.addBuiltin(BUILTIN_AGENT);
    await world.announce("before");

    await world.pool.register(agentOf("ann", { slots: 3 }));
    await world.announce("registered");
    const whileOnline = [await holders("registered"), await world.claim("ann")];
    await world.pool.release("registered", 1);
    world.now += 60_001;
    await world.announce("silent");
    const whileSilent = await holders("silent");
    await world.claim("ann");
    await world.announce("back");

    expect(await holders("before")).toEqual(["sam"]);
    expect(whileOnline).toMatchObject([[], [{ task_id: "registered" }]]);
    expect(whileSilent).toEqual(["sam"]);
    expect(await holders("back")).toEqual([]);
  });

  it("pushes to one that has registered, and not when it is gone", async () => {
    await world.push("ann");
    await world.announce("t1");
    await world.pool.deregister("ann");
    await world.announce("t2");

    expect(world.pushed).toMatchObject([{ task_id: "t1", agent_id: "ann" }]);
  });
});

describe("history", () => {
  /** Two executors whose last tasks went like this; who gets the next one, and when would one after that start? */
  async function withHistory(ann: number, bob: number) {
    world = new PoolWorld();
    for (const [agent_id, duration_s] of [
      ["ann", ann],
      ["bob", bob],
    ] as const) {
      await world.push(agent_id);
      for (let number = 0; number < 5; number += 1) {
        const task_id = `${agent_id}-${number}`;
        await world.announce(task_id, { requires: { agent_id } });
        await world.pool.release(task_id, 1, agent_id, outcomeOf({ duration_s }));
      }
    }
    await world.announce("next", { objective: "fast" });
    const [agent_id] = await holders("next");
    await world.announce("fill");
    await world.announce("waits");
    const start = (await world.pool.explain("waits"))?.estimated_start ?? 0;
    return { agent_id, inSeconds: Math.round((start - world.now) / 1_000) };
  }

  it("of another kind gives the same task another executor and another estimate", async () => {
    expect(await withHistory(10, 100)).toEqual({ agent_id: "ann", inSeconds: 55 });
    expect(await withHistory(100, 50)).toEqual({ agent_id: "bob", inSeconds: 75 });
  });
});
