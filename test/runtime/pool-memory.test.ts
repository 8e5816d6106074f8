import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { agentOf as external, outcomeOf } from "../unit/pool-fixture.ts";
import {
  alarmOf,
  at,
  claim,
  forHuman,
  human,
  item,
  newPool,
  probe,
  untilWaiting,
} from "./pool-fixture.ts";
import type { Pool } from "./pool-fixture.ts";

describe("what a pool remembers and tells", () => {
  it("loses nothing when it is evicted", async () => {
    const pool: Pool = env.POOL.getByName(`acme/${crypto.randomUUID()}`);
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
    await pool.announce(forHuman("t2"));
    await claim(pool, "ann");
    await pool.announce(forHuman("t2"));
    await pool.release("t2", 1);

    expect(whileWaiting).toEqual([1, 1]);
    expect(rows).toEqual([1, 1, 1]);
    expect(await alarmOf(pool)).toBeNull();
  });

  it("writes two rows for a life that the built-in executor takes at once, and sets no alarm", async () => {
    const { pool, sent } = await newPool();
    const rows = await countRows(pool);

    await pool.announce(item("t1"));
    await pool.announce(item("t1"));
    await pool.release("t1", 1);

    expect([rows, sent, await alarmOf(pool)]).toEqual([[1, 1], ["t1"], null]);
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
  it("remembers how a burst of work went after it was evicted, for one row a minute", async () => {
    const { pool } = await newPool(human("ann"));
    const work = async (task_id: string, ms: number) => {
      await at(pool, ms);
      await pool.announce(forHuman(task_id));
      await claim(pool, "ann");
      await pool.release(task_id, 1, "ann", outcomeOf());
    };
    const rows = await countRows(pool);

    await work("t1", 1_000);
    const first = rows.splice(0);
    await work("t2", 59_000);
    const second = rows.splice(0);
    await evictDurableObject(pool);

    expect([first, second]).toEqual([
      [1, 1, 1, 1],
      [1, 1, 1],
    ]);
    expect(await pool.presence("ann")).toMatchObject([
      { assigned: 1, released: 1, reputation: { completed: 1 } },
    ]);
  });

  it("remembers with a sign of life what it has learnt since, and that it is written", async () => {
    const { pool } = await newPool(human("ann"));
    const rows = await countRows(pool);
    for (const [task_id, ms] of [
      ["t1", 1_000],
      ["t2", 59_000],
      ["t3", 61_500],
      ["t4", 119_000],
    ] as const) {
      await at(pool, ms);
      await pool.announce(forHuman(task_id));
      await claim(pool, "ann");
      await pool.release(task_id, 1, "ann", outcomeOf());
    }

    await evictDurableObject(pool);

    // Twelve for the four tasks, one for the first outcome, one for the second with the claim of t3.
    expect(rows).toHaveLength(14);
    expect(await pool.presence("ann")).toMatchObject([{ reputation: { completed: 2 } }]);
  });
});

/** From now on, the rows that each writing statement of the pool writes. */
async function countRows(pool: Pool): Promise<number[]> {
  const rows: number[] = [];
  await runInDurableObject(pool, (_instance, { storage: { sql } }) => {
    const exec: SqlStorage["exec"] = sql.exec.bind(sql);
    sql.exec = <Row extends Record<string, SqlStorageValue>>(
      query: string,
      ...bindings: unknown[]
    ) => {
      const cursor = exec<Row>(query, ...bindings);
      if (!query.startsWith("SELECT")) rows.push(cursor.rowsWritten);
      return cursor;
    };
  });
  return rows;
}
