import * as z from "zod";

import { storedEndSchema } from "../protocol/agent-end-task.ts";
import { complexitySchema, eventTypeSchema } from "../protocol/enums.ts";
import { notificationSchema } from "../protocol/notification.ts";
import type { Notification } from "../protocol/notification.ts";
import { jsonObjectSchema } from "../protocol/primitives.ts";
import { parseStored } from "../protocol/stored.ts";
import { taskExecutionSchema } from "../protocol/task-execution.ts";
import { actorSchema } from "../protocol/task-view.ts";
import { readFamily } from "./kin/relation-store.ts";
import { blankTask, evolve } from "./machine/evolve.ts";
import type { LoggedEvent, Memo, Origin, SettledTask, TaskState } from "./machine/state.ts";

/*
 * One table, because each table is a row and a page of every task. `id` says what a row holds:
 *   id > 0   a commit: the events from seq = id on; the first one also holds the request
 *   id = 0   the memo
 *   id < 0   a held notification of the executor's sequence -id
 *   the least of all: how far the end phase is that is going on
 */

/** The row of the end phase that is going on: a sequence is a safe integer, so no held notification has this id. */
export const PROGRESS_ROW = -(2 ** 60);

const originSchema = z.object({
  tenant: z.string(),
  task_id: z.string(),
  uid: z.string(),
  trace_id: z.string(),
  body_hash: z.string(),
  submitted_by: z.string(),
  batch_id: z.string().optional(),
  gates: z
    .array(
      z.discriminatedUnion("kind", [
        z.object({
          kind: z.literal("task"),
          task_id: z.string(),
          needs: z.enum(["success", "end"]),
        }),
        z.object({ kind: z.literal("batch"), batch_id: z.string() }),
        z.object({
          kind: z.literal("parent"),
          task_id: z.string(),
          behind: z.array(z.string()),
        }),
      ]),
    )
    .optional(),
  lineage: z
    .object({
      parent_task_id: z.string(),
      root_task_id: z.string(),
      depth: z.int(),
      levels_left: z.int(),
      deadline_at: z.number().nullable(),
      allowance: z.object({
        cost_usd: z.number().nullable(),
        tokens: z.number().nullable(),
        attempts: z.number().nullable(),
        children: z.number().nullable(),
      }),
    })
    .optional(),
  assessment: z
    .object({
      score: z.number(),
      band: complexitySchema,
      features: z.record(z.string(), z.number()),
      version: z.string(),
    })
    .optional(),
  approval: z
    .object({ reason: z.string(), question: z.string(), evidence: z.unknown() })
    .optional(),
  is_stall_exact: z.literal(true).optional(),
}) satisfies z.ZodType<Origin>;

const loggedEventSchema = z.object({
  seq: z.int(),
  at: z.int(),
  type: eventTypeSchema,
  actor: actorSchema,
  data: jsonObjectSchema,
  token: z.string().exactOptional(),
}) satisfies z.ZodType<LoggedEvent>;

const commitSchema = z.object({
  events: z.array(loggedEventSchema),
  /** The flush cursor at that time: on waking, what follows it is flushed again. */
  flushed: z.int(),
  origin: originSchema.optional(),
  task: taskExecutionSchema
    .transform((task): SettledTask => ({ ...task, task_id: task.task_id ?? "" }))
    .optional(),
});

const memoSchema = z.object({
  attempt: z.int(),
  beat_at: z.int(),
  checkpoint: z.unknown(),
  cost_usd: z.number(),
  tokens: z.number(),
  earlier: z.object({ cost_usd: z.number(), tokens: z.number() }),
  end: storedEndSchema.nullable(),
  end_at: z.int().optional(),
  signed: z
    .record(z.string(), z.object({ floor: z.int(), seen: z.array(z.tuple([z.int(), z.string()])) }))
    .optional(),
});

const heldSchema = z.object({
  attempt: z.int(),
  held_at: z.int(),
  notification: notificationSchema,
});

/** A task as it was read back. */
export interface StoredTask {
  state: TaskState;
  /** Everything up to this seq has been flushed for certain. */
  flushed: number;
}

/** A notification that waits for its turn. */
export interface Held {
  sequence: number;
  attempt: number;
  held_at: number;
  notification: Notification;
}

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  body: string;
}

function hasTable(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'record'").toArray().length > 0;
}

function memoOf(sql: SqlStorage): Memo | null {
  const row = sql.exec<Row>("SELECT id, body FROM record WHERE id = 0").toArray()[0];
  return row === undefined ? null : parseStored(memoSchema, JSON.parse(row.body));
}

