import { queryOf, readBackupState, replaceBackupState } from "./backup/backup-store.ts";
import { listBackups, putBackupFile, removeBackup } from "./backup/bucket-store.ts";
import { keepBackups } from "./backup/keeper.ts";
import { consoleLog } from "./lib/log.ts";
import type { Clock } from "./lib/ports.ts";
import { doorsOf, now } from "./services-doors.ts";

/* The backups of an installation that has a bucket. */

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Goes on with the backup into the bucket, where one is bound. @throws as `keepBackups` */
export async function sweepBackups(env: Env, at: Clock = now): Promise<void> {
  const { config, bucket, history } = doorsOf(env);
  if (bucket === null) return;
  await keepBackups({
    now: at,
    log: consoleLog("backup", now),
    everyMs: config.backups.everyHours * HOUR_MS,
    keptMs: config.backups.keptDays * DAY_MS,
    sources: history.databases.map(({ binding, db }) => ({ binding, query: queryOf(db) })),
    readState: () => readBackupState(env.DB),
    replaceState: (from, to) => replaceBackupState(env.DB, from, to),
    put: (backup_id, file, text) => putBackupFile(bucket, backup_id, { file, text }),
    list: () => listBackups(bucket),
    remove: (backup_id) => removeBackup(bucket, backup_id),
  });
}
