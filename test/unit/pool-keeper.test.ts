import { beforeEach, describe, expect, it } from "vitest";

import { BUILTIN_AGENT } from "../../src/dispatch/builtin.ts";
import type { Placement } from "../../src/dispatch/choice/placement.ts";
import type { Offer } from "../../src/dispatch/pool/pool-port.ts";
import type { PoolItem } from "../../src/dispatch/pool/pool.ts";
import { poolSnapshotSchema } from "../../src/protocol/pool-snapshot.ts";
import { agentOf, NOW, outcomeOf } from "./pool-fixture.ts";
import { PoolWorld } from "./pool-world.ts";

let world: PoolWorld;

beforeEach(() => {
  world = new PoolWorld();
});

const decisionOf = ({ decision }: Offer): Placement => JSON.parse(decision);
describe("the choice among push executors", () => {
  it("never goes above the slots, and goes on when one is free", async () => {
    await world.push("ann");
    await world.push("bob", { slots: 2 });
    for (const task_id of ["t1", "t2", "t3", "t4"]) await world.announce(task_id);
    const atFirst = world.takenBy();

    await world.pool.release("t1", 1, undefined, outcomeOf());

    expect(atFirst).toEqual({ ann: 1, bob: 2 });
    expect(world.pushed.at(-1)?.task_id).toBe("t4");
  });

  it("is flipped by capability, by health and by history, and the decision says by what", async () => {
    await world.push("ann", { slots: 9 });
    await world.push("bob", { slots: 9, capabilities: ["gpu"] });
    const chosen = async (task_id: string, more: Partial<PoolItem> = {}) => {
      await world.announce(task_id, more);
      const { agent_id = "" } = world.pushed.at(-1) ?? {};
      const offer = await world.pool.reservation(task_id, agent_id);
      await world.pool.release(task_id, 1);
      return { agent_id, decision: offer === null ? null : decisionOf(offer) };
    };

    const plain = await chosen("t1");
    // So that all but what is asked for is equal again, and the name would decide.
    await chosen("t1b", { requires: { agent_id: "bob" } });
    const capable = await chosen("t2", { requires: { capabilities: ["gpu"] } });
    await world.announce("t3", { requires: { agent_id: "ann" } });
    await world.pool.release("t3", 1, undefined, outcomeOf({ kind: "failure", quality: 0.1 }));
    await world.announce("t4", { requires: { agent_id: "bob" } });
    await world.pool.release("t4", 1, undefined, outcomeOf({ quality: 1 }));
    const historic = await chosen("t5");
    for (let number = 0; number < 3; number += 1) await world.pool.pushed("bob", "failed");
    const healthy = await chosen("t6");

    expect([plain.agent_id, capable.agent_id, historic.agent_id, healthy.agent_id]).toEqual([
      "ann",
      "bob",
      "bob",
      "ann",
    ]);
    expect(historic.decision).toMatchObject({ agent_id: "bob", rule: "best_score" });
    const [bob, ann] = historic.decision?.candidates ?? [];
    expect(bob?.parts?.history).toBeGreaterThan(ann?.parts?.history ?? 1);
    expect(healthy.decision?.candidates[1]?.reasons).toContain(
      "its breaker is open after failed pushes",
    );
  });

  it("keeps to the executor that had the parent or the session, other things being equal", async () => {
    await world.push("ann", { slots: 9 });
    await world.push("bob", { slots: 9 });
    await world.announce("parent", { affinity: ["session/s"], requires: { agent_id: "bob" } });
    await world.pool.release("parent", 1);
    await world.announce("even", { requires: { agent_id: "ann" } });
    await world.pool.release("even", 1);

    await world.announce("child", { affinity: ["parent"] });
    await world.pool.release("child", 1);
    await world.announce("even2", { requires: { agent_id: "ann" } });
    await world.pool.release("even2", 1);
    await world.announce("sibling", { affinity: ["session/s"] });

    expect(world.pushed.filter(({ task_id }) => !task_id.startsWith("even"))).toMatchObject([
      { task_id: "parent", agent_id: "bob" },
      { task_id: "child", agent_id: "bob" },
      { task_id: "sibling", agent_id: "bob" },
    ]);
  });

  it("survives a channel that is down: the task is offered again when it announces itself again", async () => {
    await world.push("ann");
    world.isChannelUp = false;
    await world.announce("t1");
    world.isChannelUp = true;

    world.now += 10_001;
    await world.announce("t1");

    expect(world.pushed).toMatchObject([{ task_id: "t1", agent_id: "ann" }]);
  });
});

