import { z } from "zod";

import { prioritySchema } from "../../protocol/enums.ts";
import type { Attempt } from "../../protocol/webhook.ts";
import { endpointConfigSchema, type EndpointConfig, type EnqueueItem } from "../endpoint-config.ts";
import {
  DELIVERY_COLUMNS,
  deliveryRowSchema,
  parseAttempt,
  type DeliveryRow,
} from "./delivery-row.ts";

/**
 * The tables. A delivery is inserted once and updated once per attempt; its key is its only index, because each
 * index entry is a row on the bill. `delivery_due` holds only what has failed, `delivery_replay` only what is to be
 * sent again. The body comes last: a row is read without its overflow pages.
 */
const SCHEMA = `
CREATE TABLE endpoint (
  id INTEGER PRIMARY KEY,
  config TEXT NOT NULL,
  paused_until INTEGER NOT NULL,
  is_index_complete INTEGER NOT NULL,
  is_unreported INTEGER NOT NULL
);
CREATE TABLE delivery (
  source TEXT NOT NULL,
  seq INTEGER NOT NULL,
  position INTEGER NOT NULL,
  type TEXT NOT NULL,
  priority INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  due INTEGER,
  replay_at INTEGER,
  prev_seq INTEGER,
  correlation_id TEXT NOT NULL,
  delivered_at INTEGER,
  last_attempt TEXT,
  body TEXT NOT NULL,
  PRIMARY KEY (source, seq)
) WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (due) WHERE due IS NOT NULL;
CREATE INDEX delivery_replay ON delivery (replay_at) WHERE replay_at IS NOT NULL;
CREATE TABLE attempt (
  source TEXT NOT NULL,
  seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (source, seq, attempt)
) WITHOUT ROWID;`;

const factsRowSchema = z.object({
  config: z.string(),
  paused_until: z.int(),
  is_index_complete: z.int(),
  is_unreported: z.int(),
});
const bodyRowSchema = z.object({ body: z.string() });
const attemptRowSchema = z.object({ record: z.string() });
const seqRowSchema = z.object({ seq: z.int().nullable() });

/** What an endpoint knows of itself. */
export interface EndpointFacts {
  config: EndpointConfig;
  /** Until when the receiver asked for a pause; epoch milliseconds, 0 when it did not. */
  pausedUntil: number;
  /** Whether every open delivery is found from `delivery_due`: it, or an earlier one of its task, has failed. */
  isIndexComplete: boolean;
  /** Whether the registry does not know yet that the receiver disabled this endpoint. */
  isUnreported: boolean;
}

/** A delivery's place in the table; a page goes on behind it. */
export interface DeliveryPlace {
  source: string;
  seq: number;
}

/** The SQL of one endpoint's object. Callers make transactions; nothing here awaits. */
export class EndpointStore {
  readonly #sql: SqlStorage;
  #facts: EndpointFacts | null = null;
  #lastPosition = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Null while nobody has configured this endpoint: then there are no tables either. */
  facts(): EndpointFacts | null {
    this.#facts ??= this.#readFacts();
    return this.#facts;
  }

  #readFacts(): EndpointFacts | null {
    const tables = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'endpoint'").toArray();
    if (tables.length === 0) return null;
    const row = factsRowSchema.parse(this.#sql.exec("SELECT * FROM endpoint").one());
    return {
      config: endpointConfigSchema.parse(JSON.parse(row.config)),
      pausedUntil: row.paused_until,
      isIndexComplete: row.is_index_complete === 1,
      isUnreported: row.is_unreported === 1,
    };
  }

