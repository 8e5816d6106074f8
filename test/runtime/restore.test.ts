import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";

import { restore, type RestorePorts } from "../../src/backup/restore.ts";
import { BACKED_TABLES } from "../../src/backup/rows/tables.ts";
import type { BackupManifest } from "../../src/protocol/backup.ts";
import { sweepBackups } from "../../src/services-backup.ts";
import { T0 } from "../task-news.ts";
import { allRows, emptyDatabase, fill, newestBackup, restorePorts } from "./backup-world.ts";
import { WITH } from "./past-tasks.ts";

const BUCKET = env.TEST_ARCHIVE;

let manifest: BackupManifest;
let db: D1Database;

beforeAll(async () => {
  for (const { name } of BACKED_TABLES) await fill(env.DB, name, 3);
  await env.DB.prepare("UPDATE task SET view = ?").bind("long'\n".repeat(50_000)).run();
  await sweepBackups(WITH, () => T0);
  const newest = await newestBackup(BUCKET);
  if (newest === null) throw new Error("no backup was finished");
  manifest = newest;
});

beforeEach(async () => {
  db = await emptyDatabase();
});

const ports = (changes: Partial<RestorePorts> = {}): RestorePorts => ({
  ...restorePorts(db, BUCKET, manifest),
  ...changes,
});

const isEmpty = async (): Promise<boolean> =>
  Object.values(await allRows(db)).every((rows) => rows.length === 0);

/** Another text in place of a file's. */
const instead =
  (ending: string, change: (text: string) => string | null): RestorePorts["read"] =>
  async (file) => {
    const text = await restorePorts(db, BUCKET, manifest).read(file);
    return text !== null && file.includes(ending) ? change(text) : text;
  };

describe("a restore", () => {
  it("that is interrupted anywhere goes on when it is started again", async () => {
    let statements = 0;
    const stops = [1, 2, 5, 9, 20, 40, 60];
    const run = async (all: readonly string[]): Promise<void> => {
      for (const sql of all) {
        statements += 1;
        if (stops.includes(statements)) throw new Error("the line was cut");
        await db.prepare(sql).run();
      }
    };
    let tries = 0;
    let restored = null;
    while (restored === null && tries < 20) {
      tries += 1;
      restored = await restore(ports({ run }), manifest, "DB").catch((error: unknown) => {
        if (String(error).includes("the line was cut")) return null;
        throw error;
      });
    }

    expect(tries).toBeGreaterThan(5);
    const [before, after] = [await allRows(env.DB), await allRows(db)];
    expect(after).toEqual({ ...before, sweep_cursor: [] });
  });

  it.each([
    ["was changed", instead("/task/", (text) => text.replace("o", "0")), "its SHA-256 differs"],
    ["was cut", instead("/audit/", (text) => text.slice(0, -9)), "its SHA-256 differs"],
    ["is missing", instead("/agent/", () => null), "is missing"],
  ])("writes nothing of a backup of which a file %s", async (_what, read, detail) => {
    await expect(restore(ports({ read }), manifest, "DB")).rejects.toThrow(detail);

    expect(await isEmpty()).toBe(true);
  });

  it("writes nothing of a backup whose manifest lacks a file", async () => {
    const lacking = structuredClone(manifest);
    lacking.databases[0]?.tables.find(({ name }) => name === "webhook")?.parts.pop();

    await expect(restore(ports(), lacking, "DB")).rejects.toThrow("the parts of webhook are not");

    expect(await isEmpty()).toBe(true);
  });

  it("refuses a database that has rows, and leaves them as they are", async () => {
    await db.prepare("INSERT INTO callback_secret VALUES ('acme', '[]')").run();

    await expect(restore(ports(), manifest, "DB")).rejects.toThrow(
      "is not empty: it has rows in callback_secret",
    );

    expect((await allRows(db))["callback_secret"]).toHaveLength(1);
  });

  it("refuses a database in which the restore of another backup was begun", async () => {
    const cut = () => Promise.reject(new Error("cut"));
    const first = ports({ run: async (all) => (all.length > 1 ? cut() : ports().run(all)) });
    await expect(restore(first, manifest, "DB")).rejects.toThrow("cut");

    const other = { ...manifest, backup_id: "20200101T000000Z" };
    await expect(restore(ports(), other, "DB")).rejects.toThrow("another backup was begun");
  });

  it("refuses a schema of another version, and says which one it wants", async () => {
    const older = structuredClone(manifest);
    older.databases[0]?.migrations.pop();

    await expect(restore(ports(), older, "DB")).rejects.toThrow("apply to an empty database those");

    expect(await isEmpty()).toBe(true);
  });

  it("refuses a database that the backup does not have", async () => {
    await expect(restore(ports(), manifest, "DB_7")).rejects.toThrow("it has DB");
  });

  it("notices what somebody else writes meanwhile", async () => {
    let isFirst = true;
    const run = async (all: readonly string[]): Promise<void> => {
      await ports().run(all);
      if (isFirst) await db.prepare("INSERT INTO callback_secret VALUES ('zoo', '[]')").run();
      isFirst = false;
    };

    await expect(restore(ports({ run }), manifest, "DB")).rejects.toThrow("something else writes");
  });
});
