import { beforeEach, describe, expect, it } from "vitest";

import { BUILTIN_AGENT } from "../../src/dispatch/builtin.ts";
import type { Placement } from "../../src/dispatch/choice/placement.ts";
import { PoolKeeper } from "../../src/dispatch/pool/pool-keeper.ts";
import type { Offer } from "../../src/dispatch/pool/pool-port.ts";
import { PoolStore } from "../../src/dispatch/pool/pool-store.ts";
import type { PoolAgent, PoolItem } from "../../src/dispatch/pool/pool.ts";
import { poolSnapshotSchema } from "../../src/protocol/pool-snapshot.ts";
import { agentOf, itemOf, NOW, outcomeOf } from "./pool-fixture.ts";

/* The real pool on a clock of the test's own, with rows that go nowhere. */

let now: number;
let store: PoolStore;
let pool: PoolKeeper;
let pushed: { task_id: string; agent_id: string }[];
let wakes: number[];
let isChannelUp: boolean;

beforeEach(() => {
  now = NOW;
  [pushed, wakes, isChannelUp] = [[], [], true];
  store = new PoolStore({ exec: () => ({ toArray: () => [] }) }, () => {});
  pool = new PoolKeeper({
    now: () => now,
    store,
    home: { tenant: "acme", pool: "p" },
    execute: async () => {},
    push: async (messages) => {
      if (!isChannelUp) throw new Error("the queue is down");
      pushed.push(...messages);
    },
    wakeAt: async (at) => {
      wakes.push(at);
    },
    log: () => {},
  });
});

const decisionOf = ({ decision }: Offer): Placement => JSON.parse(decision);
const claim = async (agent_id: string, max_tasks = 1) =>
  (await pool.claim({ agent_id, max_tasks, wait_ms: 0 })).offers;
const announce = (task_id: string, more: Partial<PoolItem> = {}) =>
  pool.announce(itemOf(task_id, { ready_at: now, ...more }));
const push = (agent_id: string, more: Partial<PoolAgent> = {}) =>
  pool.register(agentOf(agent_id, { isPush: true, ...more }));
const takenBy = () => {
  const counts: Record<string, number> = {};
  for (const { agent_id } of pushed) counts[agent_id] = (counts[agent_id] ?? 0) + 1;
  return counts;
};

/** Executors that always wait: each asks again as soon as it has got something. */
function keepWaiting(agent_id: string, taken: Record<string, number>, isReleased: boolean): void {
  const again = async (): Promise<void> => {
    const { offers } = await pool.claim({ agent_id, max_tasks: 1, wait_ms: 1_000_000 });
    if (offers.length === 0) return;
    taken[agent_id] = (taken[agent_id] ?? 0) + offers.length;
    const [{ task_id, attempt } = { task_id: "", attempt: 0 }] = offers;
    if (isReleased) await pool.release(task_id, attempt, agent_id, outcomeOf());
    await again();
  };
  again().catch(() => {});
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

async function shareOfWaiting(weights: [number, number], isReleased: boolean) {
  const taken: Record<string, number> = {};
  for (const [index, agent_id] of ["ann", "bob"].entries()) {
    await pool.register(agentOf(agent_id, { slots: 100, weight: weights[index] ?? 1 }));
    keepWaiting(agent_id, taken, isReleased);
  }
  for (let number = 0; number < 100; number += 1) {
    await settled();
    now += 50;
    await announce(`t${number}`);
  }
  await settled();
  await Promise.all([pool.deregister("ann"), pool.deregister("bob")]);
  return [taken["ann"] ?? 0, taken["bob"] ?? 0];
}

async function shareOfPushed(weights: [number, number], isReleased: boolean) {
  await push("ann", { slots: 100, weight: weights[0] });
  await push("bob", { slots: 100, weight: weights[1] });
  for (let number = 0; number < 100; number += 1) {
    now += 50;
    await announce(`t${number}`);
    if (isReleased) await pool.release(`t${number}`, 1, undefined, outcomeOf());
  }
  return [takenBy()["ann"] ?? 0, takenBy()["bob"] ?? 0];
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
    pushed = [];
    await push("cas", { slots: 100 });

    for (let number = 0; number < 30; number += 1) {
      await announce(`n${number}`);
      await pool.release(`n${number}`, 1, undefined, outcomeOf());
    }

    expect(takenBy()["cas"]).toBeGreaterThanOrEqual(9);
    expect(takenBy()["cas"]).toBeLessThanOrEqual(11);
  });
});

