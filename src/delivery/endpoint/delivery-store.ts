import * as z from "zod";

import { prioritySchema } from "../../protocol/enums.ts";
import type { Ordering } from "../../protocol/webhook-options.ts";
import type { Attempt } from "../../protocol/webhook.ts";
import type { EnqueueItem } from "../endpoint-config.ts";
import {
  DELIVERY_COLUMNS,
  deliveryRowSchema,
  parseAttempt,
  type DeliveryRow,
} from "./delivery-row.ts";
import { storyIds } from "./story.ts";

const bodyRowSchema = z.object({ body: z.string() });
const rowWithBodySchema = deliveryRowSchema.extend({ body: z.string() });
const attemptRowSchema = z.object({ record: z.string() });
const seqRowSchema = z.object({ seq: z.int().nullable() });

/** A delivery's place in the table; a page goes on behind it. */
export interface DeliveryPlace {
  source: string;
  seq: number;
}

/** What of a delivery an attempt changes, in the order of the statement that stores it. */
const CHANGED = [
  "state",
  "attempts",
  "tries",
  "due",
  "replay_at",
  "first_failed_at",
  "is_recovering",
  "batch_id",
  "delivered_at",
  "last_attempt",
] as const;

const COLUMNS = deliveryRowSchema.keyof().options;

/** Built once: there is one of each for every delivery. */
const INSERT = `INSERT INTO delivery (${DELIVERY_COLUMNS}, body)
  VALUES (${COLUMNS.map(() => "?").join(", ")}, ?) ON CONFLICT DO NOTHING`;
const UPDATE = `UPDATE delivery SET ${CHANGED.map((column) => `${column} = ?`).join(", ")}
  WHERE source = ? AND seq = ?`;

/** A delivery and the bytes that are sent of it, as text. */
export interface Outgoing {
  row: DeliveryRow;
  body: string;
}

/** The deliveries of one endpoint and their attempts. Callers make transactions; nothing here awaits. */
export class DeliveryStore {
  readonly #sql: SqlStorage;
  /** Null until the first insertion of this object's life. */
  #lastPosition: number | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * Stores a notification as an open delivery: one row. Null when it is there already.
   *
   * @param now epoch milliseconds
   * @param changes what differs from a fresh delivery
   */
  insert(item: EnqueueItem, now: number, changes: Partial<DeliveryRow> = {}): DeliveryRow | null {
    const { source, seq } = placeOf(item);
    const position = Math.max(this.#knownPosition() + 1, now * 1_000);
    this.#lastPosition = position;
    const prev_seq = this.#previousSeq(source, seq);
    const body = bodyOf(item, prev_seq);
    const row: DeliveryRow = {
      source,
      seq,
      position,
      type: item.type,
      priority: prioritySchema.options.indexOf(item.priority),
      state: "open",
      attempts: 0,
      tries: 0,
      due: null,
      replay_at: null,
      first_failed_at: null,
      is_recovering: 0,
      batch_id: null,
      bytes: new TextEncoder().encode(body).length,
      prev_seq,
      correlation_id: item.correlation_id,
      delivered_at: null,
      last_attempt: null,
      ...changes,
    };
    const { rowsWritten: written } = this.#sql.exec(
      INSERT,
      ...COLUMNS.map((column) => row[column]),
      body,
    );
    return written === 0 ? null : row;
  }

  /**
   * Whether what keeps a notification from being stored is another one: news of a former task of the same id. Of the event
   * its type and instant are stored, in what is sent, and not its id.
   */
  isTaken(item: EnqueueItem): boolean {
    return !this.body(placeOf(item)).startsWith(headOf(item));
  }

  /** What came last, as far as somebody may rely on it: those who poll go on behind a position. */
  #knownPosition(): number {
    if (this.#lastPosition !== null) return this.#lastPosition;
    const index = "SELECT 1 FROM sqlite_master WHERE name = 'delivery_position'";
    const isPolled = this.#sql.exec(index).toArray().length > 0;
    if (!isPolled) return 0;
    const row = this.#sql.exec("SELECT max(position) AS seq FROM delivery").one();
    return seqRowSchema.parse(row).seq ?? 0;
  }