describe("the breaker around a push executor", () => {
  it("keeps tasks from it for 30 s after three failures, then lets one probe through", async () => {
    await world.push("ann", { slots: 5 });
    for (const task_id of ["t1", "t2", "t3"]) {
      await world.announce(task_id);
      await world.pool.pushed("ann", "failed");
      await world.pool.release(task_id, 1);
    }
    await world.announce("t4");
    await world.announce("t5");
    const whileOpen = world.pushed.length;

    world.now += 30_000;
    await world.pool.wake();
    const probed = world.pushed.slice(whileOpen).map(({ task_id }) => task_id);
    await world.pool.pushed("ann", "accepted");

    expect(whileOpen).toBe(3);
    expect(world.wakes).toEqual([NOW + 30_000]);
    expect(probed).toEqual(["t4"]);
    expect(world.pushed.at(-1)?.task_id).toBe("t5");
  });
});

describe("draining", () => {
  it("offers nothing more to an executor that waits, asks or is pushed to; it keeps what it has", async () => {
    await world.pool.register(agentOf("ann", { slots: 3 }));
    await world.push("bob", { slots: 3 });
    await world.announce("t0", { requires: { agent_id: "ann" } });
    await world.claim("ann");
    const waiting = world.pool.claim({ agent_id: "ann", max_tasks: 1, wait_ms: 60_000 });

    await world.pool.register(agentOf("ann", { slots: 3, isDraining: true }));
    await world.push("bob", { slots: 3, isDraining: true });
    await world.announce("t1");

    expect((await waiting).offers).toEqual([]);
    expect(await world.claim("ann")).toEqual([]);
    expect(world.pushed).toEqual([]);
    expect(await world.pool.presence("ann")).toMatchObject([{ slots_in_use: 1 }]);
    expect((await world.pool.explain("t1"))?.candidates[0]?.reasons).toContain("draining");
    await world.pool.register(agentOf("ann", { slots: 3 }));
    expect(await world.claim("ann")).toMatchObject([{ task_id: "t1" }]);
  });
});

describe("a claim that gives up a slot", () => {
  it("may have another task for it at once, and the release that comes later still counts", async () => {
    await world.pool.register(agentOf("ann"));
    await world.announce("t1");
    await world.announce("t2");
    await world.claim("ann");
    const order = { agent_id: "ann", max_tasks: 1, wait_ms: 0 };

    const full = await world.pool.claim(order);
    const wrong = await world.pool.claim({ ...order, releasing: { task_id: "t1", attempt: 2 } });
    const next = await world.pool.claim({ ...order, releasing: { task_id: "t1", attempt: 1 } });
    await world.pool.release("t1", 1, undefined, outcomeOf());

    expect([full.offers, wrong.offers]).toEqual([[], []]);
    expect(next.offers).toMatchObject([{ task_id: "t2" }]);
    expect(await world.pool.presence("ann")).toMatchObject([
      { slots_in_use: 1, reputation: { completed: 1 } },
    ]);
  });

  it("loses no task whose release never comes: it is offered again when its slot would have expired", async () => {
    await world.pool.register(agentOf("ann", { slots: 2 }));
    await world.announce("t1");
    await world.claim("ann");
    await world.pool.claim({
      agent_id: "ann",
      max_tasks: 1,
      wait_ms: 0,
      releasing: { task_id: "t1", attempt: 1 },
    });

    world.now += 60_000;

    expect(await world.claim("ann")).toMatchObject([{ task_id: "t1" }]);
  });
});

