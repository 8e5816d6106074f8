import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { createGuard } from "../../src/history/guard.ts";
import { Histories } from "../../src/history/shards/histories.ts";
import {
  pinTenant,
  readPinnedShards,
  readPins,
  readSettled,
} from "../../src/history/shards/shard-store.ts";
import { shardOfNew } from "../../src/history/shards/shards.ts";
import { dueIn } from "../../src/services-history.ts";
import { viewOf } from "../task-news.ts";
import { fullScans, planOf, recordingDb } from "./recording-db.ts";
import { seed } from "./tenant.ts";

await applyD1Migrations(env.TEST_DATABASE, env.TEST_MIGRATIONS);

/** Histories as an isolate that has just started has them. */
function fresh(open: readonly string[], bound: Record<string, D1Database> = {}) {
  const first = recordingDb(env.DB);
  const logged: string[] = [];
  const guard = () =>
    createGuard(
      () => 0,
      () => {},
    );
  const histories = new Histories({
    databases: Object.entries({ DB: first.db, ...bound }).map(([binding, db]) => ({
      binding,
      db,
      guard: guard(),
    })),
    open,
    pins: new Map(),
    log: (_level, event) => void logged.push(event),
  });
  return { histories, first, logged };
}

const BOTH = { DB_1: env.TEST_DATABASE };

/** Which database it is: two of them look alike to a deep comparison. */
function nameOf(db: D1Database | null): string | null {
  if (db === null) return null;
  return db === env.TEST_DATABASE ? "DB_1" : "DB";
}

