import { describe, expect, it } from "vitest";

import { agentOf as external } from "../unit/pool-fixture.ts";
import { at, claim, forHuman, human, newPool, START } from "./pool-fixture.ts";

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
        { agent_id: "bob", reasons: expect.arrayContaining(["lacks capability human"]) },
        { agent_id: "sam", fits: false, free_slots: 4 },
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