describe("reputation", () => {
  it("is of who held the task, once, and counts a decline", async () => {
    await world.pool.register(agentOf("ann"));
    await world.pool.register(agentOf("bob"));
    await world.announce("t1");
    await world.claim("ann");

    await world.announce("t1", { declined_by: ["ann"] });
    await world.announce("t1", { declined_by: ["ann"] });
    await world.claim("bob");
    await world.pool.release("t1", 1, undefined, outcomeOf({ kind: "failure" }));
    await world.pool.release("t1", 1, undefined, outcomeOf({ kind: "failure" }));

    expect(await world.pool.presence()).toMatchObject([
      { agent_id: "ann", reputation: { declined: 1, failed: 0 } },
      { agent_id: "bob", reputation: { declined: 0, failed: 1 } },
    ]);
  });
});

describe("a snapshot", () => {
  it("shows the pool as it is, and the next decision refers to it", async () => {
    await world.pool.register(agentOf("ann", { slots: 3 }));
    await world.push("bob", { slots: 2, task_types: ["testing"] });
    await world.announce("held", { ready_at: NOW - 5_000 });
    await world.claim("ann");
    await world.announce("late", { priority: "low", ready_at: NOW + 5 });
    await world.announce("early", { priority: "high", ready_at: NOW - 9 });

    const snapshot = await world.pool.snapshot();
    const [offer] = await world.claim("ann");

    expect(poolSnapshotSchema.parse(snapshot)).toMatchObject({
      pool: "p",
      at: "1970-01-01T00:16:40.000Z",
      ready: { critical: 0, high: 1, normal: 0, low: 1 },
      oldest_ready_at: "1970-01-01T00:16:39.991Z",
      reserved: 1,
      agents_online: 2,
      slots_free: 4,
      agents: [
        { agent_id: "ann", state: "online", slots: 3, slots_in_use: 1, breaker: null },
        { agent_id: "bob", state: "online", slots: 2, slots_in_use: 0, breaker: "closed" },
      ],
    });
    expect(offer && decisionOf(offer)).toMatchObject({
      snapshot_id: snapshot?.snapshot_id,
      ready: 2,
      agents_online: 2,
      slots_free: 4,
    });
  });

  it("has the same name for the same state, however it came about, and another for another", async () => {
    await world.pool.register(agentOf("ann", { slots: 3 }));
    const empty = await world.pool.snapshot();
    await world.announce("t1");
    const one = await world.pool.snapshot();
    await world.pool.release("t1", 1);
    const again = await world.pool.snapshot();
    world.now += 60_001;
    const stale = await world.pool.snapshot();

    expect(again?.snapshot_id).toBe(empty?.snapshot_id);
    expect(new Set([empty, one, stale].map((shot) => shot?.snapshot_id)).size).toBe(3);
    expect(stale).toMatchObject({ agents_online: 0, slots_free: 0, agents: [{ state: "stale" }] });
  });

  it("is of no pool that nobody is registered in and nothing waits in", async () => {
    world.store.agents.addBuiltin(BUILTIN_AGENT);
    const unknown = await world.pool.snapshot();
    await world.pool.register(agentOf("ann"));
    const known = await world.pool.snapshot();
    await world.pool.deregister("ann");

    expect([unknown, await world.pool.snapshot()]).toEqual([null, null]);
    expect(known?.agents).toHaveLength(2);
  });
});

describe("explaining", () => {
  it("says where a task stands, when it may start and what would help", async () => {
    await world.pool.register(agentOf("ann"));
    await world.announce("done");
    await world.claim("ann");
    await world.pool.release("done", 1, undefined, outcomeOf({ duration_s: 60 }));
    for (const task_id of ["t1", "t2", "t3"]) await world.announce(task_id);
    await world.claim("ann");

    expect(await world.pool.explain("t3")).toMatchObject({
      state: "ready",
      position: 2,
      estimated_start: NOW + 120_000,
      unblocked_by: ["ann frees a slot"],
      candidates: [{ agent_id: "ann", fits: true, free_slots: 0, score: expect.any(Number) }],
    });
    expect(await world.pool.explain("t1")).toMatchObject({
      state: "reserved",
      estimated_start: null,
    });
    expect(await world.pool.explain("nothing")).toBeNull();
  });
});
