import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * What was checked of messages, sampled. `record` is JSON, `tenant` is empty where nobody had been recognised, and an id
 * begins with the time.
 */
export const validationRecordTable = sqliteTable(
  "validation_record",
  {
    record_id: text().primaryKey(),
    tenant: text().notNull(),
    outcome: text().notNull(),
    route: text().notNull(),
    code: text(),
    weight: integer().notNull(),
    record: text().notNull(),
  },
  (table) => [index("validation_record_by_tenant").on(table.tenant, table.record_id)],
);
