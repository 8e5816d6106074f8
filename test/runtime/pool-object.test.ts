import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { PoolObject } from "../../src/dispatch/pool-object.ts";
import type { PoolAgent, PoolItem } from "../../src/dispatch/pool.ts";

type Pool = DurableObjectStub<PoolObject>;

/** Tomorrow, so that no alarm that a test sets goes off by itself. */
const START = Date.now() + 86_400_000;

const external = (agent_id: string, more: Partial<PoolAgent> = {}): PoolAgent => ({
  agent_id,
  capabilities: [],
  task_types: ["general"],
  labels: {},
  slots: 1,
  weight: 1,
  isBuiltin: false,
  ...more,
});

/** Wants external executors only, so that `sam` stays out of it. */
const item = (task_id: string, more: Partial<PoolItem> = {}): PoolItem => ({
  task_id,
  attempt: 1,
  priority: "normal",
  task_type: "general",
  requires: { labels: {}, capabilities: [] },
  declined_by: [],
  ready_at: START,
  slot_seconds: 600,
  retry_delay: 30,
  ...more,
});

const human = (agent_id: string, more: Partial<PoolAgent> = {}) =>
  external(agent_id, { capabilities: ["human"], ...more });
const forHuman = (task_id: string, more: Partial<PoolItem> = {}) =>
  item(task_id, { requires: { capabilities: ["human"] }, ...more });

/** A pool that nobody else uses, at `START`; what it hands to `sam` is recorded and goes no further. */
async function newPool(...agents: PoolAgent[]): Promise<{ pool: Pool; sent: string[] }> {
  const pool = env.POOL.getByName(`acme/${crypto.randomUUID()}`);
  const sent: string[] = [];
  await runInDurableObject(pool, (instance) => {
    instance.now = () => START;
    instance.execute = async (messages) => {
      sent.push(...messages.map(({ task_id }) => task_id));
    };
  });
  for (const agent of agents) await pool.register(agent);
  return { pool, sent };
}

async function at(pool: Pool, ms: number): Promise<void> {
  await runInDurableObject(pool, (instance) => {
    instance.now = () => START + ms;
  });
}

async function claim(pool: Pool, agent_id: string, max_tasks = 1, wait_ms = 0): Promise<string[]> {
  const { offers } = await pool.claim({ agent_id, max_tasks, wait_ms });
  return offers.map(({ task_id }) => task_id);
}

/** Until the pool sees the executor wait, since a call's arrival has no other sign. */
async function untilWaiting(pool: Pool, agent_id: string): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    const explained = await pool.explain("probe");
    const candidate = explained?.candidates.find((one) => one.agent_id === agent_id);
    if (candidate?.reasons.includes("waits for a task")) return;
  }
  throw new Error(`${agent_id} never waited`);
}

/** A task that fits nobody, to see the executors by. */
const probe = item("probe", { requires: { agent_id: "nobody" } });

const alarmOf = (pool: Pool) =>
  runInDurableObject(pool, (_instance, state) => state.storage.getAlarm());

