import * as z from "zod";

import { completedSchema, type CacheEntry } from "./memory-calls.ts";

/** Results that are kept of a tenant, how much they are together, and the largest of them. Bytes of JSON in UTF-8. */
const MOST_CACHED = { results: 500, bytes: 16_777_216, result_bytes: 262_144 } as const;

/** How long a result may be given again. Milliseconds. */
export const CACHE_LIFE_MS = 86_400_000;

const bodySchema = z.object({ completed: completedSchema });

/** The result under a key, unless it is too old; null when there is none. */
export function readCached(sql: SqlStorage, key: string, now: number): CacheEntry | null {
  const [row] = sql
    .exec<{ task_id: string; at: number; body: string }>(
      "SELECT task_id, at, body FROM cached WHERE key = ? AND at > ?",
      key,
      now - CACHE_LIFE_MS,
    )
    .toArray();
  if (row === undefined) return null;
  const { body, ...rest } = row;
  return { key, ...rest, ...bodySchema.parse(JSON.parse(body)) };
}

/** Removes results that are too old. */
export function removeStale(sql: SqlStorage, now: number): void {
  sql.exec("DELETE FROM cached WHERE at <= ?", now - CACHE_LIFE_MS);
}

/** Removes the oldest results until as many more bytes have room. */
function makeRoom(sql: SqlStorage, bytes: number): void {
  const kept = sql
    .exec<{ key: string; bytes: number }>("SELECT key, bytes FROM cached ORDER BY at DESC")
    .toArray();
  let [count, used] = [1, bytes];
  const gone = kept.filter((entry) => {
    count += 1;
    used += entry.bytes;
    return count > MOST_CACHED.results || used > MOST_CACHED.bytes;
  });
  for (const { key } of gone) sql.exec("DELETE FROM cached WHERE key = ?", key);
}

/** Keeps a result in place of the former one of its key: one row. False when it is too large to be kept. */
export function writeCached(sql: SqlStorage, entry: CacheEntry, now: number): boolean {
  const { key, task_id, at, completed } = entry;
  const body = JSON.stringify({ completed });
  const bytes = new TextEncoder().encode(body).length;
  if (bytes > MOST_CACHED.result_bytes) return false;
  removeStale(sql, now);
  sql.exec("DELETE FROM cached WHERE key = ?", key);
  makeRoom(sql, bytes);
  sql.exec(
    "INSERT INTO cached (key, task_id, at, bytes, body) VALUES (?, ?, ?, ?, ?)",
    key,
    task_id,
    Math.min(at, now),
    bytes,
    body,
  );
  return true;
}

/** Forgets the results of tasks; how many there were. */
export function removeCachedOf(sql: SqlStorage, task_ids: readonly string[]): number {
  return sql
    .exec(
      "DELETE FROM cached WHERE task_id IN (SELECT value FROM json_each(?)) RETURNING key",
      JSON.stringify(task_ids),
    )
    .toArray().length;
}
