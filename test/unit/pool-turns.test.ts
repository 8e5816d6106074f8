import { beforeEach, describe, expect, it } from "vitest";

import { BUILTIN_AGENT } from "../../src/dispatch/builtin.ts";
import { mayTake } from "../../src/dispatch/choice/fit.ts";
import { agentOf, itemOf, NOW } from "./pool-fixture.ts";
import { PoolWorld } from "./pool-world.ts";

/* Whose turn it is, in the pool that src/dispatch/pool/pool-keeper.ts keeps. */

let world: PoolWorld;

beforeEach(() => {
  world = new PoolWorld();
});

describe("a task that the built-in executor does only in part", () => {
  it("waits for the busy executor that does it whole, until that one leaves", async () => {
    world.store.agents.addBuiltin(BUILTIN_AGENT);
    await world.pool.register(agentOf("ann", { task_types: ["code_debugging"] }));
    await world.announce("t0", { task_type: "code_debugging" });
    await world.claim("ann");

    world.now += 60_000;
    await world.announce("t1", { task_type: "code_debugging" });
    const waiting = await world.pool.explain("t1");
    await world.pool.deregister("ann");

    expect(waiting).toMatchObject({ state: "ready", unblocked_by: ["ann frees a slot"] });
    expect(await world.pool.reservation("t1", "sam")).toMatchObject({ task_id: "t1" });
  });
});

describe("an executor that waits twice", () => {
  it("has its task on the newer claim, for its former self may have left the older one behind", async () => {
    await world.pool.register(agentOf("ann", { slots: 2 }));
    const order = { agent_id: "ann", max_tasks: 1, wait_ms: 60_000 };
    const older = world.pool.claim(order);
    const newer = world.pool.claim(order);

    await world.announce("t1");
    await world.announce("t2");

    expect((await newer).offers).toMatchObject([{ task_id: "t1" }]);
    expect((await older).offers).toMatchObject([{ task_id: "t2" }]);
  });
});

describe("an executor that gave a task back", () => {
  it("counts the delay from when the task was given back, not from when it began to wait", () => {
    const returned = itemOf("t", { declined_by: ["ann"], free_again_at: NOW + 5_000 });
    const at = (now: number) => mayTake(agentOf("ann"), returned, { members: [], now });

    expect([at(NOW + 34_999), at(NOW + 35_000)]).toEqual([false, true]);
  });

  it("has it again exactly after the delay when it waits and nobody else fits", async () => {
    await world.pool.register(agentOf("ann"));
    await world.announce("t1");
    await world.claim("ann");
    await world.announce("t1", { attempt: 2, declined_by: ["ann"], retry_delay: 5 });
    const order = { agent_id: "ann", max_tasks: 1, wait_ms: 20_000 };

    const waiting = world.pool.claim(order);
    await expect.poll(() => world.wakes).toEqual([NOW + 5_000]);
    world.now += 5_000;
    await world.pool.wake();

    expect((await waiting).offers).toMatchObject([{ task_id: "t1", attempt: 2 }]);
  });

  it("has each of several again when its time has come, where tasks are pushed to it", async () => {
    await world.push("ann", { slots: 2 });
    for (const task_id of ["t1", "t2"]) await world.announce(task_id);
    await world.announce("t1", { attempt: 2, declined_by: ["ann"], retry_delay: 5 });
    await world.announce("t2", { attempt: 2, declined_by: ["ann"], retry_delay: 9 });
    world.pushed.length = 0;

    for (const at of [NOW + 5_000, NOW + 9_000]) {
      expect(world.wakes).toContain(at);
      world.now = at;
      await world.pool.wake();
    }

    expect(world.pushed.map(({ task_id }) => task_id)).toEqual(["t1", "t2"]);
  });

  it("is not woken for while somebody else fits that is there", async () => {
    await world.push("ann");
    await world.pool.register(agentOf("bob"));
    await world.announce("t1", { declined_by: ["ann"] });

    expect(world.wakes).toEqual([]);
  });
});