describe("the choice among push executors", () => {
  it("never goes above the slots, and goes on when one is free", async () => {
    await push("ann");
    await push("bob", { slots: 2 });
    for (const task_id of ["t1", "t2", "t3", "t4"]) await announce(task_id);
    const atFirst = takenBy();

    await pool.release("t1", 1, undefined, outcomeOf());

    expect(atFirst).toEqual({ ann: 1, bob: 2 });
    expect(pushed.at(-1)?.task_id).toBe("t4");
  });

  it("is flipped by capability, by health and by history, and the decision says by what", async () => {
    await push("ann", { slots: 9 });
    await push("bob", { slots: 9, capabilities: ["gpu"] });
    const chosen = async (task_id: string, more: Partial<PoolItem> = {}) => {
      await announce(task_id, more);
      const { agent_id = "" } = pushed.at(-1) ?? {};
      const offer = await pool.reservation(task_id, agent_id);
      await pool.release(task_id, 1);
      return { agent_id, decision: offer === null ? null : decisionOf(offer) };
    };

    const plain = await chosen("t1");
    const capable = await chosen("t2", { requires: { capabilities: ["gpu"] } });
    await announce("t3", { requires: { agent_id: "ann" } });
    await pool.release("t3", 1, undefined, outcomeOf({ kind: "failure", quality: 0.1 }));
    await announce("t4", { requires: { agent_id: "bob" } });
    await pool.release("t4", 1, undefined, outcomeOf({ quality: 1 }));
    const historic = await chosen("t5");
    for (let number = 0; number < 3; number += 1) await pool.pushed("bob", "failed");
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
    await push("ann", { slots: 9 });
    await push("bob", { slots: 9 });
    await announce("parent", { affinity: ["session/s"], requires: { agent_id: "bob" } });
    await pool.release("parent", 1);
    await announce("even", { requires: { agent_id: "ann" } });
    await pool.release("even", 1);

    await announce("child", { affinity: ["parent"] });
    await pool.release("child", 1);
    await announce("even2", { requires: { agent_id: "ann" } });
    await pool.release("even2", 1);
    await announce("sibling", { affinity: ["session/s"] });

    expect(pushed.filter(({ task_id }) => !task_id.startsWith("even"))).toMatchObject([
      { task_id: "parent", agent_id: "bob" },
      { task_id: "child", agent_id: "bob" },
      { task_id: "sibling", agent_id: "bob" },
    ]);
  });

  it("survives a channel that is down: the task is offered again when it announces itself again", async () => {
    await push("ann");
    isChannelUp = false;
    await announce("t1");
    isChannelUp = true;

    now += 10_001;
    await announce("t1");

    expect(pushed).toMatchObject([{ task_id: "t1", agent_id: "ann" }]);
  });
});

describe("the breaker around a push executor", () => {
  it("keeps tasks from it for 30 s after three failures, then lets one probe through", async () => {
    await push("ann", { slots: 5 });
    for (const task_id of ["t1", "t2", "t3"]) {
      await announce(task_id);
      await pool.pushed("ann", "failed");
      await pool.release(task_id, 1);
    }
    await announce("t4");
    await announce("t5");
    const whileOpen = pushed.length;

    now += 30_000;
    await pool.wake();
    const probed = pushed.slice(whileOpen).map(({ task_id }) => task_id);
    await pool.pushed("ann", "accepted");

    expect(whileOpen).toBe(3);
    expect(wakes).toEqual([NOW + 30_000]);
    expect(probed).toEqual(["t4"]);
    expect(pushed.at(-1)?.task_id).toBe("t5");
  });
});

describe("draining", () => {
  it("offers nothing more to an executor that waits, asks or is pushed to; it keeps what it has", async () => {
    await pool.register(agentOf("ann", { slots: 3 }));
    await push("bob", { slots: 3 });
    await announce("t0", { requires: { agent_id: "ann" } });
    await claim("ann");
    const waiting = pool.claim({ agent_id: "ann", max_tasks: 1, wait_ms: 60_000 });

    await pool.register(agentOf("ann", { slots: 3, isDraining: true }));
    await push("bob", { slots: 3, isDraining: true });
    await announce("t1");

    expect((await waiting).offers).toEqual([]);
    expect(await claim("ann")).toEqual([]);
    expect(pushed).toEqual([]);
    expect(await pool.presence("ann")).toMatchObject([{ slots_in_use: 1 }]);
    expect((await pool.explain("t1"))?.candidates[0]?.reasons).toContain("draining");
    await pool.register(agentOf("ann", { slots: 3 }));
    expect(await claim("ann")).toMatchObject([{ task_id: "t1" }]);
  });
});

