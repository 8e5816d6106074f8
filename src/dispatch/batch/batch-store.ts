import { parseStored } from "../../protocol/stored.ts";
import type { BatchPlan, BatchRecord, ItemEnd, Stop } from "./batch-record.ts";
import { batchPlanSchema, itemEndSchema, progressSchema } from "./batch-record.ts";

/*
 * One table, because each table is a row and a page of every batch. `id` says what a row holds:
 *   id < 0   a part of the plan: the plan as JSON in pieces, from -1 on
 *   id = 0   how far it has come: whether all tasks exist, and the stop
 *   id > 0   the end of a task, in the order in which they came
 */

/** Bytes of one row: an object's row holds 2 MB (facts/platform.md §5), a plan may be larger. */
const PART_BYTES = 1_500_000;

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  body: ArrayBuffer;
}

function hasTable(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'record'").toArray().length > 0;
}

function write(sql: SqlStorage, id: number, value: unknown): void {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  sql.exec("INSERT OR REPLACE INTO record (id, body) VALUES (?, ?)", id, bytes);
}

function textOf(parts: readonly ArrayBuffer[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
}

/** The batch as it is stored, or null when there is none. A read of an unknown batch writes nothing. */
export function readBatch(sql: SqlStorage): BatchRecord | null {
  if (!hasTable(sql)) return null;
  const rows = sql.exec<Row>("SELECT id, body FROM record ORDER BY id").toArray();
  const parts = rows.filter(({ id }) => id < 0).toReversed();
  const progress = rows.find(({ id }) => id === 0);
  return {
    plan: parseStored(batchPlanSchema, JSON.parse(textOf(parts.map(({ body }) => body)))),
    ...(progress === undefined
      ? { is_created: false, stop: null }
      : progressSchema.parse(JSON.parse(textOf([progress.body])))),
    ends: rows
      .filter(({ id }) => id > 0)
      .map(({ body }) => itemEndSchema.parse(JSON.parse(textOf([body])))),
  };
}

/** Stores the plan in place of a former one. Must be called inside a transaction. */
export function writePlan(sql: SqlStorage, plan: BatchPlan): void {
  sql.exec("CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY, body BLOB NOT NULL)");
  sql.exec("DELETE FROM record WHERE id < 0");
  const bytes = new TextEncoder().encode(JSON.stringify(plan));
  for (let part = 0; part * PART_BYTES < bytes.length; part += 1) {
    const piece = bytes.slice(part * PART_BYTES, (part + 1) * PART_BYTES);
    sql.exec("INSERT INTO record (id, body) VALUES (?, ?)", -1 - part, piece);
  }
}

/** Stores how far the batch has come: one row. */
export function writeProgress(
  sql: SqlStorage,
  progress: { is_created: boolean; stop: Stop | null },
): void {
  write(sql, 0, progress);
}

/** Stores what became of an item: one row. `place` counts the ends from 1. */
export function writeEnd(sql: SqlStorage, place: number, end: ItemEnd): void {
  write(sql, place, end);
}