describe("offering", () => {
  it("offers a task once, also after a duplicate announcement", async () => {
    const { pool } = await newPool(human("ann", { slots: 5 }));
    await pool.announce(forHuman("t1"));
    await pool.announce(forHuman("t1"));

    const offers = [...(await claim(pool, "ann", 5)), ...(await claim(pool, "ann", 5))];
    await pool.announce(forHuman("t1"));

    expect(offers).toEqual(["t1"]);
    expect(await claim(pool, "ann", 5)).toEqual([]);
  });

  it("says with an offer why it went there", async () => {
    const { pool } = await newPool(human("ann"), external("bob"));
    await pool.announce(forHuman("t1"));

    const { offers } = await pool.claim({ agent_id: "ann", max_tasks: 1, wait_ms: 0 });

    expect(offers).toMatchObject([{ task_id: "t1", attempt: 1 }]);
    expect(JSON.parse(offers[0]?.decision ?? "")).toMatchObject({
      agent_id: "ann",
      rule: "first_claim",
      at: new Date(START).toISOString(),
      candidates: [
        { agent_id: "ann", fits: true, free_slots: 1 },
        { agent_id: "sam", fits: false, free_slots: 4 },
        { agent_id: "bob", reasons: expect.arrayContaining(["lacks capability human"]) },
      ],
    });
  });

  it("hands out critical before high, normal and low, and the earlier first inside", async () => {
    const { pool } = await newPool(human("ann", { slots: 20 }));
    const order = ["low", "normal", "critical", "high"] as const;
    for (const [index, priority] of [...order, ...order].entries()) {
      const ready_at = START + 10 - index;
      await pool.announce(forHuman(`${priority}-${index}`, { priority, ready_at }));
    }

    const drained = [...(await claim(pool, "ann", 3)), ...(await claim(pool, "ann", 10))];

    expect(drained).toEqual([
      "critical-6",
      "critical-2",
      "high-7",
      "high-3",
      "normal-5",
      "normal-1",
      "low-4",
      "low-0",
    ]);
  });

  it("never reserves more than the slots under 50 parallel announcements and claims", async () => {
    const { pool } = await newPool(human("ann", { slots: 3 }), human("bob", { slots: 4 }));
    const numbers = Array.from({ length: 50 }, (_, index) => index);

    const taken = await Promise.all(
      numbers.flatMap((number) => [
        pool.announce(forHuman(`t${number}`)).then((): string[] => []),
        claim(pool, number % 2 === 0 ? "ann" : "bob", 3, 50),
      ]),
    );

    const presence = await pool.presence();
    const inUse = presence.map(({ agent_id, slots_in_use }) => [agent_id, slots_in_use]);
    expect(Object.fromEntries(inUse)).toEqual({ ann: 3, bob: 4, sam: 0 });
    expect(taken.flat()).toHaveLength(7);
    expect(new Set(taken.flat()).size).toBe(7);
  });

  it("does not know an executor that is not registered", async () => {
    const { pool } = await newPool();

    expect(await pool.claim({ agent_id: "ann", max_tasks: 1, wait_ms: 1_000 })).toEqual({
      known: false,
      offers: [],
    });
  });

  it("keeps the slots of a deregistered executor, which can claim no more", async () => {
    const { pool } = await newPool(human("ann", { slots: 2 }));
    await pool.announce(forHuman("t1"));
    await claim(pool, "ann");

    await pool.deregister("ann");

    expect((await pool.claim({ agent_id: "ann", max_tasks: 1, wait_ms: 0 })).known).toBe(false);
    await pool.register(human("ann", { slots: 2 }));
    expect(await pool.presence("ann")).toMatchObject([{ slots_in_use: 1 }]);
  });
});

