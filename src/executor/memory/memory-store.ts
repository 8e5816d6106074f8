import * as z from "zod";

import { instant } from "../../lib/ports.ts";
import { dataBoundsSchema, type DataBounds } from "../../protocol/data-bounds.ts";
import { taskTypeSchema } from "../../protocol/enums.ts";
import { memoryKindSchema, memoryVerdictSchema, type MemoryRecord } from "../../protocol/memory.ts";
import type { MemoryFilter, NewMemory } from "./memory-calls.ts";
import type { Use } from "./recall/utility.ts";
import { utilityScore } from "./recall/utility.ts";
import type { Fact } from "./supersession.ts";
import { indexedWord } from "./text/terms.ts";
import { vectorOf } from "./text/vectors.ts";

/*
 * One row a memory, by its arrival. What changes stands in columns of its own; `body` never does. The words are in an
 * FTS5 index without content: it holds the stems of terms.ts, so that both languages are searched by their stems.
 *
 * Rows written for a memory: see rows in test/runtime/memory-object.test.ts.
 */

const SCHEMA = [
  `CREATE TABLE memory (
    place INTEGER PRIMARY KEY,
    memory_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    task_type TEXT,
    task_id TEXT,
    topic TEXT,
    created_at INTEGER NOT NULL,
    valid_to INTEGER,
    superseded_by TEXT,
    used INTEGER NOT NULL DEFAULT 0,
    helped REAL NOT NULL DEFAULT 0,
    embedder TEXT NOT NULL,
    vector BLOB NOT NULL,
    runs TEXT NOT NULL DEFAULT '[]',
    body TEXT NOT NULL)`,
  "CREATE INDEX memory_task ON memory (task_id) WHERE task_id IS NOT NULL",
  "CREATE INDEX memory_topic ON memory (topic) WHERE topic IS NOT NULL AND superseded_by IS NULL",
  `CREATE VIRTUAL TABLE term USING fts5 (stems, content = '', contentless_delete = 1, detail = none,
    tokenize = "unicode61 remove_diacritics 2")`,
  `CREATE TABLE cached (key TEXT PRIMARY KEY, task_id TEXT NOT NULL, at INTEGER NOT NULL,
    bytes INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID`,
  "CREATE TABLE version (version INTEGER NOT NULL)",
  "INSERT INTO version (version) VALUES (1)",
];

/** Whether anything was ever stored since all was forgotten: a tenant without memories pays nothing. */
export function hasTables(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'version'").toArray().length > 0;
}

/** Makes the tables; call it inside the transaction that writes first. */
export function createTables(sql: SqlStorage): void {
  if (!hasTables(sql)) for (const statement of SCHEMA) sql.exec(statement);
}

const bodySchema = z.object({
  text: z.string(),
  subject: z.string(),
  tags: z.array(z.string()),
  bounds: dataBoundsSchema.nullable().default(null),
  model_id: z.string().nullable(),
  is_blamed: z.boolean().default(false),
  executor: z.string().nullable(),
  verdict: memoryVerdictSchema.nullable(),
  cost_usd: z.number().nullable(),
  quality: z.number().nullable(),
});

const rowSchema = z.object({
  place: z.int(),
  memory_id: z.string(),
  kind: memoryKindSchema,
  task_type: taskTypeSchema.nullable(),
  task_id: z.string().nullable(),
  topic: z.string().nullable(),
  created_at: z.number(),
  valid_to: z.number().nullable(),
  superseded_by: z.string().nullable(),
  used: z.number(),
  helped: z.number(),
  body: z.string().transform((text) => bodySchema.parse(JSON.parse(text))),
});

/** A memory as it is stored: what the world sees, and what it is found by. */
export interface StoredMemory {
  place: number;
  record: MemoryRecord;
  subject: string;
  bounds: DataBounds | null;
  is_blamed: boolean;
}

const COLUMNS =
  "place, memory_id, kind, task_type, task_id, topic, created_at, valid_to, superseded_by, used, helped, body";

function storedOf(row: unknown): StoredMemory {
  const { place, created_at, valid_to, used, helped, body, ...rest } = rowSchema.parse(row);
  const { subject, bounds, is_blamed, ...said } = body;
  const at = instant(created_at);
  const record = {
    ...rest,
    ...said,
    valid_from: at,
    valid_to: valid_to === null ? null : instant(valid_to),
    utility: { used, helped, score: utilityScore({ used, helped }) },
    created_at: at,
  };
  return { place, record, subject, bounds, is_blamed };
}

/** The memory of an id; null when there is none. */
export function findMemory(sql: SqlStorage, memory_id: string): StoredMemory | null {
  const [row] = sql.exec(`SELECT ${COLUMNS} FROM memory WHERE memory_id = ?`, memory_id).toArray();
  return row === undefined ? null : storedOf(row);
}

