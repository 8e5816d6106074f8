import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Technical figures of a tenant by minute, hour and day: `tally` is JSON of all its series, routes and methods together. */
export const meterMinuteTable = sqliteTable(
  "meter_minute",
  {
    tenant: text().notNull(),
    /** Seconds: 60, 3600 or 86400. */
    step: integer().notNull(),
    /** Start in epoch seconds. */
    bucket: integer().notNull(),
    /** JSON. */
    tally: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.step, table.bucket] })],
);
