import { sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { index, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Who did what to which object. Rows are added, and the database refuses to change or remove one. */
export const auditTable = sqliteTable(
  "audit",
  {
    tenant: text().notNull(),
    subject: text().notNull(),
    at: text().notNull(),
    audit_id: text().notNull(),
    actor: text().notNull(),
    action: text().notNull(),
    /** JSON. */
    detail: text().notNull(),
    /** Null of an entry about a webhook or the callback secret whose action says it. */
    subject_kind: text(),
    /** Null where no request asked for it, and of what the webhook registry writes. */
    request_id: text(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.subject, table.at, table.audit_id] }),
    index("audit_by_time").on(table.tenant, table.at, table.audit_id),
    index("audit_by_actor").on(table.tenant, table.actor, table.at, table.audit_id),
    index("audit_by_action").on(table.tenant, table.action, table.at, table.audit_id),
  ],
);

/** What an entry is made of. `detail` is an object; the row holds it as JSON. */
type Entry = Readonly<
  Omit<typeof auditTable.$inferSelect, "detail"> & { detail: Record<string, unknown> }
>;

/**
 * The statement that adds an entry to the audit, alone or in one batch with the change it tells of.
 *
 * The same entry again changes nothing (migrations/0002_webhooks.sql). Rows written: 4, the table's and three indexes'.
 *
 * @param isDue condition of the change; where it does not hold nothing is added, as nothing is changed then
 */
export function auditInsert(db: DrizzleD1Database, entry: Entry, isDue?: SQL) {
  const { tenant, subject, at, audit_id, actor, action, subject_kind, request_id } = entry;
  const detail = JSON.stringify(entry.detail);
  return db.insert(auditTable).select(
    sql`SELECT ${tenant}, ${subject}, ${at}, ${audit_id}, ${actor}, ${action}, ${detail}, ${subject_kind},
          ${request_id} WHERE ${isDue ?? sql`TRUE`}`,
  );
}
