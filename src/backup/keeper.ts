import * as z from "zod";

import type { Log } from "../lib/log.ts";
import { instant } from "../lib/ports.ts";
import {
  backupIdSchema,
  backupProgressSchema,
  type BackupManifest,
  type BackupProgress,
} from "../protocol/backup.ts";
import { instantSchema } from "../protocol/primitives.ts";
import { beginBackup, goOn, manifestOf, type BackupPorts } from "./backup.ts";
import { migrationsOf } from "./rows/schema.ts";
import { isDue, overdue } from "./schedule.ts";

/* The backups that an installation makes by itself, a bit with every sweep. */

/**
 * Pages of one run: at most 75,000 rows or 150 MB. An invocation makes 1,000 queries of D1 (facts/platform.md §4), of which
 * the other sweeps need most.
 */
const MAX_PAGES = 150;

/** What an installation knows of its backups. */
export const backupStateSchema = z.strictObject({
  running: backupProgressSchema.nullable(),
  last: z
    .strictObject({
      backup_id: backupIdSchema,
      started_at: instantSchema,
      finished_at: instantSchema,
    })
    .nullable(),
});
export type BackupState = z.infer<typeof backupStateSchema>;

/** What keeping backups needs from outside. */
export interface KeeperPorts extends Omit<BackupPorts, "save" | "put"> {
  log: Log;
  /** Milliseconds from the begin of one backup to that of the next; 0: none. */
  everyMs: number;
  /** How long a backup is kept, milliseconds. */
  keptMs: number;
  readState: () => Promise<BackupState>;
  /** Replaces the state; false when it is no longer the one it was. */
  replaceState: (from: BackupState, to: BackupState) => Promise<boolean>;
  put: (backup_id: string, file: string, text: string) => Promise<void>;
  /** Names of all backups, finished or not. */
  list: () => Promise<string[]>;
  /** Removes a backup with all its files; false when some of them are left for a later run. */
  remove: (backup_id: string) => Promise<boolean>;
}

/** The backup that is under way or due, noted as running; null when there is nothing to do. */
async function current(
  ports: KeeperPorts,
): Promise<{ state: BackupState; running: BackupProgress } | null> {
  const state = await ports.readState();
  if (state.running !== null) return { state, running: state.running };
  const begun = state.last === null ? null : Date.parse(state.last.started_at);
  if (!isDue(begun, ports.now(), ports.everyMs)) return null;
  const running = await beginBackup(ports);
  const begins = { ...state, running };
  return (await ports.replaceState(state, begins)) ? { state: begins, running } : null;
}

/** Whether the schemas are still those that were written down at the begin. */
async function isSameSchema({ sources }: KeeperPorts, progress: BackupProgress): Promise<boolean> {
  const now = await Promise.all(
    sources.map(async ({ binding, query }) => [binding, await migrationsOf(query)]),
  );
  const before = progress.databases.map(({ binding, migrations }) => [binding, migrations]);
  return JSON.stringify(now) === JSON.stringify(before);
}

async function removeOld(ports: KeeperPorts, newest: string): Promise<void> {
  const over = overdue(await ports.list(), newest, { now: ports.now(), kept: ports.keptMs });
  const removed: string[] = [];
  for (const backup_id of over) {
    // What is left comes with the end of the next backup.
    if (!(await ports.remove(backup_id))) break;
    removed.push(backup_id);
  }
  if (removed.length > 0) ports.log("info", "backups_removed", { count: removed.length });
}

function tell({ log }: KeeperPorts, { backup_id, databases }: BackupManifest): void {
  const tables = databases.flatMap((database) => database.tables);
  const sum = (of: "rows" | "bytes" | "withheld") =>
    tables.reduce((all, table) => all + table[of], 0);
  log("info", "backup_finished", { backup_id, rows: sum("rows"), bytes: sum("bytes") });
  const unknown = databases.flatMap((database) => database.unknown);
  if (unknown.length > 0)
    log("error", "backup_lacks_tables", { backup_id, tables: unknown.join() });
  const withheld = sum("withheld");
  if (withheld > 0) log("warning", "backup_withheld_secrets", { backup_id, count: withheld });
}

/**
 * Goes on with the backup that is under way, begins the next one when it is due, and removes those that are over when it has
 * finished one.
 *
 * A backup counts as finished with its manifest, which is written last. What a failure cuts off is done again; of two runs at
 * one time the second one stops. A backup during which a migration was applied, or a database unbound, is given up
 * and begun anew.
 *
 * @throws what the database or the bucket throws; the next run goes on
 */
export async function keepBackups(ports: KeeperPorts): Promise<void> {
  const found = await current(ports);
  if (found === null) return;
  const { backup_id, started_at } = found.running;
  let { state } = found;
  const save = async (_from: BackupProgress, running: BackupProgress): Promise<boolean> => {
    const next = { ...state, running };
    const isOurs = await ports.replaceState(state, next);
    state = next;
    return isOurs;
  };
  const put = (file: string, text: string) => ports.put(backup_id, file, text);
  const giveUp = async (): Promise<void> => {
    const reason = "a database was migrated, or is bound no more";
    ports.log("warning", "backup_given_up", { backup_id, reason });
    await ports.replaceState(state, { ...state, running: null });
  };
  let reached: BackupProgress | null;
  try {
    reached = await goOn({ ...ports, put, save }, found.running, MAX_PAGES);
  } catch (error) {
    // A table or a database that is there no more would be missed by every later run too.
    if (await isSameSchema(ports, state.running ?? found.running)) throw error;
    return giveUp();
  }
  const manifest = reached === null ? null : manifestOf(reached, ports.now());
  if (reached === null || manifest === null) return;
  if (!(await isSameSchema(ports, reached))) return giveUp();
  await put("manifest.json", `${JSON.stringify(manifest, null, 1)}\n`);
  const last = { backup_id, started_at, finished_at: instant(ports.now()) };
  if (!(await ports.replaceState(state, { running: null, last }))) return;
  tell(ports, manifest);
  await removeOld(ports, backup_id);
}
