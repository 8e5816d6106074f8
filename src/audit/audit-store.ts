import { and, asc, desc, eq, getTableColumns, gte, lt, type SQL } from "drizzle-orm";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import * as z from "zod";

import { auditInsert, auditTable } from "../db/audit-table.ts";
import { isAfter, isBefore } from "../db/keyset.ts";
import { instant } from "../lib/ports.ts";
import { briefUrl } from "../lib/redact.ts";
import { ok, type Result } from "../lib/result.ts";
import {
  auditEntrySchema,
  auditRecordSchema,
  SYSTEM_ACTOR,
  type AuditEntry,
  type AuditRecord,
} from "../protocol/audit.ts";
import { pageOf, placeOf, type Page, type Place } from "../protocol/keyset.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { AuditFilter, Ledger } from "./ledger.ts";

/** Rows that an export reads and holds at a time. */
const EXPORT_ROWS = 200;

/** What befell the callback secret, which alone has no id that says what it is. */
const CALLBACK_SECRET = "callback_secret";

const urlSchema = z
  .unknown()
  .transform((url) => (typeof url === "string" ? briefUrl(url) : url))
  .optional();

/**
 * What an entry tells of a webhook, its address as short as it is written today: the oldest entries, which nothing can
 * change, have it whole.
 */
const webhookDetailSchema = z.looseObject({
  registration: z.looseObject({ url: urlSchema }).optional(),
  changes: z
    .looseObject({ url: z.looseObject({ from: urlSchema, to: urlSchema }).optional() })
    .optional(),
});

const rowSchema = z
  .object({ ...auditRecordSchema.omit({ tenant: true }).shape, detail: z.string() })
  .transform(({ detail, subject_kind, ...row }) => ({
    ...row,
    actor_kind: row.actor === SYSTEM_ACTOR ? "system" : "key",
    // The webhook registry writes none, and writes of nothing else.
    subject_kind: subject_kind ?? (row.subject === CALLBACK_SECRET ? CALLBACK_SECRET : "webhook"),
    detail: detailOf(detail, subject_kind),
  }))
  .pipe(auditEntrySchema);

function detailOf(stored: string, subject_kind: string | null): unknown {
  const detail: unknown = JSON.parse(stored);
  const isOfWebhook = subject_kind === null || subject_kind === "webhook";
  const shown = isOfWebhook ? webhookDetailSchema.safeParse(detail) : null;
  return shown?.data ?? detail;
}

/** Who did what to which object, in D1, whose triggers refuse to change or remove a row. */
export class AuditStore implements Ledger {
  readonly #db: DrizzleD1Database;

  constructor(database: D1Database) {
    this.#db = drizzle(database);
  }

  /** Adds an entry. The same one again changes nothing. */
  async add(record: AuditRecord): Promise<void> {
    await auditInsert(this.#db, record);
  }

  /** A page of what fits, newest first. Refuses a cursor that is not one. */
  async list(
    tenant: string,
    filter: AuditFilter,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<Result<Page<AuditEntry>, Refusal>> {
    const from = placeOf(page.cursor);
    if (!from.ok) return from;
    const rows = await this.#db
      .select(ENTRY)
      .from(auditTable)
      .where(and(meant(tenant, filter), isBefore(PLACE, from.value)))
      .orderBy(desc(auditTable.at), desc(auditTable.audit_id))
      .limit(page.limit + 1);
    return ok(pageOf(rows, page.limit, { place: placeOfRow, item: (row) => rowSchema.parse(row) }));
  }

  /** All that fits, oldest first, read page by page as it is asked for. */
  async *all(tenant: string, filter: AuditFilter): AsyncGenerator<AuditEntry[], void> {
    let place: Place | null = null;
    for (;;) {
      const rows: EntryRow[] = await this.#db
        .select(ENTRY)
        .from(auditTable)
        .where(and(meant(tenant, filter), isAfter(PLACE, place)))
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

/** Instants as they are stored, so that comparing as text is comparing in time. */
function meant(
  tenant: string,
  { subject, actor, action, since, until }: AuditFilter,
): SQL | undefined {
  const { at } = auditTable;
  return and(
    eq(auditTable.tenant, tenant),
    subject === undefined ? undefined : eq(auditTable.subject, subject),
    actor === undefined ? undefined : eq(auditTable.actor, actor),
    action === undefined ? undefined : eq(auditTable.action, action),
    since === undefined ? undefined : gte(at, instant(Date.parse(since))),
    until === undefined ? undefined : lt(at, instant(Date.parse(until))),
  );
}
