import * as z from "zod";

import type { DeliveryPlace } from "./delivery-store.ts";
import { BATCH_SCHEMA } from "./schema.ts";

const membersSchema = z.array(z.tuple([z.string(), z.int()]));
const batchRowSchema = z.object({ batch_id: z.string(), at: z.string(), members: z.string() });

/** A batch as it was made up. */
export interface StoredBatch {
  /** Its webhook-id. */
  batch_id: string;
  /** When it was made up: RFC 3339. */
  at: string;
  /** In the order of its body. */
  members: DeliveryPlace[];
}

/**
 * The batches of one endpoint, and what left alone although it could have gone in one: stored before they are sent, so
 * that whatever happens meanwhile the same members go again under the same id.
 */
export class BatchStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Stores a batch that is about to be sent: one row. What left alone before may be there already. */
  insert({ batch_id, at, members }: StoredBatch): void {
    this.#sql.exec(BATCH_SCHEMA);
    const places = JSON.stringify(members.map(({ source, seq }) => [source, seq]));
    this.#sql.exec("INSERT OR IGNORE INTO batch VALUES (?, ?, 1, ?)", batch_id, at, places);
  }

  /** A batch is over: it is never sent again. */
  close(batch_id: string): void {
    this.#sql.exec("UPDATE batch SET is_open = 0 WHERE batch_id = ?", batch_id);
  }

  /** Those that are not over, oldest first. */
  open(): StoredBatch[] {
    return this.#exists()
      ? this.#sql
          .exec("SELECT batch_id, at, members FROM batch WHERE is_open = 1 ORDER BY at, batch_id")
          .toArray()
          .map((row) => storedBatch(row))
      : [];
  }

  /** Removes those that are over and older than an instant (RFC 3339). */
  removeBefore(at: string): void {
    if (this.#exists()) this.#sql.exec("DELETE FROM batch WHERE is_open = 0 AND at < ?", at);
  }

  #exists(): boolean {
    return this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'batch'").toArray().length > 0;
  }
}

function storedBatch(row: unknown): StoredBatch {
  const { batch_id, at, members } = batchRowSchema.parse(row);
  const places = membersSchema.parse(JSON.parse(members));
  return { batch_id, at, members: places.map(([source, seq]) => ({ source, seq })) };
}
