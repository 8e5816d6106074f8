import * as z from "zod";

import { backupIdSchema, type StoredRow } from "../protocol/backup.ts";
import type { Query } from "./rows/schema.ts";
import { literal, quoted } from "./rows/sql.ts";
import { BACKED_TABLES } from "./rows/tables.ts";

/* How far a restore is, noted in the database itself: in a table that no backup holds. */

/** Why a restore does not begin or does not end: in words for whoever started it. */
export class RestoreError extends Error {}

const ROW = "restore";

const markSchema = z.strictObject({
  backup_id: backupIdSchema,
  binding: z.string(),
  files: z.int().min(0).meta({ description: "Files that were written completely." }),
});
export type Mark = z.infer<typeof markSchema>;

/** Notes how far a restore is. */
export function markStatement(mark: Mark): string {
  const values = [ROW, JSON.stringify(mark)].map(literal).join(", ");
  return `INSERT INTO sweep_cursor (name, cursor) VALUES (${values})
ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor`;
}

/** Forgets that there was a restore: the database is whole. */
export function unmarkStatement(): string {
  return `DELETE FROM sweep_cursor WHERE name = ${literal(ROW)}`;
}

/** The mark of any restore in the database; undefined where there is none, null where it cannot be read. */
function readMark(rows: readonly StoredRow[]): Mark | null | undefined {
  const cursor = rows[0]?.["cursor"];
  if (cursor === undefined) return undefined;
  return markSchema.safeParse(JSON.parse(String(cursor))).data ?? null;
}

/** How far this restore is in the database: null when that is empty. @throws RestoreError when it holds anything else */
export async function markIn(
  query: Query,
  { backup_id, binding }: Omit<Mark, "files">,
): Promise<Mark | null> {
  const any = BACKED_TABLES.map(
    ({ name }) => `EXISTS (SELECT 1 FROM ${quoted(name)}) AS ${quoted(name)}`,
  );
  const [marks = [], rows = []] = await query([
    `SELECT cursor FROM sweep_cursor WHERE name = ${literal(ROW)}`,
    `SELECT ${any.join(", ")}`,
  ]);
  const mark = readMark(marks);
  if (mark?.backup_id === backup_id && mark.binding === binding) return mark;
  if (mark !== undefined) {
    throw new RestoreError("the restore of another backup was begun in it. Restore into a new one");
  }
  const filled = Object.entries(rows[0] ?? {}).flatMap(([name, has]) =>
    Number(has) === 1 ? [name] : [],
  );
  if (filled.length === 0) return null;
  throw new RestoreError(
    `the database is not empty: it has rows in ${filled.join(", ")}. Restore into a new one`,
  );
}