describe("a claim that gives up a slot", () => {
  it("may have another task for it at once, and the release that comes later still counts", async () => {
    await pool.register(agentOf("ann"));
    await announce("t1");
    await announce("t2");
    await claim("ann");
    const order = { agent_id: "ann", max_tasks: 1, wait_ms: 0 };

    const full = await pool.claim(order);
    const wrong = await pool.claim({ ...order, releasing: { task_id: "t1", attempt: 2 } });
    const next = await pool.claim({ ...order, releasing: { task_id: "t1", attempt: 1 } });
    await pool.release("t1", 1, undefined, outcomeOf());

    expect([full.offers, wrong.offers]).toEqual([[], []]);
    expect(next.offers).toMatchObject([{ task_id: "t2" }]);
    expect(await pool.presence("ann")).toMatchObject([
      { slots_in_use: 1, reputation: { completed: 1 } },
    ]);
  });

  it("loses no task whose release never comes: it is offered again when its slot would have expired", async () => {
    await pool.register(agentOf("ann", { slots: 2 }));
    await announce("t1");
    await claim("ann");
    await pool.claim({
      agent_id: "ann",
      max_tasks: 1,
      wait_ms: 0,
      releasing: { task_id: "t1", attempt: 1 },
    });

    now += 60_000;

    expect(await claim("ann")).toMatchObject([{ task_id: "t1" }]);
  });
});

describe("reputation", () => {
  it("is of who held the task, once, and counts a decline", async () => {
    await pool.register(agentOf("ann"));
    await pool.register(agentOf("bob"));
    await announce("t1");
    await claim("ann");

    await announce("t1", { declined_by: ["ann"] });
    await announce("t1", { declined_by: ["ann"] });
    await claim("bob");
    await pool.release("t1", 1, undefined, outcomeOf({ kind: "failure" }));
    await pool.release("t1", 1, undefined, outcomeOf({ kind: "failure" }));

    expect(await pool.presence()).toMatchObject([
      { agent_id: "ann", reputation: { declined: 1, failed: 0 } },
      { agent_id: "bob", reputation: { declined: 0, failed: 1 } },
    ]);
  });
});

describe("a snapshot", () => {
  it("shows the pool as it is, and the next decision refers to it", async () => {
    await pool.register(agentOf("ann", { slots: 3 }));
    await push("bob", { slots: 2, task_types: ["testing"] });
    await announce("held", { ready_at: NOW - 5_000 });
    await claim("ann");
    await announce("late", { priority: "low", ready_at: NOW + 5 });
    await announce("early", { priority: "high", ready_at: NOW - 9 });

    const snapshot = await pool.snapshot();
    const [offer] = await claim("ann");

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
    await pool.register(agentOf("ann", { slots: 3 }));
    const empty = await pool.snapshot();
    await announce("t1");
    const one = await pool.snapshot();
    await pool.release("t1", 1);
    const again = await pool.snapshot();
    now += 60_001;
    const stale = await pool.snapshot();

    expect(again?.snapshot_id).toBe(empty?.snapshot_id);
    expect(new Set([empty, one, stale].map((shot) => shot?.snapshot_id)).size).toBe(3);
    expect(stale).toMatchObject({ agents_online: 0, slots_free: 0, agents: [{ state: "stale" }] });
  });

  it("is of no pool that nobody is registered in and nothing waits in", async () => {
    store.agents.addBuiltin(BUILTIN_AGENT);
    const unknown = await pool.snapshot();
    await pool.register(agentOf("ann"));
    const known = await pool.snapshot();
    await pool.deregister("ann");

    expect([unknown, await pool.snapshot()]).toEqual([null, null]);
    expect(known?.agents).toHaveLength(2);
  });
});

describe("explaining", () => {
  it("says where a task stands, when it may start and what would help", async () => {
    await pool.register(agentOf("ann"));
    await announce("done");
    await claim("ann");
    await pool.release("done", 1, undefined, outcomeOf({ duration_s: 60 }));
    for (const task_id of ["t1", "t2", "t3"]) await announce(task_id);
    await claim("ann");

    expect(await pool.explain("t3")).toMatchObject({
      state: "ready",
      position: 2,
      estimated_start: NOW + 120_000,
      unblocked_by: ["ann frees a slot"],
      candidates: [{ agent_id: "ann", fits: true, free_slots: 0, score: expect.any(Number) }],
    });
    expect(await pool.explain("t1")).toMatchObject({ state: "reserved", estimated_start: null });
    expect(await pool.explain("nothing")).toBeNull();
  });
});
