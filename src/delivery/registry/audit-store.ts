import { and, asc, desc, eq, getTableColumns, sql, type SQL } from "drizzle-orm";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import * as z from "zod";

import { isAfter, isBefore } from "../../db/keyset.ts";
import { auditTable } from "../../db/tables.ts";
import { ok, type Result } from "../../lib/result.ts";
import { pageOf, placeOf, type Page, type Place } from "../../protocol/keyset.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { auditEntrySchema, type AuditEntry } from "../../protocol/webhook-operations.ts";
import type { AuditRecord } from "./audit.ts";

/** Rows that an export reads and holds at a time. */
const EXPORT_ROWS = 200;

const rowSchema = z
  .object({ ...auditEntrySchema.shape, detail: z.string() })
  .transform((row) => ({ ...row, detail: JSON.parse(row.detail) as unknown }))
  .pipe(auditEntrySchema);

/**
 * The statement that adds a record, to ride in the batch with the change it tells of.
 *
 * @param isDue condition of the change; where it does not hold nothing is added, as nothing is changed then
 */
export function auditInsert(db: DrizzleD1Database, record: AuditRecord, isDue?: SQL) {
  const { tenant, subject, at, audit_id, actor, action } = record;
  const detail = JSON.stringify(record.detail);
  return db.insert(auditTable).select(
    sql`SELECT ${tenant}, ${subject}, ${at}, ${audit_id}, ${actor}, ${action}, ${detail}
          WHERE ${isDue ?? sql`TRUE`}`,
  );
}

/** Who did what to the webhooks of a tenant, in D1, whose triggers refuse to change or remove a row. */
export class AuditStore {
  readonly #db: DrizzleD1Database;

  constructor(database: D1Database) {
    this.#db = drizzle(database);
  }

  /** Adds the record of something that D1 does not hold itself. The same `at` and `audit_id` again change nothing. */
  async add(record: AuditRecord): Promise<void> {
    await auditInsert(this.#db, record);
  }

  /** A page of what befell a subject, newest first. Refuses a cursor that is not one. */
  async list(
    tenant: string,
    subject: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<Result<Page<AuditEntry>, Refusal>> {
    const from = placeOf(page.cursor);
    if (!from.ok) return from;
    const rows = await this.#db
      .select(ENTRY)
      .from(auditTable)
      .where(and(ofSubject(tenant, subject), isBefore(PLACE, from.value)))
      .orderBy(desc(auditTable.at), desc(auditTable.audit_id))
      .limit(page.limit + 1);
    return ok(pageOf(rows, page.limit, { place: placeOfRow, item: (row) => rowSchema.parse(row) }));
  }

  /** All that befell a subject, oldest first, read page by page as it is asked for. */
  async *all(tenant: string, subject: string): AsyncGenerator<AuditEntry[], void> {
    let place: Place | null = null;
    for (;;) {
      const rows: EntryRow[] = await this.#db
        .select(ENTRY)
        .from(auditTable)
        .where(and(ofSubject(tenant, subject), isAfter(PLACE, place)))
        .orderBy(asc(auditTable.at), asc(auditTable.audit_id))
        .limit(EXPORT_ROWS);
      const last = rows.at(-1);
      if (last === undefined) return;
      yield rows.map((row) => rowSchema.parse(row));
      place = placeOfRow(last);
    }
  }
}

const PLACE = { at: auditTable.at, id: auditTable.audit_id };

const { tenant: _tenant, ...ENTRY } = getTableColumns(auditTable);

type EntryRow = Omit<typeof auditTable.$inferSelect, "tenant">;

function placeOfRow({ at, audit_id }: { at: string; audit_id: string }): Place {
  return { at, id: audit_id };
}

function ofSubject(tenant: string, subject: string): SQL | undefined {
  return and(eq(auditTable.tenant, tenant), eq(auditTable.subject, subject));
}
