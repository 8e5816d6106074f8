import * as z from "zod";

import { offenceSchema } from "../protocol/block.ts";
import type { StoredBlock } from "./offender-door.ts";

const rowSchema = z.object({
  name: z.string(),
  offence: offenceSchema,
  blocked_at: z.number(),
  until: z.number(),
  times: z.number(),
});

function hasTable(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'block'").toArray().length > 0;
}

function read(sql: SqlStorage, query: string, ...values: SqlStorageValue[]): StoredBlock[] {
  if (!hasTable(sql)) return [];
  return sql
    .exec(query, ...values)
    .toArray()
    .map((row) => rowSchema.parse(row));
}

/** The last block of somebody, over or not, unless it is forgiven and gone. */
export function findBlock(sql: SqlStorage, name: string): StoredBlock | null {
  return read(sql, "SELECT * FROM block WHERE name = ?", name)[0] ?? null;
}

/** Blocks in force in order of name, behind the one given. */
export function listBlocks(
  sql: SqlStorage,
  page: { after: string; limit: number },
  now: number,
): StoredBlock[] {
  return read(
    sql,
    "SELECT * FROM block WHERE name > ? AND until > ? ORDER BY name LIMIT ?",
    page.after,
    now,
    page.limit,
  );
}

/** Keeps a block in place of the former one: one row. */
export function putBlock(sql: SqlStorage, block: StoredBlock): void {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS block (name TEXT PRIMARY KEY, offence TEXT NOT NULL, blocked_at INTEGER NOT NULL, until INTEGER NOT NULL, times INTEGER NOT NULL) WITHOUT ROWID",
  );
  sql.exec(
    "INSERT OR REPLACE INTO block (name, offence, blocked_at, until, times) VALUES (?, ?, ?, ?, ?)",
    block.name,
    block.offence,
    block.blocked_at,
    block.until,
    block.times,
  );
}

/** Removes a block. */
export function removeBlock(sql: SqlStorage, name: string): void {
  if (hasTable(sql)) sql.exec("DELETE FROM block WHERE name = ?", name);
}

/** Removes the blocks that ended before an instant; when the first of the others ended or ends, or null. */
export function removeEnded(sql: SqlStorage, before: number): number | null {
  if (!hasTable(sql)) return null;
  sql.exec("DELETE FROM block WHERE until <= ?", before);
  const first = sql.exec<{ until: number | null }>("SELECT min(until) AS until FROM block").one();
  return first.until;
}
