import { and, asc, eq, inArray, isNotNull, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { alertTable as alerts, alertWatchTable as watches } from "../../../db/alert-table.ts";
import type { Changes, KeptAlert, KeptWatch, Known } from "../judge.ts";
import { watchSchema } from "../machine.ts";
import type { ToldMark } from "../ports.ts";
import { keptOf, rowOf } from "./alert-row.ts";
import { settingQueries } from "./setting-store.ts";

/* What judging reads and writes. */

/** Alerts that one look tells of; more come with the next one. */
const TOLD_AT_ONCE = 50;

/** The condition is written out, so that the partial index applies. */
const IS_FIRING = sql`${alerts.state} = 'firing'`;

function watchOf(row: typeof watches.$inferSelect): KeptWatch {
  const { rule_id, subject, watch } = row;
  return { rule_id, subject, watch: watchSchema.parse(JSON.parse(watch)) };
}

/** Everything that a look at a tenant begins with, in one call. */
export async function readKnown(d1: D1Database, tenant: string, at: string): Promise<Known> {
  const db = drizzle(d1);
  const settings = settingQueries(d1, tenant, at);
  const [rules, objectives, silences, watched, alive] = await db.batch([
    settings.rules,
    settings.objectives,
    settings.silences,
    db.select().from(watches).where(eq(watches.tenant, tenant)),
    db
      .select()
      .from(alerts)
      .where(and(eq(alerts.tenant, tenant), or(IS_FIRING, isNotNull(alerts.untold)))),
  ]);
  return {
    rules: rules.map(settings.ruleOf),
    objectives: objectives.map(settings.objectiveOf),
    silences: silences.map(settings.silenceOf),
    watches: watched.map(watchOf),
    alerts: alive.map(keptOf),
  };
}

function watchStatements(d1: D1Database, tenant: string, changed: Changes["watches"]) {
  const db = drizzle(d1);
  return changed.map(({ rule_id, subject, watch }) => {
    if (watch === null) {
      return db
        .delete(watches)
        .where(
          and(
            eq(watches.tenant, tenant),
            eq(watches.rule_id, rule_id),
            eq(watches.subject, subject),
          ),
        );
    }
    const text = JSON.stringify(watch);
    return db
      .insert(watches)
      .values({ tenant, rule_id, subject, watch: text })
      .onConflictDoUpdate({
        target: [watches.tenant, watches.rule_id, watches.subject],
        set: { watch: text },
      });
  });
}

/** Of an end only those are told who were told, or are about to be told, that it fires. */
const UNTOLD_AT_END = sql`CASE WHEN ${alerts.silenced_by} IS NOT NULL THEN NULL
  WHEN ${alerts.untold} = 'fired' THEN 'both' ELSE 'resolved' END`;

/** Writes what a look has changed, in one transaction. @throws when D1 fails; then nothing was written */
export async function writeChanges(
  d1: D1Database,
  tenant: string,
  { watches: changed, fired, resolved, unsilenced }: Changes,
): Promise<void> {
  const db = drizzle(d1);
  const ends = resolved.map(({ rule_id, subject, at }) =>
    db
      .update(alerts)
      .set({ state: "resolved", resolved_at: at, untold: UNTOLD_AT_END })
      .where(
        and(
          eq(alerts.tenant, tenant),
          eq(alerts.rule_id, rule_id),
          eq(alerts.subject, subject),
          IS_FIRING,
        ),
      ),
  );
  const begun = fired.map((alert) =>
    db.insert(alerts).values(rowOf(tenant, alert)).onConflictDoNothing(),
  );
  const heard =
    unsilenced.length === 0
      ? []
      : [
          db
            .update(alerts)
            .set({ silenced_by: null, untold: "fired" })
            .where(
              and(
                eq(alerts.tenant, tenant),
                inArray(alerts.alert_id, unsilenced.slice(0, TOLD_AT_ONCE)),
                IS_FIRING,
              ),
            ),
        ];
  const [first, ...more] = [...watchStatements(d1, tenant, changed), ...ends, ...begun, ...heard];
  if (first !== undefined) await db.batch([first, ...more]);
}

/**
 * Alerts that somebody has still to be told of, oldest first. Of more than one look tells of, each turn takes others:
 * those that can't be told don't stand in the way of the rest.
 */
export async function readUntold(
  d1: D1Database,
  tenant: string,
  turn: number,
): Promise<KeptAlert[]> {
  const db = drizzle(d1);
  const isWaiting = and(eq(alerts.tenant, tenant), isNotNull(alerts.untold));
  const waiting = await db.$count(alerts, isWaiting);
  if (waiting === 0) return [];
  const rows = await db
    .select()
    .from(alerts)
    .where(isWaiting)
    .orderBy(asc(alerts.fired_at))
    .limit(TOLD_AT_ONCE)
    .offset(waiting > TOLD_AT_ONCE ? (turn * TOLD_AT_ONCE) % waiting : 0);
  return rows.map(keptOf);
}

/** Of what is untold, without that it fires. */
const WITHOUT_FIRED = sql`CASE ${alerts.untold} WHEN 'both' THEN 'resolved' WHEN 'fired' THEN NULL ELSE ${alerts.untold} END`;

/** Notes which channels took the beginning, and whether all have been told of the change. */
export async function markTold(
  d1: D1Database,
  tenant: string,
  alert_id: string,
  { change, channels, isDone }: ToldMark,
): Promise<void> {
  const isFirst = change === "fired";
  await drizzle(d1)
    .update(alerts)
    .set({
      ...(isDone && { untold: isFirst ? WITHOUT_FIRED : null }),
      ...(isFirst && { told: JSON.stringify(channels) }),
    })
    .where(and(eq(alerts.tenant, tenant), eq(alerts.alert_id, alert_id)));
}

/** Tenants that have something to judge, from a name on, in order: tasks, technical figures, or rules of their own. */
export async function readJudgedTenants(
  d1: D1Database,
  from: string,
  limit: number,
): Promise<string[]> {
  const next = (condition: string): string =>
    `SELECT min(name) FROM (${["task", "meter_minute", "alert_rule", "alert_watch"]
      .map((table) => `SELECT min(tenant) AS name FROM ${table} WHERE tenant > '' AND ${condition}`)
      .join(" UNION ALL ")})`;
  // Each turn is one search of each key: a scan would read all rows of all tenants.
  const { results } = await d1
    .prepare(
      `WITH RECURSIVE known(tenant) AS (
         SELECT (${next("tenant >= ?1")})
         UNION ALL
         SELECT (${next("tenant > known.tenant")}) FROM known
         WHERE known.tenant IS NOT NULL LIMIT ?2)
       SELECT tenant FROM known WHERE tenant IS NOT NULL`,
    )
    .bind(from, limit)
    .all<{ tenant: string }>();
  return results.map(({ tenant }) => tenant);
}