/** The task as the fold of its log, or null when there is none. A read of an unknown task writes nothing. */
export function readTask(sql: SqlStorage): StoredTask | null {
  if (!hasTable(sql)) return null;
  let state: TaskState | null = null;
  let flushed = 0;
  for (const row of sql.exec<Row>("SELECT id, body FROM record WHERE id > 0 ORDER BY id")) {
    const commit = parseStored(commitSchema, JSON.parse(row.body));
    const first = commit.events[0];
    if (state === null && commit.origin !== undefined && commit.task !== undefined && first) {
      state = blankTask(commit.origin, commit.task, first.at);
    }
    if (state === null) throw new Error("the log of a task must begin with its request");
    for (const event of commit.events) state = evolve(state, event);
    flushed = commit.flushed;
  }
  if (state === null) return null;
  return { state: { ...state, memo: memoOf(sql), family: readFamily(sql) }, flushed };
}

/** Appends events in one row. Must be called inside a transaction. */
export function appendCommit(
  sql: SqlStorage,
  events: readonly LoggedEvent[],
  commit: { flushed: number; request: Pick<TaskState, "origin" | "task"> | null },
): void {
  const first = events[0];
  if (first === undefined) return;
  if (commit.request !== null) {
    sql.exec("CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  }
  const body = {
    events,
    flushed: commit.flushed,
    ...(commit.request !== null && { origin: commit.request.origin, task: commit.request.task }),
  };
  sql.exec("INSERT INTO record (id, body) VALUES (?, ?)", first.seq, JSON.stringify(body));
}

/** Replaces the memo. */
export function writeMemo(sql: SqlStorage, memo: Memo): void {
  sql.exec("INSERT OR REPLACE INTO record (id, body) VALUES (0, ?)", JSON.stringify(memo));
}

/** Events of one portion when the whole log is read. */
const EVENTS_PER_PORTION = 1_000;

/** Characters of one portion of a log, unless one commit has more: an answer to a call holds 32 MiB. */
const LARGEST_PORTION = 4_000_000;

/**
 * Events after `after` in order, at most about `limit`: commits are not split.
 *
 * Fewer where they are large, but at least one if there is one.
 */
export function readEvents(sql: SqlStorage, after: number, limit: number): LoggedEvent[] {
  if (!hasTable(sql)) return [];
  const rows = sql.exec<Row>(
    `SELECT id, body FROM record
     WHERE id >= coalesce((SELECT max(id) FROM record WHERE id BETWEEN 1 AND ?), 1) AND id > 0
     ORDER BY id LIMIT ?`,
    after + 1,
    limit,
  );
  const events: LoggedEvent[] = [];
  let length = 0;
  for (const row of rows) {
    const commit = parseStored(commitSchema, JSON.parse(row.body));
    events.push(...commit.events.filter(({ seq }) => seq > after));
    length += row.body.length;
    if (events.length >= limit || length >= LARGEST_PORTION) break;
  }
  return events;
}

/** The whole log in portions, so that it need not be in memory at once. */
export function* readLog(sql: SqlStorage): Generator<LoggedEvent[]> {
  for (let after = 0; ;) {
    const events = readEvents(sql, after, EVENTS_PER_PORTION);
    const last = events.at(-1);
    if (last === undefined) return;
    yield events;
    after = last.seq;
  }
}

/** Notifications that wait for their turn, by sequence, at most `limit`. */
export function readHeld(sql: SqlStorage, limit: number): Held[] {
  return sql
    .exec<Row>(
      "SELECT id, body FROM record WHERE id < 0 AND id > ? ORDER BY id DESC LIMIT ?",
      PROGRESS_ROW,
      limit,
    )
    .toArray()
    .map((row) => ({ sequence: -row.id, ...parseStored(heldSchema, JSON.parse(row.body)) }));
}

/** Keeps a notification until its turn. */
export function writeHeld(sql: SqlStorage, held: Held): void {
  const { sequence, ...body } = held;
  sql.exec(
    "INSERT OR REPLACE INTO record (id, body) VALUES (?, ?)",
    -sequence,
    JSON.stringify(body),
  );
}

/** Forgets every held notification. */
export function removeAllHeld(sql: SqlStorage): void {
  sql.exec("DELETE FROM record WHERE id < 0 AND id > ?", PROGRESS_ROW);
}

/** Forgets a held notification. */
export function removeHeld(sql: SqlStorage, sequence: number): void {
  sql.exec("DELETE FROM record WHERE id = ?", -sequence);
}
