import * as z from "zod";

import type { AttemptFigures } from "./statistics.ts";

/** Attempts that one look reads at most. */
const MOST_READ = 200_000;

const attemptRowSchema = z.object({
  duration_ms: z.number(),
  is_delivered: z.int(),
  is_retry: z.int(),
});
const errorRowSchema = z.object({
  at: z.string(),
  status_code: z.int().nullable(),
  error_class: z.string().nullable(),
});
const oldestRowSchema = z.object({ oldest: z.number().nullable() });

/** Every attempt that is kept, of a delivery's row or of its own. */
const ATTEMPTS = `(SELECT last_attempt AS record FROM delivery WHERE last_attempt IS NOT NULL
  UNION ALL SELECT record FROM attempt)`;

/**
 * What an endpoint's attempts tell. Reads every delivery that is kept and writes nothing: a counter of its own would
 * cost a row for each attempt, and reading a thousand costs as much as writing one (facts/platform.md §4).
 */
export class StatisticsStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** What the attempts come to that began at an instant (RFC 3339, UTC with milliseconds) or later. */
  figuresSince(since: string): AttemptFigures {
    const durations: number[] = [];
    let [delivered, retried] = [0, 0];
    const rows = this.#sql.exec(
      `SELECT json_extract(record, '$.duration_ms') AS duration_ms,
         json_extract(record, '$.error_class') IS NULL AS is_delivered,
         json_extract(record, '$.attempt') > 1 AS is_retry
       FROM ${ATTEMPTS} WHERE json_extract(record, '$.started_at') >= ? LIMIT ${MOST_READ}`,
      since,
    );
    for (const row of rows) {
      const { duration_ms, is_delivered, is_retry } = attemptRowSchema.parse(row);
      durations.push(duration_ms);
      delivered += is_delivered;
      retried += is_retry;
    }
    return { delivered, retried, durations };
  }

  /** The newest attempt that failed, of all that are kept; null when none did. */
  lastError(): z.infer<typeof errorRowSchema> | null {
    const [row] = this.#sql
      .exec(
        `SELECT json_extract(record, '$.started_at') AS at,
           json_extract(record, '$.status_code') AS status_code,
           json_extract(record, '$.error_class') AS error_class
         FROM ${ATTEMPTS} WHERE json_extract(record, '$.error_class') IS NOT NULL
         ORDER BY at DESC LIMIT 1`,
      )
      .toArray();
    return row === undefined ? null : errorRowSchema.parse(row);
  }

  /** When the open delivery that is due longest came due, in epoch milliseconds; null when none is. */
  oldestDue(now: number): number | null {
    const row = this.#sql
      .exec(
        `SELECT min(coalesce(due, position / 1000)) AS oldest FROM delivery
         WHERE state = 'open' AND coalesce(due, position / 1000) <= ?`,
        now,
      )
      .one();
    return oldestRowSchema.parse(row).oldest;
  }
}