describe("attempts", () => {
  it("offers the newer attempt in place of the older and ignores the older afterwards", async () => {
    const { pool } = await newPool(human("ann", { slots: 2 }));
    await pool.announce(forHuman("t1"));
    await claim(pool, "ann");

    await pool.announce(forHuman("t1", { attempt: 2 }));
    await pool.announce(forHuman("t1", { attempt: 1 }));
    await pool.release("t1", 1);

    const { offers } = await pool.claim({ agent_id: "ann", max_tasks: 2, wait_ms: 0 });
    expect(offers).toMatchObject([{ task_id: "t1", attempt: 2 }]);
    expect(await pool.presence("ann")).toMatchObject([{ slots_in_use: 1 }]);
  });

  it("believes a reservation for 10 s, then the task that announces itself again", async () => {
    const { pool } = await newPool(human("ann"), human("bob"));
    await pool.announce(forHuman("t1"));
    await claim(pool, "ann");

    await at(pool, 10_000);
    await pool.announce(forHuman("t1"));
    const early = await claim(pool, "bob");
    await at(pool, 10_001);
    await pool.announce(forHuman("t1"));
    const late = await claim(pool, "bob");

    expect([early, late]).toEqual([[], ["t1"]]);
    expect(await pool.presence("ann")).toMatchObject([{ slots_in_use: 0 }]);
  });

  it("removes a task on release, reserved or not, and lets no other executor release it", async () => {
    const { pool } = await newPool(human("ann", { slots: 2 }));
    await pool.announce(forHuman("t1"));
    await pool.announce(forHuman("t2", { ready_at: START + 1 }));
    await claim(pool, "ann");

    await pool.release("t1", 1, "bob");
    const before = await pool.presence("ann");
    await pool.release("t1", 1);
    await pool.release("t2", 1);

    expect(before).toMatchObject([{ slots_in_use: 1, assigned: 1, released: 0 }]);
    expect(await pool.presence("ann")).toMatchObject([{ slots_in_use: 0, released: 1 }]);
    expect(await claim(pool, "ann", 2)).toEqual([]);
  });

  it("frees a slot when its lease expires and offers the task again", async () => {
    const { pool } = await newPool(human("ann"));
    await pool.announce(forHuman("t1", { slot_seconds: 30 }));
    await pool.announce(forHuman("t2", { ready_at: START + 1 }));
    await claim(pool, "ann");

    await at(pool, 29_999);
    const early = await claim(pool, "ann");
    await at(pool, 30_000);
    const late = await claim(pool, "ann");

    expect([early, late]).toEqual([[], ["t1"]]);
  });

  it("puts a task that is given back in its place, for who waits or asks next", async () => {
    const { pool } = await newPool(human("ann"), human("bob", { slots: 2 }));
    await pool.announce(forHuman("t1"));
    await pool.announce(forHuman("t2", { ready_at: START + 1 }));
    await claim(pool, "ann");

    await pool.giveBack("t1", 1, "bob");
    const foreign = await pool.presence("ann");
    await pool.giveBack("t1", 1, "ann");

    expect(foreign).toMatchObject([{ slots_in_use: 1 }]);
    expect(await claim(pool, "bob", 2)).toEqual(["t1", "t2"]);
  });
});

describe("declining", () => {
  it("keeps a declined task from its decliner while another executor fits", async () => {
    const { pool } = await newPool(human("ann"), human("bob"));
    await pool.announce(forHuman("t1"));
    await claim(pool, "ann");

    await pool.announce(forHuman("t1", { declined_by: ["ann"] }));

    expect(await claim(pool, "ann")).toEqual([]);
    expect(await claim(pool, "bob")).toEqual(["t1"]);
  });

  it("offers it again to the only one that fits, after the task's retry_delay", async () => {
    const { pool } = await newPool(human("ann"), external("bob"));
    await pool.announce(forHuman("t1", { declined_by: ["ann"] }));

    const early = await claim(pool, "ann");
    await at(pool, 30_000);

    expect(early).toEqual([]);
    expect(await claim(pool, "ann")).toEqual(["t1"]);
  });
});

