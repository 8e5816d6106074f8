import { primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Models that tenants have registered. `registration` is JSON without its key; `api_key` is sealed. */
export const modelTable = sqliteTable(
  "model",
  {
    tenant: text().notNull(),
    model_id: text().notNull(),
    registration: text().notNull(),
    api_key: text(),
    updated_at: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.model_id] })],
);