  #previousSeq(source: string, seq: number): number | null {
    const statement = "SELECT max(seq) AS seq FROM delivery WHERE source = ? AND seq < ?";
    return seqRowSchema.parse(this.#sql.exec(statement, source, seq).one()).seq;
  }

  /** Null when there is no such delivery. */
  read({ source, seq }: DeliveryPlace): DeliveryRow | null {
    return [...this.#rows("WHERE source = ? AND seq = ?", source, seq)][0] ?? null;
  }

  /** A delivery with its body in one statement; null when there is no such delivery. */
  readWithBody({ source, seq }: DeliveryPlace): Outgoing | null {
    const statement = `SELECT ${DELIVERY_COLUMNS}, body FROM delivery WHERE source = ? AND seq = ?`;
    const [stored] = this.#sql.exec(statement, source, seq).toArray();
    if (stored === undefined) return null;
    const { body, ...row } = rowWithBodySchema.parse(stored);
    return { row, body };
  }

  /** The bytes that are sent, as text. */
  body({ source, seq }: DeliveryPlace): string {
    const statement = "SELECT body FROM delivery WHERE source = ? AND seq = ?";
    return bodyRowSchema.parse(this.#sql.exec(statement, source, seq).one()).body;
  }

  /** Stores the outcome of an attempt: one row, and one for the attempt before it if there was any. */
  saveAttempt(row: DeliveryRow): void {
    if (row.attempts > 1) {
      this.#sql.exec(
        `INSERT OR IGNORE INTO attempt SELECT source, seq, attempts, last_attempt FROM delivery
         WHERE source = ? AND seq = ? AND last_attempt IS NOT NULL`,
        row.source,
        row.seq,
      );
    }
    this.save(row);
  }

  /** Stores what may change of a delivery: one row, index entries apart. */
  save(row: DeliveryRow): void {
    this.#sql.exec(UPDATE, ...CHANGED.map((column) => row[column]), row.source, row.seq);
  }

  /** Every attempt of a delivery, first to last. */
  attempts(row: DeliveryRow): Attempt[] {
    const earlier = this.#sql
      .exec(
        "SELECT record FROM attempt WHERE source = ? AND seq = ? ORDER BY attempt",
        row.source,
        row.seq,
      )
      .toArray()
      .map((attempt) => attemptRowSchema.parse(attempt).record);
    const all = row.last_attempt === null ? earlier : [...earlier, row.last_attempt];
    return all.map((record) => parseAttempt(record));
  }

  /** Forgets a delivery and its attempts: a row each. */
  remove({ source, seq }: DeliveryPlace): void {
    this.#sql.exec("DELETE FROM attempt WHERE source = ? AND seq = ?", source, seq);
    this.#sql.exec("DELETE FROM delivery WHERE source = ? AND seq = ?", source, seq);
  }

  /**
   * Deliveries that came later than a position, in that order. The first call makes the index for it: an endpoint that
   * nobody polls does not pay for one.
   */
  behindPosition(position: number, limit: number): DeliveryRow[] {
    this.#sql.exec("CREATE INDEX IF NOT EXISTS delivery_position ON delivery (position)");
    return [...this.#rows("WHERE position > ? ORDER BY position LIMIT ?", position, limit)];
  }

  /** Deliveries that came later than a position, in that order, without an index: all that is kept is looked at. */
  pageByPosition(position: number, limit: number): DeliveryRow[] {
    const where = "WHERE +position > ? ORDER BY +position LIMIT ?";
    return [...this.#rows(where, position, limit)];
  }

  /** Ends every open delivery and every wish to send one again. */
  cancelOpen(): void {
    this.#sql.exec("UPDATE delivery SET state = 'cancelled', due = NULL WHERE state = 'open'");
    this.#sql.exec("UPDATE delivery SET replay_at = NULL WHERE replay_at IS NOT NULL");
  }

  /**
   * Open deliveries behind a position, oldest first, at most `limit`.
   *
   * @param isIndexComplete whether the index of what has failed finds them; otherwise all that is kept is looked at
   */
  openRows(isIndexComplete: boolean, behind: number, limit: number): DeliveryRow[] {
    const isFound = isIndexComplete
      ? "AND source IN (SELECT source FROM delivery WHERE due IS NOT NULL)"
      : "";
    return [
      ...this.#rows(
        `WHERE state = 'open' AND +position > ? ${isFound} ORDER BY +position LIMIT ?`,
        behind,
        limit,
      ),
    ];
  }

  /** The open deliveries of one task behind a position. */
  openRowsOf(source: string, behind: number): DeliveryRow[] {
    return [...this.#rows("WHERE source = ? AND state = 'open' AND position > ?", source, behind)];
  }

  /** The deliveries that an operator wants sent again. */
  replayRows(): DeliveryRow[] {
    return [...this.#rows("WHERE replay_at IS NOT NULL ORDER BY replay_at")];
  }

  /** Deliveries behind a place, by task and seq, at most `limit`. */
  page(behind: DeliveryPlace, task_id: string | null, limit: number): DeliveryRow[] {
    const isOfTask = task_id === null ? "" : "AND source = ?";
    const { source, seq } = behind;
    return [
      ...this.#rows(
        `WHERE (source, seq) > (?, ?) ${isOfTask} ORDER BY source, seq LIMIT ?`,
        ...(task_id === null ? [source, seq, limit] : [source, seq, task_id, limit]),
      ),
    ];
  }

  /** Whether an open delivery has to wait for another open one, by the order that its endpoint keeps. */
  isBehindOpen({ source, seq, position }: DeliveryRow, ordering: Ordering): boolean {
    switch (ordering) {
      case "none":
        return false;
      case "task":
        return seq > 0
          ? this.#exists("source = ? AND seq < ? AND state = 'open'", source, seq)
          : this.#exists(
              "source IN (SELECT value FROM json_each(?)) AND state = 'open' AND position < ?",
              JSON.stringify(storyIds(source)),
              position,
            );
      case "endpoint":
        return this.#exists("state = 'open' AND position < ?", position);
    }
  }

  #exists(where: string, ...bindings: (string | number)[]): boolean {
    const statement = `SELECT 1 FROM delivery WHERE ${where} LIMIT 1`;
    return this.#sql.exec(statement, ...bindings).toArray().length > 0;
  }

  /** What comes from now on comes behind this position, whatever the clock says. */
  continueBehind(position: number): void {
    this.#lastPosition = Math.max(this.#knownPosition(), position);
  }

  *#rows(where: string, ...bindings: (string | number)[]): Generator<DeliveryRow> {
    const statement = `SELECT ${DELIVERY_COLUMNS} FROM delivery ${where}`;
    for (const row of this.#sql.exec(statement, ...bindings)) yield deliveryRowSchema.parse(row);
  }
}

function placeOf(item: EnqueueItem): DeliveryPlace {
  return { source: item.task_id ?? item.event_id, seq: item.seq ?? 0 };
}

/** What a body begins with: by when its event happened, the same however often it comes. */
function headOf({ type, at }: EnqueueItem): string {
  return JSON.stringify({ type, timestamp: at }).slice(0, -1);
}

/** The body of every attempt (protocol.md §5): fixed here, so that all attempts send the same bytes. */
function bodyOf(item: EnqueueItem, prev_seq: number | null): string {
  const data = JSON.stringify({ task_id: item.task_id, seq: item.seq, prev_seq }).slice(0, -1);
  return `${headOf(item)},"data":${data},"notification":${item.notification}}}`;
}