describe("long poll", () => {
  it("wakes a waiting claim when a task that fits is announced", async () => {
    const { pool } = await newPool(human("ann"), external("bob"));
    await pool.announce(probe);
    const waiting = claim(pool, "ann", 1, 20_000);
    await untilWaiting(pool, "ann");

    await pool.announce(item("other", { requires: { agent_id: "bob" } }));
    await pool.announce(forHuman("t1"));

    expect(await waiting).toEqual(["t1"]);
  });

  it("serves waiting claims in the order in which they came", async () => {
    const { pool } = await newPool(human("ann"), human("bob"));
    await pool.announce(probe);
    const first = claim(pool, "bob", 1, 20_000);
    await untilWaiting(pool, "bob");
    const second = claim(pool, "ann", 1, 20_000);
    await untilWaiting(pool, "ann");

    await pool.announce(forHuman("t1"));
    await pool.announce(forHuman("t2"));

    expect(await Promise.all([first, second])).toEqual([["t1"], ["t2"]]);
  });

  it("wakes a claim that waits for a slot when one is released", async () => {
    const { pool } = await newPool(human("ann"));
    await pool.announce(probe);
    await pool.announce(forHuman("t1"));
    await pool.announce(forHuman("t2", { ready_at: START + 1 }));
    await claim(pool, "ann");
    const waiting = claim(pool, "ann", 1, 20_000);
    await untilWaiting(pool, "ann");

    await pool.release("t1", 1);

    expect(await waiting).toEqual(["t2"]);
  });

  it("wakes a claim that waits for a slot when the task of its slot goes to another attempt", async () => {
    const { pool } = await newPool(human("ann"));
    await pool.announce(probe);
    await pool.announce(forHuman("t1"));
    await pool.announce(forHuman("t2", { ready_at: START + 1 }));
    await claim(pool, "ann");
    const waiting = claim(pool, "ann", 1, 20_000);
    await untilWaiting(pool, "ann");

    await pool.announce(forHuman("t1", { attempt: 2, declined_by: ["ann"] }));

    expect(await waiting).toEqual(["t2"]);
  });

  it("answers with nothing when the time is over or the wait is stopped", async () => {
    const { pool } = await newPool(human("ann"));
    await pool.announce(probe);

    const short = await claim(pool, "ann", 1, 20);
    const order = { agent_id: "ann", max_tasks: 1, wait_ms: 20_000, claim_id: "c1" };
    const stopped = pool.claim(order);
    await untilWaiting(pool, "ann");
    await pool.stopWaiting("c1");

    expect(short).toEqual([]);
    expect(await stopped).toEqual({ known: true, offers: [] });
  });

  it("ends the wait of an executor that is deregistered", async () => {
    const { pool } = await newPool(human("ann"));
    await pool.announce(probe);
    const waiting = pool.claim({ agent_id: "ann", max_tasks: 1, wait_ms: 20_000 });
    await untilWaiting(pool, "ann");

    await pool.deregister("ann");

    expect(await waiting).toEqual({ known: false, offers: [] });
  });
});

describe("the built-in executor", () => {
  it("gets a task at once when no external executor fits", async () => {
    const { pool, sent } = await newPool(human("ann", { task_types: ["testing"] }));

    await pool.announce(item("t1"));

    expect(sent).toEqual(["t1"]);
    const offer = await pool.reservation("t1", "sam");
    expect(offer).toMatchObject({ task_id: "t1", attempt: 1 });
    expect(JSON.parse(offer?.decision ?? "")).toMatchObject({
      agent_id: "sam",
      rule: "builtin_only",
    });
    expect(await pool.reservation("t1", "ann")).toBeNull();
    expect(await alarmOf(pool)).toBeNull();
  });

  it("leaves a task for 5 s to an online executor that fits and has a free slot", async () => {
    const { pool, sent } = await newPool(external("ann"));
    await pool.announce(item("t1"));
    const early = [...sent];
    const alarm = await alarmOf(pool);

    await at(pool, 5_000);
    await runDurableObjectAlarm(pool);

    expect(early).toEqual([]);
    expect(alarm).toBe(START + 5_000);
    expect(sent).toEqual(["t1"]);
    const offer = await pool.reservation("t1", "sam");
    expect(JSON.parse(offer?.decision ?? "")).toMatchObject({ rule: "builtin_after_grace" });
  });

  it("does not wait for an executor that is silent for more than a minute, or has no free slot", async () => {
    const { pool, sent } = await newPool(external("ann"), external("bob"));
    await pool.announce(item("t1", { requires: { agent_id: "bob" } }));
    await claim(pool, "bob");
    await at(pool, 60_001);

    await pool.announce(item("t2"));

    expect(sent).toEqual(["t2"]);
    const presence = await pool.presence();
    expect(Object.fromEntries(presence.map(({ agent_id, state }) => [agent_id, state]))).toEqual({
      ann: "stale",
      bob: "online",
      sam: "online",
    });
  });

  it("lets tasks wait when its slots are taken, until one is released", async () => {
    const { pool, sent } = await newPool();
    for (let number = 0; number < 6; number += 1) {
      await pool.announce(item(`t${number}`, { ready_at: START + number }));
    }
    const atFirst = [...sent];

    await pool.release("t2", 1);

    expect(atFirst).toEqual(["t0", "t1", "t2", "t3"]);
    expect(sent.slice(4)).toEqual(["t4"]);
  });

  it("goes on by itself when a slot that nobody released expires", async () => {
    const { pool, sent } = await newPool();
    for (let number = 0; number < 5; number += 1) {
      await pool.announce(item(`t${number}`, { ready_at: START + number, slot_seconds: 90 }));
    }
    const alarm = (await alarmOf(pool)) ?? 0;

    await at(pool, alarm - START);
    await runDurableObjectAlarm(pool);

    expect(alarm - START).toBeGreaterThanOrEqual(90_000);
    expect(alarm - START).toBeLessThan(150_000);
    expect(sent).toHaveLength(8);
  });

  it("is sent a task again when the task announces itself again after 10 s, its slots full or not", async () => {
    const { pool, sent } = await newPool();
    for (let number = 0; number < 4; number += 1) await pool.announce(item(`t${number}`));

    await pool.announce(item("t3"));
    await at(pool, 10_001);
    await pool.announce(item("t3"));

    expect(sent).toEqual(["t0", "t1", "t2", "t3", "t3"]);
  });
});

