import { and, asc, eq, getTableColumns, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import { alertTable as alerts, alertWatchTable as watches } from "../../../db/alert-table.ts";
import type { Changes, KeptAlert, KeptWatch, Known, Move, Written } from "../judge.ts";
import { watchSchema } from "../machine.ts";
import type { ToldMark } from "../ports.ts";
import { keptOf, rowOf } from "./alert-row.ts";
import { isFiring, isOverUntold, isUntold } from "./few-store.ts";
import { settingQueries } from "./setting-store.ts";

/* What judging reads and writes. */

/** Alerts that one look tells of; more come with the next one. */
const TOLD_AT_ONCE = 50;

/** A watch as it is stored, with what of its rule is watched. */
const storedSchema = z.strictObject({ about: z.string(), watch: watchSchema });

function watchOf(row: typeof watches.$inferSelect): KeptWatch {
  const { rule_id, subject, watch: text } = row;
  return { rule_id, subject, ...storedSchema.parse(JSON.parse(text)), text };
}

/** Everything that a look at a tenant begins with, in one call. */
export async function readKnown(d1: D1Database, tenant: string, at: string): Promise<Known> {
  const db = drizzle(d1);
  const settings = settingQueries(d1, tenant, at);
  const [rules, objectives, silences, watched, firing, untold] = await db.batch([
    settings.rules,
    settings.objectives,
    settings.silences,
    db.select().from(watches).where(eq(watches.tenant, tenant)),
    db.select().from(alerts).where(isFiring(tenant)),
    db.select().from(alerts).where(isOverUntold(tenant, TOLD_AT_ONCE)),
  ]);
  return {
    rules: rules.map(settings.ruleOf),
    objectives: objectives.map(settings.objectiveOf),
    silences: silences.map(settings.silenceOf),
    watches: watched.map(watchOf),
    alerts: [...firing, ...untold].map(keptOf),
  };
}

/** Of an end only those are told who were told, or are about to be told, that it fires. */
const UNTOLD_AT_END = `CASE WHEN silenced_by IS NOT NULL THEN NULL
  WHEN untold = 'fired' THEN 'both' ELSE 'resolved' END`;

/** A move as SQL takes it: one parameter for all of a tenant. */
function movesOf(tenant: string, moves: readonly Move[]): string {
  return JSON.stringify(
    moves.map(({ rule_id, subject, from, to, resolved_at, fired }) => ({
      rule_id,
      subject,
      from,
      to: to === null ? null : JSON.stringify(to),
      resolved_at,
      fired: fired === null ? null : rowOf(tenant, fired),
    })),
  );
}

/**
 * The moves whose watch is still what it was read as. All statements of a look see the same ones: the watches are
 * written last.
 */
const STILL = `json_each(?2) AS move LEFT JOIN alert_watch AS w
  ON w.tenant = ?1 AND w.rule_id = move.value ->> 'rule_id' AND w.subject = move.value ->> 'subject'
  WHERE w.watch IS move.value ->> 'from'`;

const COLUMNS = Object.keys(getTableColumns(alerts));

const ENDS = `UPDATE alert INDEXED BY alert_firing
  SET state = 'resolved', untold = ${UNTOLD_AT_END}, resolved_at = ended.resolved_at
  FROM (SELECT move.value ->> 'rule_id' AS rule_id, move.value ->> 'subject' AS subject,
          move.value ->> 'resolved_at' AS resolved_at
        FROM ${STILL} AND move.value ->> 'resolved_at' IS NOT NULL) AS ended
  WHERE alert.tenant = ?1 AND alert.state = 'firing'
    AND alert.rule_id = ended.rule_id AND alert.subject = ended.subject
  RETURNING alert_id, alert.rule_id, alert.subject`;

const BEGINS = `INSERT INTO alert (${COLUMNS.join(", ")})
  SELECT ${COLUMNS.map((name) => `move.value ->> '$.fired.${name}'`).join(", ")}
  FROM ${STILL} AND move.value -> 'fired' <> 'null'
  ON CONFLICT DO NOTHING RETURNING alert_id, rule_id, subject, severity`;

const FORGETS = `DELETE FROM alert_watch WHERE tenant = ?1 AND (rule_id, subject) IN (
  SELECT w.rule_id, w.subject FROM ${STILL} AND w.watch IS NOT NULL AND move.value ->> 'to' IS NULL)`;

const REMEMBERS = `INSERT INTO alert_watch (tenant, rule_id, subject, watch)
  SELECT ?1, move.value ->> 'rule_id', move.value ->> 'subject', move.value ->> 'to'
  FROM ${STILL} AND move.value ->> 'to' IS NOT NULL
  ON CONFLICT DO UPDATE SET watch = excluded.watch`;

const HEARD = `UPDATE alert SET silenced_by = NULL, untold = 'fired'
  WHERE tenant = ?1 AND alert_id IN (SELECT value FROM json_each(?2))
    AND state = 'firing' AND silenced_by IS NOT NULL AND acknowledged_at IS NULL`;

const HELD = `UPDATE alert SET untold = NULL, silenced_by = held.silenced_by
  FROM (SELECT value ->> 'alert_id' AS held_id, value ->> 'silenced_by' AS silenced_by
        FROM json_each(?2)) AS held
  WHERE tenant = ?1 AND alert_id = held.held_id AND untold IN ('fired', 'both') AND told = '[]'`;

/**
 * Writes what a look has changed, in one transaction: of what another look has moved meanwhile, nothing.
 *
 * @throws when D1 fails; then nothing was written
 */
export async function writeChanges(
  d1: D1Database,
  tenant: string,
  { moves, unsilenced, held }: Changes,
): Promise<Written> {
  const json = movesOf(tenant, moves);
  const heard = JSON.stringify(unsilenced.slice(0, TOLD_AT_ONCE));
  const bound = (text: string, parameter: string) => d1.prepare(text).bind(tenant, parameter);
  const [, ended, begun] = await d1.batch<Written["fired"][number]>([
    // First: of what is held, the end is held too.
    bound(HELD, JSON.stringify(held)),
    bound(ENDS, json),
    bound(BEGINS, json),
    bound(FORGETS, json),
    bound(REMEMBERS, json),
    bound(HEARD, heard),
  ]);
  return { fired: begun?.results ?? [], resolved: ended?.results ?? [] };
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
  const isWaiting = isUntold(tenant);
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
