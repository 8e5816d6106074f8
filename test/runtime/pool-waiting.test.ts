import { runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, it } from "vitest";

import { agentOf as external } from "../unit/pool-fixture.ts";
import {
  alarmOf,
  at,
  claim,
  forHuman,
  human,
  item,
  newPool,
  probe,
  START,
  untilWaiting,
} from "./pool-fixture.ts";

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

  it("serves the better of two waiting claims first, and the other next, whoever came first", async () => {
    const { pool } = await newPool(human("ann"), human("bob"));
    await pool.announce(probe);
    const first = claim(pool, "bob", 1, 20_000);
    await untilWaiting(pool, "bob");
    const second = claim(pool, "ann", 1, 20_000);
    await untilWaiting(pool, "ann");

    await pool.announce(forHuman("t1"));
    await pool.announce(forHuman("t2"));

    expect(await Promise.all([first, second])).toEqual([["t2"], ["t1"]]);
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