describe("what a pool remembers and tells", () => {
  it("loses nothing when it is evicted", async () => {
    const pool = env.POOL.getByName(`acme/${crypto.randomUUID()}`);
    await pool.register(human("ann", { slots: 2 }));
    const ready_at = Date.now();
    for (const number of [0, 1, 2, 3]) {
      await pool.announce(forHuman(`t${number}`, { ready_at: ready_at + number }));
    }
    await claim(pool, "ann");

    await evictDurableObject(pool);

    expect(await pool.presence("ann")).toMatchObject([{ slots_in_use: 1, state: "online" }]);
    expect(await claim(pool, "ann", 5)).toEqual(["t1"]);
    await pool.release("t0", 1);
    expect(await claim(pool, "ann", 5)).toEqual(["t2"]);
  });

  it("explains where a task stands and who could take it", async () => {
    const { pool } = await newPool(external("bob"), human("ann"));
    await pool.announce(forHuman("t1"));
    await pool.announce(forHuman("t2", { priority: "high" }));

    const ready = await pool.explain("t1");
    await claim(pool, "ann");
    const reserved = await pool.explain("t2");

    expect(ready).toMatchObject({ state: "ready", position: 2, decision: null });
    expect(ready?.candidates[0]).toMatchObject({ agent_id: "ann", fits: true });
    expect(reserved).toMatchObject({ state: "reserved", position: null });
    expect(JSON.parse(reserved?.decision ?? "")).toMatchObject({ agent_id: "ann" });
    expect(await pool.explain("t3")).toBeNull();
  });

  it("writes two rows for a life with a waiting executor, three without, and sets no alarm", async () => {
    const { pool } = await newPool(human("ann", { slots: 2 }));
    await pool.announce(probe);
    const rows = await countRows(pool);
    const waiting = claim(pool, "ann", 1, 20_000);
    await untilWaiting(pool, "ann");

    await pool.announce(forHuman("t1"));
    await waiting;
    await pool.release("t1", 1);
    const whileWaiting = rows.splice(0);
    await pool.announce(forHuman("t2"));
    await claim(pool, "ann");
    await pool.announce(forHuman("t2"));
    await pool.release("t2", 1);

    expect(whileWaiting).toEqual([1, 1]);
    expect(rows).toEqual([1, 1, 1]);
    expect(await alarmOf(pool)).toBeNull();
  });

  it("writes a sign of life at most once a minute", async () => {
    const { pool } = await newPool(human("ann"));
    const rows = await countRows(pool);

    await claim(pool, "ann");
    await at(pool, 59_999);
    await pool.register(human("ann"));
    const early = rows.splice(0);
    await at(pool, 60_000);
    await claim(pool, "ann");

    expect([early, rows]).toEqual([[], [1]]);
  });
});

/** From now on, the rows that each writing statement of the pool writes. */
async function countRows(pool: Pool): Promise<number[]> {
  const rows: number[] = [];
  await runInDurableObject(pool, (_instance, { storage: { sql } }) => {
    const exec = sql.exec.bind(sql);
    sql.exec = (query, ...bindings) => {
      const cursor = exec(query, ...bindings);
      if (!query.startsWith("SELECT")) rows.push(cursor.rowsWritten);
      return cursor as never;
    };
  });
  return rows;
}
