import { and, eq, sql, type SQL } from "drizzle-orm";

import { alertTable as alerts } from "../../../db/alert-table.ts";

/*
 * What fires, and what is untold: few alerts, of the many that are kept. SQLite without statistics prefers the primary
 * key to a partial index, and would read all that a tenant has kept, for 90 days. So the index is named, and the
 * condition written out, without which it does not apply.
 */

const among = (tenant: string, ids: SQL): SQL | undefined =>
  and(eq(alerts.tenant, tenant), sql`${alerts.alert_id} IN (${ids})`);

/** Alerts of a tenant that fire. */
export function isFiring(tenant: string): SQL | undefined {
  return among(
    tenant,
    sql`SELECT alert_id FROM alert INDEXED BY alert_firing WHERE tenant = ${tenant} AND state = 'firing'`,
  );
}

/** Alerts of a tenant that somebody has still to be told of. */
export function isUntold(tenant: string): SQL | undefined {
  return among(
    tenant,
    sql`SELECT alert_id FROM alert INDEXED BY alert_untold WHERE tenant = ${tenant} AND untold IS NOT NULL`,
  );
}

/** Alerts of a tenant that are over, and that somebody has still to be told of: the oldest ones. */
export function isOverUntold(tenant: string, limit: number): SQL | undefined {
  return among(
    tenant,
    sql`SELECT alert_id FROM alert INDEXED BY alert_untold WHERE tenant = ${tenant}
      AND untold IS NOT NULL AND state <> 'firing' ORDER BY fired_at LIMIT ${limit}`,
  );
}
