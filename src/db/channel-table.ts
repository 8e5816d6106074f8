import { primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * Where alerts go. `channel` is JSON of its settings without its secret, which is its endpoint's: `webhook_id` is the row
 * of `webhook` that carries it.
 */
export const alertChannelTable = sqliteTable(
  "alert_channel",
  {
    tenant: text().notNull(),
    channel_id: text().notNull(),
    webhook_id: text().notNull(),
    channel: text().notNull(),
    updated_at: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.channel_id] })],
);
