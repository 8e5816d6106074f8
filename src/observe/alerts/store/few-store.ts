import { and, eq, sql, type SQL } from "drizzle-orm";

import { alertTable as alerts } from "../../../db/alert-table.ts";

/*
 * What fires, and what is untold: few alerts, of the many that are kept. SQLite without statistics prefers the primary
 * key to a partial index, and would read all that a tenant has kept, for 90 days. So the index is named, and the
 * condition written out, without which it does not apply.
 */

const among = (tenant: string, index: "alert_firing" | "alert_untold", condition: SQL) =>
  and(
    eq(alerts.tenant, tenant),
    sql`${alerts.alert_id} IN (SELECT alert_id FROM alert INDEXED BY ${sql.raw(index)}
      WHERE tenant = ${tenant} AND ${condition})`,
  );

/** Alerts of a tenant that fire. */
export function isFiring(tenant: string): SQL | undefined {
  return among(tenant, "alert_firing", sql`state = 'firing'`);
}

/** Alerts of a tenant that somebody has still to be told of. */
export function isUntold(tenant: string): SQL | undefined {
  return among(tenant, "alert_untold", sql`untold IS NOT NULL`);
}

/** Alerts of a tenant that are over, and that somebody has still to be told of: the oldest ones. */
export function isOverUntold(tenant: string, limit: number): SQL | undefined {
  const oldest = sql`untold IS NOT NULL AND state <> 'firing' ORDER BY fired_at LIMIT ${limit}`;
  return among(tenant, "alert_untold", oldest);
}