describe("where the history of a tenant is", () => {
  it("is known without a row and without a read where there is one database", async () => {
    const { histories, first } = fresh([]);

    const db = await histories.of("alone");
    await histories.learn(["alone", "together"]);

    expect(db).toBe(first.db);
    expect(first.sent).toEqual([]);
  });

  it("is where the first one asked put it, whatever the list says later", async () => {
    const before = await fresh(["DB_1"], BOTH).histories.of("early");

    const after = await fresh(["DB"], BOTH).histories.of("early");
    const closed = await fresh([], BOTH).histories.of("early");

    expect([before, after, closed].map(nameOf)).toEqual(["DB_1", "DB_1", "DB_1"]);
  });

  it("is where alone its sweeps work: what lies about elsewhere is not due", async () => {
    const { histories, first } = fresh(["DB_1"], BOTH);
    await histories.of("moved-in");

    const due = await dueIn(histories, 10, async (db) => [
      { tenant: "moved-in", isHome: db !== first.db },
    ]);

    expect(due).toEqual([{ tenant: "moved-in", isHome: true }]);
  });

  it("is DB for a tenant that had some before there was a list", async () => {
    await seed("old-timer", [viewOf({ task_id: "t" })]);
    const { histories, first } = fresh(["DB_1"], BOTH);

    expect(await histories.of("old-timer")).toBe(first.db);
    expect(await readPins(env.DB, ["old-timer"])).toEqual(new Map([["old-timer", "DB"]]));
  });

  it("is asked of D1 once an isolate, and for many tenants at once", async () => {
    for (const name of ["one", "two", "three"]) await pinTenant(env.DB, name, "DB_1");
    const { histories, first } = fresh(["DB_1"], BOTH);

    await histories.learn(["one", "two", "three"]);
    for (const name of ["one", "two", "three", "one"]) await histories.of(name);

    expect(first.sent).toHaveLength(1);
  });

  it("is asked of D1 once an isolate without a list too, of who has history in DB, and nothing is written", async () => {
    for (const name of ["settled", "astray"]) await seed(name, [viewOf({ task_id: "t" })]);
    await env.DB.exec("INSERT INTO tenant_shard (tenant, shard) VALUES ('astray', 'DB_1')");
    const { histories, first } = fresh([], BOTH);

    await histories.learn(["settled", "astray", "never-seen"]);
    const known = ["settled", "astray", "never-seen"].map((name) => histories.known(name));
    const place = await histories.of("settled");

    expect(known.map(nameOf)).toEqual(["DB", "DB_1", null]);
    expect([nameOf(place), first.sent.length]).toEqual(["DB", 1]);
    expect(await readPins(env.DB, ["settled", "never-seen"])).toEqual(new Map());
  });

  it("is asked anew without a list while a tenant has none, as another deployment may pin it", async () => {
    const { histories } = fresh([], BOTH);

    const before = await histories.of("newcomer");
    await pinTenant(env.DB, "newcomer", "DB_1");
    const after = await histories.of("newcomer");

    expect([before, after].map(nameOf)).toEqual(["DB", "DB_1"]);
  });

  it("is one for two that ask at the same time with different lists", async () => {
    const tenant = "raced";
    const places = await Promise.all(
      [["DB_1"], ["DB"], ["DB_1"], ["DB"]].map((open) => fresh(open, BOTH).histories.of(tenant)),
    );

    expect(new Set(places.map((db) => db === env.TEST_DATABASE)).size).toBe(1);
  });

  it("is refused by name while its database is not bound, and never DB in its stead", async () => {
    await pinTenant(env.DB, "stranded", "DB_7");
    const { histories, logged } = fresh([], BOTH);

    const refused = histories.of("stranded");

    await expect(refused).rejects.toMatchObject({ retryable: true, retry_after: 60 });
    await expect(refused).rejects.toThrow("DB_7");
    expect(logged).toEqual(["history_database_unbound"]);
    expect(await histories.missing()).toEqual(["DB_7"]);
  });

  it("is decided for no new tenant while the list names what is not bound", async () => {
    const open = ["DB", "DB_9"];
    const tenant = Array.from({ length: 50 }, (_, index) => `undecided-${index}`).find(
      (name) => shardOfNew(name, open) === "DB",
    );
    const { histories } = fresh(open);

    await expect(histories.of(tenant ?? "")).rejects.toThrow("DB_9");
    expect(await readPins(env.DB, [tenant ?? ""])).toEqual(new Map());
  });

  it("is found by indexes alone", async () => {
    const { db, sent } = recordingDb(env.DB);

    await readPins(db, ["a", "b"]);
    await readSettled(db, ["a", "b"]);
    await pinTenant(db, "planned", "DB");
    await readPinnedShards(db);

    for (const statement of sent) {
      const plan = await planOf(env.DB, statement);
      expect(fullScans(plan)).toEqual([]);
    }
  });
});

describe("asking all databases", () => {
  it("counts what goes wrong in DB for none of the others", async () => {
    await pinTenant(env.DB, "due-elsewhere", "DB_1");
    const { histories, first } = fresh(["DB_1"], BOTH);
    const fails = () => Promise.reject(new Error("DB is down"));

    // DB does not say where the tenants are that something is due of, nor what is due in itself.
    vi.spyOn(env.DB, "prepare").mockImplementation(() => {
      throw new Error("DB is down");
    });
    for (let turn = 0; turn < 6; turn += 1) {
      await dueIn(histories, 10, (db) =>
        db === first.db ? fails() : Promise.resolve([{ tenant: "due-elsewhere" }]),
      );
    }
    vi.restoreAllMocks();
    const { found } = await histories.each(async (db) => db === first.db);

    expect(found).toEqual([false]);
  });

  it("leaves out the one that is down, says so, and fails when none answers", async () => {
    const { histories, logged } = fresh(["DB_1"], BOTH);
    const ask = (down: readonly D1Database[]) =>
      histories.each(async (db) => {
        if (down.includes(db)) throw new Error("it is down");
        return "up";
      });

    expect(await ask([env.TEST_DATABASE])).toEqual({ found: ["up"], isComplete: false });
    expect(logged).toEqual(["history_database_failed"]);
    await expect(ask(histories.databases.map(({ db }) => db))).rejects.toMatchObject({
      retryable: true,
      cause: new Error("it is down"),
    });
  });
});