  /** Stores what the endpoint knows of itself: one row. The first time creates the tables. */
  saveFacts(facts: EndpointFacts): void {
    if (this.facts() === null) this.#sql.exec(SCHEMA);
    this.#sql.exec(
      `INSERT INTO endpoint VALUES (1, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
       config = excluded.config, paused_until = excluded.paused_until,
       is_index_complete = excluded.is_index_complete, is_unreported = excluded.is_unreported`,
      JSON.stringify(facts.config),
      facts.pausedUntil,
      Number(facts.isIndexComplete),
      Number(facts.isUnreported),
    );
    this.#facts = facts;
  }

  /** Forgets what was read: after an error it may not be what is stored. */
  forget(): void {
    this.#facts = null;
  }

  /**
   * Stores a notification as an open delivery: one row. Null when it is there already.
   *
   * @param now epoch milliseconds
   * @param changes what differs from a fresh delivery
   */
  insert(item: EnqueueItem, now: number, changes: Partial<DeliveryRow> = {}): DeliveryRow | null {
    const [source, seq] = [item.task_id ?? item.event_id, item.seq ?? 0];
    this.#lastPosition = Math.max(this.#lastPosition + 1, now * 1_000);
    const row: DeliveryRow = {
      source,
      seq,
      position: this.#lastPosition,
      type: item.type,
      priority: prioritySchema.options.indexOf(item.priority),
      state: "open",
      attempts: 0,
      tries: 0,
      due: null,
      replay_at: null,
      prev_seq: this.#previousSeq(source, seq),
      correlation_id: item.correlation_id,
      delivered_at: null,
      last_attempt: null,
      ...changes,
    };
    const columns = [...Object.keys(row), "body"];
    const written = this.#sql.exec(
      `INSERT INTO delivery (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})
       ON CONFLICT DO NOTHING`,
      ...Object.values(row),
      bodyOf(item, row.prev_seq),
    ).rowsWritten;
    return written === 0 ? null : row;
  }

  #previousSeq(source: string, seq: number): number | null {
    const statement = "SELECT max(seq) AS seq FROM delivery WHERE source = ? AND seq < ?";
    return seqRowSchema.parse(this.#sql.exec(statement, source, seq).one()).seq;
  }

  /** Null when there is no such delivery. */
  read({ source, seq }: DeliveryPlace): DeliveryRow | null {
    return [...this.#rows("WHERE source = ? AND seq = ?", source, seq)][0] ?? null;
  }

  /** The bytes that are sent, as text. */
  body({ source, seq }: DeliveryPlace): string {
    const statement = "SELECT body FROM delivery WHERE source = ? AND seq = ?";
    return bodyRowSchema.parse(this.#sql.exec(statement, source, seq).one()).body;
  }

  /** Stores the outcome of an attempt: one row, and one for the attempt before it if there was any. */
  saveAttempt(row: DeliveryRow): void {
    this.#sql.exec(
      `INSERT OR IGNORE INTO attempt SELECT source, seq, attempts, last_attempt FROM delivery
       WHERE source = ? AND seq = ? AND last_attempt IS NOT NULL`,
      row.source,
      row.seq,
    );
    const changed = [row.state, row.attempts, row.tries, row.due, row.replay_at, row.delivered_at];
    this.#sql.exec(
      `UPDATE delivery SET state = ?, attempts = ?, tries = ?, due = ?, replay_at = ?, delivered_at = ?,
       last_attempt = ? WHERE source = ? AND seq = ?`,
      ...changed,
      row.last_attempt,
      row.source,
      row.seq,
    );
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

  /** Marks a delivery to be sent again. */
  requestReplay({ source, seq }: DeliveryPlace, at: number): void {
    this.#sql.exec(
      "UPDATE delivery SET replay_at = ? WHERE source = ? AND seq = ?",
      at,
      source,
      seq,
    );
  }

  /** Ends every open delivery and every wish to send one again. */
  cancelOpen(): void {
    this.#sql.exec("UPDATE delivery SET state = 'cancelled', due = NULL WHERE state = 'open'");
    this.#sql.exec("UPDATE delivery SET replay_at = NULL WHERE replay_at IS NOT NULL");
  }

  /** The open deliveries: from the index where it is complete, otherwise from all that are kept. */
  *openRows(isIndexComplete: boolean): Generator<DeliveryRow> {
    if (!isIndexComplete) {
      yield* this.#rows("WHERE state = 'open'");
      return;
    }
    yield* this.#rows(
      "WHERE state = 'open' AND source IN (SELECT source FROM delivery WHERE due IS NOT NULL)",
    );
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

  *#rows(where: string, ...bindings: (string | number)[]): Generator<DeliveryRow> {
    const statement = `SELECT ${DELIVERY_COLUMNS} FROM delivery ${where}`;
    for (const row of this.#sql.exec(statement, ...bindings)) yield deliveryRowSchema.parse(row);
  }
}

/** The body of every attempt (protocol.md §5): fixed here, so that all attempts send the same bytes. */
function bodyOf(item: EnqueueItem, prev_seq: number | null): string {
  const head = JSON.stringify({ type: item.type, timestamp: item.at }).slice(0, -1);
  const data = JSON.stringify({ task_id: item.task_id, seq: item.seq, prev_seq }).slice(0, -1);
  return `${head},"data":${data},"notification":${item.notification}}}`;
}
