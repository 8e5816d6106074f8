import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { armFaults } from "../../src/services-faults.ts";
import { databasesOf } from "../../src/services-history.ts";
import { newsQueues } from "../../src/services-queues.ts";

const INJECTED = "injected by BATUTA_FAULTS";

/** The bindings of an installation with two databases and two queues of news, with faults from its start. */
function armed(faults: object): Env & { DB_1: D1Database; EVENTS_1: Queue } {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const world = {
    ...env,
    DB_1: env.TEST_DATABASE,
    EVENTS_1: env.TEST_EVENTS,
    BATUTA_ENVIRONMENT: "test",
    BATUTA_FAULTS: JSON.stringify({ seed: 1, until, ...faults }),
  };
  armFaults(world, []);
  return world;
}

const one = (db: D1Database) => db.prepare("SELECT 1 AS one").first("one");

describe("injected faults", () => {
  it("meet every database of history, and nothing else when only databases are to fail", async () => {
    const world = armed({ database: { fail: 1 } });

    expect(databasesOf(world).map(([binding]) => binding)).toEqual(["DB", "DB_1"]);
    await expect(one(world.DB)).rejects.toThrow(INJECTED);
    await expect(one(world.DB_1)).rejects.toThrow(INJECTED);
    await expect(world.EVENTS_1.send({})).resolves.not.toThrow();
  });

  it("keep all databases away for as long as an outage lasts", async () => {
    const hour = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
    const now = armed({ database: { outages: [{ from: hour(-1), until: hour(1) }] } });
    const over = armed({ database: { outages: [{ from: hour(-2), until: hour(-1) }] } });

    await expect(one(now.DB_1)).rejects.toThrow(INJECTED);
    await expect(one(over.DB_1)).resolves.toBe(1);
  });

  it("meet every queue of news", async () => {
    const world = armed({ queues: { fail: 1 } });

    expect(newsQueues(world)).toHaveLength(2);
    for (const queue of newsQueues(world)) {
      await expect(queue.send({})).rejects.toThrow(INJECTED);
      await expect(queue.sendBatch([{ body: {} }])).rejects.toThrow(INJECTED);
    }
    await expect(one(world.DB_1)).resolves.toBe(1);
  });

  it("are none where nobody asked for any", async () => {
    const world = { ...env, DB_1: env.TEST_DATABASE, BATUTA_FAULTS: "" };
    armFaults(world, []);

    expect(world.DB_1).toBe(env.TEST_DATABASE);
  });
});
