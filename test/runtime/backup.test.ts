import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { queryOf } from "../../src/backup/backup-store.ts";
import { beginBackup, goOn, manifestOf, type BackupPorts } from "../../src/backup/backup.ts";
import { restore } from "../../src/backup/restore.ts";
import { describeDatabase } from "../../src/backup/rows/schema.ts";
import { BACKED_TABLES, DERIVED_TABLES, undecided } from "../../src/backup/rows/tables.ts";
import { createSealer } from "../../src/lib/seal.ts";
import type { BackupManifest } from "../../src/protocol/backup.ts";
import { sweepBackups } from "../../src/services-backup.ts";
import { SEAL_KEY } from "../sealer.ts";
import { T0 } from "../task-news.ts";
import { allRows, emptyDatabase, fill, newestBackup, restorePorts } from "./backup-world.ts";
import { DAY_MS, WITH } from "./past-tasks.ts";

const SEALER = createSealer([SEAL_KEY]);
const BUCKET = env.TEST_ARCHIVE;
const HOUR_MS = 3_600_000;

type Put = (key: string, text: string) => Promise<unknown>;

/** The installation with a bucket that does something else when it is written to. */
const withBucket = (put: Put): Env => ({ ...WITH, ARCHIVE: { put } }) as unknown as Env;

/** Sweeps until a backup that begins at `at` is finished, whatever number of runs it takes. */
async function backUp(at: number): Promise<BackupManifest> {
  const before = (await newestBackup(BUCKET))?.backup_id;
  for (let run = 0; run < 50; run += 1) {
    await sweepBackups(WITH, () => at);
    const newest = await newestBackup(BUCKET);
    if (newest !== null && newest.backup_id !== before) return newest;
  }
  throw new Error("no backup was finished in 50 runs");
}

const countsOf = (rows: Record<string, unknown[]>): Record<string, number> =>
  Object.fromEntries(Object.entries(rows).map(([name, of]) => [name, of.length]));

describe("every table of the migrations", () => {
  it("is in a backup, or named as derived", async () => {
    const names = Object.keys(await allRows(env.DB));

    expect(undecided(names)).toEqual([]);
    const decided = [...BACKED_TABLES.map(({ name }) => name), ...Object.keys(DERIVED_TABLES)];
    expect(decided.toSorted()).toEqual(names.toSorted());
  });

  it("that nobody has decided about is told of, and named in the manifest", async () => {
    const db = await emptyDatabase();
    await db.prepare("CREATE TABLE later (id TEXT PRIMARY KEY)").run();

    const { unknown } = await describeDatabase("DB_1", queryOf(db));

    expect(unknown).toEqual(["later"]);
    await db.prepare("DROP TABLE later").run();
  });
});

