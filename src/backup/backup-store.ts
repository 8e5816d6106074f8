import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { sweepCursorTable } from "../db/tables.ts";
import { storedRowSchema } from "../protocol/backup.ts";
import { backupStateSchema, type BackupState } from "./keeper.ts";
import type { Query } from "./rows/schema.ts";

/* What backups read of D1, and where they note how far they are. */

/** The row of it, beside those that say where sweeps go on: no backup holds that table. */
const ROW = "backup";

const NONE: BackupState = { running: null, last: null };

/** Asks a database. One round trip, and one snapshot, for all statements of a call. */
export function queryOf(db: D1Database): Query {
  return async (statements) => {
    const results = await db.batch(statements.map((sql) => db.prepare(sql)));
    return results.map(({ results: rows }) => rows.map((row) => storedRowSchema.parse(row)));
  };
}

/** What is known of backups. @throws ZodError when the row is not one that `replaceBackupState` has written */
export async function readBackupState(db: D1Database): Promise<BackupState> {
  const ofBackup = eq(sweepCursorTable.name, ROW);
  const row = await drizzle(db).select().from(sweepCursorTable).where(ofBackup).get();
  return row === undefined ? NONE : backupStateSchema.parse(JSON.parse(row.cursor));
}

/** A state as it is stored: one text, in whatever order its fields came. */
const textOf = (state: BackupState): string => JSON.stringify(backupStateSchema.parse(state));

/** Replaces what is known of backups; false when it is no longer what it was. */
export async function replaceBackupState(
  db: D1Database,
  from: BackupState,
  to: BackupState,
): Promise<boolean> {
  const orm = drizzle(db);
  const cursor = textOf(to);
  const isAsBefore = and(eq(sweepCursorTable.name, ROW), eq(sweepCursorTable.cursor, textOf(from)));
  const changed = await orm.update(sweepCursorTable).set({ cursor }).where(isAsBefore);
  if (changed.meta.changes > 0) return true;
  // Only who believes that there was none yet may make the first one.
  if (from.running !== null || from.last !== null) return false;
  const made = await orm
    .insert(sweepCursorTable)
    .values({ name: ROW, cursor })
    .onConflictDoNothing();
  return made.meta.changes > 0;
}
