import { index, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** In which database the history of a tenant is, by its binding. Only in DB, and only where there is more than one. */
export const tenantShardTable = sqliteTable(
  "tenant_shard",
  {
    tenant: text().primaryKey(),
    shard: text().notNull(),
  },
  (table) => [index("tenant_shard_by_shard").on(table.shard)],
);