describe("a backup", () => {
  it("comes back into an empty database row by row: the same counts, the same contents", async () => {
    for (const { name } of BACKED_TABLES) await fill(env.DB, name, 9);
    await env.DB.prepare(
      "UPDATE task SET view = ?1, events = ?1 WHERE seq = (SELECT min(seq) FROM task)",
    )
      .bind(`${"ü🙂'\u0000".repeat(60_000)}`)
      .run();
    const manifest = await backUp(T0);
    const db = await emptyDatabase();

    const restored = await restore(restorePorts(db, BUCKET, manifest), manifest, "DB");

    const [before, after] = [await allRows(env.DB), await allRows(db)];
    delete before["sweep_cursor"];
    delete after["sweep_cursor"];
    expect(countsOf(after)).toEqual(countsOf(before));
    expect(Object.values(countsOf(after)).every((count) => count >= 9)).toBe(true);
    expect(after).toEqual(before);
    expect(restored).toMatchObject({ tables: countsOf(before), withheld: 0 });
  });

  it("is written in bounded runs, each of which goes on where the one before it stopped", async () => {
    await fill(env.DB, "dead_letter", 1_200, 100);
    const files = new Map<string, string>();
    const ports: BackupPorts = {
      now: () => T0,
      sources: [{ binding: "DB", query: queryOf(env.DB) }],
      put: async (file, text) => void files.set(file, text),
      save: async () => true,
    };
    let progress = await beginBackup(ports);
    let runs = 0;

    for (; manifestOf(progress, T0) === null; runs += 1) {
      progress = (await goOn(ports, progress, 1)) ?? progress;
    }

    expect(runs).toBeGreaterThan(BACKED_TABLES.length);
    const letters = progress.databases[0]?.tables.find(({ name }) => name === "dead_letter");
    expect(letters?.rows).toBe(
      await env.DB.prepare("SELECT count(*) AS n FROM dead_letter").first("n"),
    );
    const ids = (letters?.parts ?? []).flatMap(({ file }) =>
      (files.get(file) ?? "").split("\n").slice(0, -1),
    );
    expect(new Set(ids).size).toBe(letters?.rows);
  });

  it("that a failure cuts off goes on, and holds nothing twice", async () => {
    const begin = T0 + DAY_MS;
    let puts = 0;
    const put = (key: string, text: string) => {
      puts += 1;
      return puts === 4 ? Promise.reject(new Error("R2 is away")) : BUCKET.put(key, text);
    };
    const broken = withBucket(put);

    await expect(sweepBackups(broken, () => begin)).rejects.toThrow("R2 is away");
    const manifest = await backUp(begin + HOUR_MS);

    expect(manifest.started_at).toBe(new Date(begin).toISOString());
    const parts = manifest.databases.flatMap(({ tables }) => tables.flatMap((one) => one.parts));
    expect(new Set(parts.map(({ file }) => file)).size).toBe(parts.length);
    const db = await emptyDatabase();
    await restore(restorePorts(db, BUCKET, manifest), manifest, "DB");
  });

  it("is made by one of two runs at the same time, and the other one stops", async () => {
    const begin = T0 + 2 * DAY_MS;
    let isFirst = true;
    const put = async (key: string, text: string) => {
      if (isFirst) {
        isFirst = false;
        // A row changes between the two, so that their files differ.
        await env.DB.prepare("UPDATE api_key SET name = 'other' WHERE key_id LIKE '%1'").run();
        await sweepBackups(WITH, () => begin);
      }
      return BUCKET.put(key, text);
    };

    await sweepBackups(withBucket(put), () => begin);
    const manifest = await newestBackup(BUCKET);

    expect(manifest?.started_at).toBe(new Date(begin).toISOString());
    if (manifest === null) throw new Error("no backup");
    const db = await emptyDatabase();
    await restore(restorePorts(db, BUCKET, manifest), manifest, "DB");
  });

  it("holds no secret that was stored in clear, and what stands there opens for nobody", async () => {
    const secret = "whsec_clear_clear_clear";
    await env.DB.batch([
      env.DB.prepare("UPDATE agent SET secret = ?, former_secret = ?").bind(secret, secret),
      env.DB.prepare("UPDATE webhook SET secrets = ?").bind(
        JSON.stringify([{ secret, expires_at: null }]),
      ),
      env.DB.prepare("UPDATE callback_secret SET secrets = ?").bind(
        JSON.stringify({ version: 2, secrets: [{ secret, expires_at: null }] }),
      ),
      env.DB.prepare("UPDATE model SET api_key = ?").bind("sk-clear-clear"),
    ]);

    const manifest = await backUp(T0 + 3 * DAY_MS);

    const { objects } = await BUCKET.list({ prefix: `backups/${manifest.backup_id}/` });
    const texts = await Promise.all(
      objects.map(async ({ key }) => (await BUCKET.get(key))?.text() ?? ""),
    );
    expect(texts.join("")).not.toMatch(/whsec_|sk-clear/);
    const db = await emptyDatabase();
    const { withheld } = await restore(restorePorts(db, BUCKET, manifest), manifest, "DB");
    expect(withheld).toBe(9 * 5);
    expect(await db.prepare("SELECT secrets FROM callback_secret LIMIT 1").first("secrets")).toBe(
      '{"version":2,"secrets":[{"secret":"sealed.withheld","expires_at":null}]}',
    );
    const stored = await db.prepare("SELECT secret FROM agent LIMIT 1").first<string>("secret");
    await expect(SEALER.open(stored ?? "", "agent/any")).rejects.toThrow("No key opens");
  });

  it("is made when one is due, and goes when it is over, but for the newest", async () => {
    const at = (day: number) => T0 + day * DAY_MS;
    const named = async () => {
      const { delimitedPrefixes } = await BUCKET.list({ prefix: "backups/", delimiter: "/" });
      return delimitedPrefixes.map((prefix) => prefix.slice("backups/".length, -1));
    };
    await BUCKET.put("tasks/kept/2020-01-01/a.ndjson", "not a backup");
    await BUCKET.put("backups/mine/file", "not ours");
    await backUp(at(10));
    const known = await named();

    await sweepBackups(WITH, () => at(10) + 23 * HOUR_MS);
    expect(await named()).toEqual(known);
    await sweepBackups({ ...WITH, BACKUP_EVERY_HOURS: "0" }, () => at(11));
    expect(await named()).toEqual(known);
    const { backup_id } = await backUp(at(40));

    expect(await named()).toEqual([backup_id, "mine"]);
    expect(await BUCKET.head("tasks/kept/2020-01-01/a.ndjson")).not.toBeNull();
  });

  it("is given up when a migration is applied meanwhile, and made anew", async () => {
    const begin = T0 + 50 * DAY_MS;
    let isFirst = true;
    const put = async (key: string, text: string) => {
      if (isFirst) await env.DB.prepare("INSERT INTO d1_migrations (name) VALUES ('9.sql')").run();
      isFirst = false;
      return BUCKET.put(key, text);
    };
    await sweepBackups(withBucket(put), () => begin);

    const manifest = await backUp(begin + HOUR_MS);

    expect(manifest.started_at).toBe(new Date(begin + HOUR_MS).toISOString());
    expect(manifest.databases[0]?.migrations.at(-1)).toBe("9.sql");
    await env.DB.prepare("DELETE FROM d1_migrations WHERE name = '9.sql'").run();
  });

  it("is given up when a table that it reads is there no more", async () => {
    const begin = T0 + 60 * DAY_MS;
    const migrated = async (isBack: boolean) => {
      const [from, to] = isBack ? ["lesson_gone", "lesson"] : ["lesson", "lesson_gone"];
      await env.DB.prepare(`ALTER TABLE ${from} RENAME TO ${to}`).run();
      const note = isBack
        ? "DELETE FROM d1_migrations WHERE name = '9.sql'"
        : "INSERT INTO d1_migrations (name) VALUES ('9.sql')";
      await env.DB.prepare(note).run();
    };
    let isFirst = true;
    const put = async (key: string, text: string) => {
      if (isFirst) await migrated(false);
      isFirst = false;
      return BUCKET.put(key, text);
    };
    await sweepBackups(withBucket(put), () => begin);
    await migrated(true);

    const manifest = await backUp(begin + HOUR_MS);

    expect(manifest.started_at).toBe(new Date(begin + HOUR_MS).toISOString());
  });
});