/** Memories by their places, in no order. */
export function readMemories(sql: SqlStorage, places: readonly number[]): StoredMemory[] {
  return sql
    .exec(
      `SELECT ${COLUMNS} FROM memory WHERE place IN (SELECT value FROM json_each(?))`,
      JSON.stringify(places),
    )
    .toArray()
    .map(storedOf);
}

const FILTERED = "(?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR task_type = ?2)";

/** Memories newest first, behind a place. */
export function listMemories(
  sql: SqlStorage,
  { kind, task_type }: MemoryFilter,
  page: { before: number | null; limit: number },
): StoredMemory[] {
  return sql
    .exec(
      `SELECT ${COLUMNS} FROM memory WHERE ${FILTERED} AND place < ?3 ORDER BY place DESC LIMIT ?4`,
      kind,
      task_type,
      page.before ?? Number.MAX_SAFE_INTEGER,
      page.limit,
    )
    .toArray()
    .map(storedOf);
}

/** The valid fact of a topic. */
export function validFact(sql: SqlStorage, topic: string): Fact | null {
  const [row] = sql
    .exec(
      `SELECT ${COLUMNS} FROM memory WHERE topic = ? AND topic IS NOT NULL AND superseded_by IS NULL`,
      topic,
    )
    .toArray();
  if (row === undefined) return null;
  const { record } = storedOf(row);
  const created_at = Date.parse(record.created_at);
  return { memory_id: record.memory_id, topic, text: record.text, created_at };
}

/** Says of a fact what took its place. One row, and its place in the index of valid ones. */
export function supersede(
  sql: SqlStorage,
  memory_id: string,
  by: { memory_id: string; valid_to: number },
): void {
  sql.exec(
    "UPDATE memory SET superseded_by = ?, valid_to = ? WHERE memory_id = ?",
    by.memory_id,
    by.valid_to,
    memory_id,
  );
}

/**
 * Writes a memory and its words.
 *
 * @param stems of its subject
 */
export function insertMemory(sql: SqlStorage, memory: NewMemory, stems: readonly string[]): void {
  const { memory_id, kind, task_type, task_id, topic, created_at, embedder, vector, ...body } =
    memory;
  const { place } = sql
    .exec<{ place: number }>(
      `INSERT INTO memory (memory_id, kind, task_type, task_id, topic, created_at, embedder, vector, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING place`,
      memory_id,
      kind,
      task_type,
      task_id,
      topic,
      created_at,
      embedder,
      vectorOf(vector),
      JSON.stringify(body),
    )
    .one();
  sql.exec(
    "INSERT INTO term (rowid, stems) VALUES (?, ?)",
    place,
    stems.map(indexedWord).join(" "),
  );
}

/** Removes memories with their words; how many there were. What superseded one that goes is not changed. */
export function removeMemories(sql: SqlStorage, places: readonly number[]): number {
  const given = JSON.stringify(places);
  sql.exec("DELETE FROM term WHERE rowid IN (SELECT value FROM json_each(?))", given);
  return sql
    .exec(
      "DELETE FROM memory WHERE place IN (SELECT value FROM json_each(?)) RETURNING place",
      given,
    )
    .toArray().length;
}

/** Places of the memories that come from these tasks. */
export function placesOfTasks(sql: SqlStorage, task_ids: readonly string[]): number[] {
  return sql
    .exec<{ place: number }>(
      `SELECT place FROM memory INDEXED BY memory_task
       WHERE task_id IN (SELECT value FROM json_each(?)) AND task_id IS NOT NULL`,
      JSON.stringify(task_ids),
    )
    .toArray()
    .map(({ place }) => place);
}

/** How often memories were used, and by which runs lately, where they are there still. */
export function readUse(
  sql: SqlStorage,
  memory_ids: readonly string[],
): (Use & { place: number; runs: string[] })[] {
  return sql
    .exec<{ place: number; used: number; helped: number; runs: string }>(
      `SELECT place, used, helped, runs FROM memory
       WHERE memory_id IN (SELECT value FROM json_each(?))`,
      JSON.stringify(memory_ids),
    )
    .toArray()
    .map(({ runs, ...use }) => ({ ...use, runs: z.array(z.string()).parse(JSON.parse(runs)) }));
}

/** Writes how often a memory was used. One row. */
export function writeUse(
  sql: SqlStorage,
  place: number,
  { used, helped, runs }: Use & { runs: readonly string[] },
): void {
  sql.exec(
    "UPDATE memory SET used = ?, helped = ?, runs = ? WHERE place = ?",
    used,
    helped,
    JSON.stringify(runs),
    place,
  );
}

/** Gives a memory the vector of another embedder. One row. */
export function writeVector(
  sql: SqlStorage,
  memory_id: string,
  { embedder, vector }: { embedder: string; vector: string },
): void {
  sql.exec(
    "UPDATE memory SET embedder = ?, vector = ? WHERE memory_id = ?",
    embedder,
    vectorOf(vector),
    memory_id,
  );
}
