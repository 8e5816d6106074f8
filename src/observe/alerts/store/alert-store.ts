import { and, desc, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { alertTable as alerts } from "../../../db/alert-table.ts";
import { isBefore } from "../../../db/keyset.ts";
import { ok, type Result } from "../../../lib/result.ts";
import { type AlertsQuery, type AlertView } from "../../../protocol/alerts.ts";
import { pageOf, placeOf, type Page } from "../../../protocol/keyset.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import { viewOf, type AlertRow } from "./alert-row.ts";
import { isFiring } from "./few-store.ts";

/* Alerts as people see them. */

/** Rows that one sweep forgets. */
const FORGOTTEN_AT_ONCE = 500;

function stateIs(tenant: string, state: AlertsQuery["state"]) {
  if (state === undefined) return undefined;
  return state === "firing" ? isFiring(tenant) : eq(alerts.state, state);
}

/** Alerts of a tenant, newest first. Refuses a cursor that is not one. */
export async function listAlerts(
  d1: D1Database,
  tenant: string,
  query: AlertsQuery,
): Promise<Result<Page<AlertView>, Refusal>> {
  const from = placeOf(query.cursor);
  if (!from.ok) return from;
  const { state, severity, limit } = query;
  // With the plus no index is taken for the order: that by time would walk through all that are over.
  const newest = state === "firing" ? sql`+${alerts.fired_at}` : alerts.fired_at;
  const rows = await drizzle(d1)
    .select()
    .from(alerts)
    .where(
      and(
        eq(alerts.tenant, tenant),
        stateIs(tenant, state),
        severity === undefined ? undefined : eq(alerts.severity, severity),
        isBefore({ at: newest, id: alerts.alert_id }, from.value),
      ),
    )
    .orderBy(desc(newest), desc(alerts.alert_id))
    .limit(limit + 1);
  const place = ({ fired_at: at, alert_id: id }: AlertRow) => ({ at, id });
  return ok(pageOf(rows, limit, { place, item: viewOf }));
}

const named = (tenant: string, alert_id: string) =>
  and(eq(alerts.tenant, tenant), eq(alerts.alert_id, alert_id));

/** One alert, or null. */
export async function readAlert(
  d1: D1Database,
  tenant: string,
  alert_id: string,
): Promise<AlertView | null> {
  const row = await drizzle(d1).select().from(alerts).where(named(tenant, alert_id)).get();
  return row === undefined ? null : viewOf(row);
}

/** Notes who looks after an alert that fires; null where none of this id does. */
export async function acknowledgeAlert(
  d1: D1Database,
  { tenant, alert_id }: { tenant: string; alert_id: string },
  by: { acknowledged_at: string; acknowledged_by: string; note: string | null },
): Promise<AlertView | null> {
  const [row] = await drizzle(d1)
    .update(alerts)
    .set(by)
    .where(and(named(tenant, alert_id), sql`${alerts.state} = 'firing'`))
    .returning();
  return row === undefined ? null : viewOf(row);
}

/** How many alerts of a tenant fire, by severity. */
export async function countFiring(d1: D1Database, tenant: string): Promise<Map<string, number>> {
  const rows = await drizzle(d1)
    .select({ severity: alerts.severity, alerts: sql<number>`count(*)` })
    .from(alerts)
    .where(isFiring(tenant))
    .groupBy(alerts.severity);
  return new Map(rows.map((row) => [row.severity, row.alerts]));
}

/** Forgets alerts of all tenants that were over before an instant, a portion of them. */
export async function forgetAlerts(d1: D1Database, before: string): Promise<void> {
  await d1
    .prepare(
      `DELETE FROM alert WHERE (tenant, alert_id) IN (
         SELECT tenant, alert_id FROM alert
         WHERE state = 'resolved' AND resolved_at < ?1 ORDER BY resolved_at LIMIT ${FORGOTTEN_AT_ONCE})`,
    )
    .bind(before)
    .run();
}
