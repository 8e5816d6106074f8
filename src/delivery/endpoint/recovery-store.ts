import * as z from "zod";

import {
  recoverableStateSchema,
  type RecoverableState,
  type Recovery,
} from "../../protocol/webhook-operations.ts";
import type { DeliveryPlace } from "./delivery-store.ts";
import { RECOVERY_SCHEMA } from "./schema.ts";
import { TEST_PREFIX } from "./test-item.ts";

const recoveryRowSchema = z.object({
  recovery_id: z.string(),
  state: z.enum(["running", "done", "cancelled"]),
  since: z.int(),
  until: z.int(),
  wanted: recoverableStateSchema,
  source: z.string(),
  seq: z.int(),
  matched: z.int(),
  replayed: z.int(),
});
/** A recovery as it is stored. Instants are epoch milliseconds; `source` and `seq` are how far it has come. */
export type RecoveryRow = z.infer<typeof recoveryRowSchema>;

const countRowSchema = z.object({ matched: z.int() });

/** Which deliveries a recovery is about: created from `since` on and before `until`, epoch milliseconds. */
export interface RecoveryRange {
  since: number;
  until: number;
  wanted: RecoverableState;
}

/** The recoveries of one endpoint. Callers make transactions; nothing here awaits. */
export class RecoveryStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** How many deliveries are in a range now. Reads each delivery that is kept, writes nothing. */
  count({ since, until, wanted }: RecoveryRange): number {
    const statement = `SELECT count(*) AS matched FROM delivery WHERE state = ? AND position >= ? AND position < ?
       AND NOT (seq = 0 AND source LIKE ?)`;
    const bounds = [wanted, since * 1_000, until * 1_000, `${TEST_PREFIX}%`];
    const row = this.#sql.exec(statement, ...bounds).one();
    return countRowSchema.parse(row).matched;
  }

  /** Stores a recovery that has not begun; one that exists already stays. */
  insert(recovery_id: string, range: RecoveryRange, matched: number): void {
    const { since, until, wanted } = range;
    this.#sql.exec(RECOVERY_SCHEMA);
    this.#sql.exec(
      "INSERT OR IGNORE INTO recovery VALUES (?, 'running', ?, ?, ?, '', -1, ?, 0)",
      recovery_id,
      since,
      until,
      wanted,
      matched,
    );
  }

  /** Null when there is none with this id. */
  read(recovery_id: string): RecoveryRow | null {
    return this.#rows("WHERE recovery_id = ?", recovery_id)[0] ?? null;
  }

  /** One that has not come to its end, or null. */
  running(): RecoveryRow | null {
    return this.#rows("WHERE state = 'running' ORDER BY recovery_id LIMIT 1")[0] ?? null;
  }

  /** Stores how far a recovery has come: one row. */
  advance(recovery_id: string, place: DeliveryPlace, replayed: number, isDone: boolean): void {
    this.#sql.exec(
      "UPDATE recovery SET source = ?, seq = ?, replayed = replayed + ?, state = ? WHERE recovery_id = ?",
      place.source,
      place.seq,
      replayed,
      isDone ? "done" : "running",
      recovery_id,
    );
  }

  /** Ends one that runs; what it has sent again stays so. */
  cancel(recovery_id: string): void {
    this.#sql.exec(
      "UPDATE recovery SET state = 'cancelled' WHERE recovery_id = ? AND state = 'running'",
      recovery_id,
    );
  }

  /** Ends all that run. */
  cancelAll(): void {
    if (this.running() === null) return;
    this.#sql.exec("UPDATE recovery SET state = 'cancelled' WHERE state = 'running'");
  }

  #rows(where: string, ...bindings: string[]): RecoveryRow[] {
    const tables = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'recovery'").toArray();
    if (tables.length === 0) return [];
    return this.#sql
      .exec(`SELECT * FROM recovery ${where}`, ...bindings)
      .toArray()
      .map((row) => recoveryRowSchema.parse(row));
  }
}

/** A recovery as the contract shows it. */
export function recoveryView({ recovery_id, state, matched, replayed }: RecoveryRow): Recovery {
  return { recovery_id, state, matched, replayed };
}
