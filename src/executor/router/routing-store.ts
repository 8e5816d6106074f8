import { and, eq, inArray, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import {
  modelStatisticTable as statistic,
  routingBreakerTable as breaker,
  routingCellTable as cell,
  routingDecisionTable as decision,
} from "../../db/routing-table.ts";
import { breakerStateOf, type ModelBreaker } from "./breaker.ts";
import type { DecisionRow, Learned } from "./ledger.ts";
import { recentOf } from "./statistics.ts";

/* What a choice reads and writes, in D1. */

/** In place of a task type: the cells that pool all of them. */
export const POOLED = "*";

/** How often a change of a breaker is tried when others change it at the same time. */
const MOST_TRIES = 5;

/** Rows that one statement of the sweep deletes. */
const DELETED_AT_ONCE = 1_000;

const runSchema = z.tuple([z.number().min(0), z.number().min(0)]);

/**
 * [latency_s, cost_usd] of the last runs, oldest first, as they are stored. A run with figures that nothing can have is
 * left out: it must not keep the others from being read, nor make a model look cheap.
 */
export const recentSchema = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.array(z.unknown()))
  .transform((runs) =>
    runs.flatMap((run) => {
      const { data } = runSchema.safeParse(run);
      return data === undefined ? [] : [data];
    }),
  );

/** Reads all that a choice needs in one round trip. */
export async function readLearned(
  db: D1Database,
  {
    tenant,
    decision_id,
    task_type,
    band,
  }: Pick<DecisionRow, "tenant" | "decision_id" | "task_type" | "band">,
  now: number,
): Promise<Learned> {
  const orm = drizzle(db);
  const { model_id, weight, total, updates, seen } = cell;
  const [made, cells, statistics, breakers] = await orm.batch([
    orm
      .select({ record: decision.record })
      .from(decision)
      .where(and(eq(decision.tenant, tenant), eq(decision.decision_id, decision_id))),
    orm
      .select({ task_type: cell.task_type, model_id, weight, total, updates, seen })
      .from(cell)
      .where(
        and(
          eq(cell.tenant, tenant),
          inArray(cell.task_type, [task_type, POOLED]),
          eq(cell.band, band),
        ),
      )
      .orderBy(model_id),
    orm
      .select({ model_id: statistic.model_id, recent: statistic.recent })
      .from(statistic)
      .where(and(eq(statistic.tenant, tenant), eq(statistic.task_type, task_type)))
      .orderBy(statistic.model_id),
    orm.select().from(breaker).where(eq(breaker.tenant, tenant)).orderBy(breaker.model_id),
  ]);
  const of = (type: string) =>
    cells.flatMap(({ task_type: its, ...one }) => (its === type ? [one] : []));
  return {
    record: made[0]?.record ?? null,
    known: {
      is_complete: true,
      cells: of(task_type),
      parents: of(POOLED),
      recent: statistics.map((row) => recentOf(row.model_id, recentSchema.parse(row.recent))),
      breakers: breakers.flatMap((row) => {
        const state = breakerStateOf(row, now);
        return state === "closed" ? [] : [{ model_id: row.model_id, state }];
      }),
    },
  };
}

/** Stores a decision, and gives the record that counts: that of whoever was first. */
export async function writeDecision(db: D1Database, row: DecisionRow): Promise<string> {
  const orm = drizzle(db);
  const { meta } = await orm.insert(decision).values(row).onConflictDoNothing().run();
  if (meta.changes > 0) return row.record;
  const stored = await orm
    .select({ record: decision.record })
    .from(decision)
    .where(and(eq(decision.tenant, row.tenant), eq(decision.decision_id, row.decision_id)))
    .get();
  return stored?.record ?? row.record;
}

/** The breaker of a model, or null where nothing has failed. */
async function readBreaker(
  db: D1Database,
  tenant: string,
  model_id: string,
): Promise<ModelBreaker | null> {
  const row = await drizzle(db)
    .select()
    .from(breaker)
    .where(and(eq(breaker.tenant, tenant), eq(breaker.model_id, model_id)))
    .get();
  return row ?? null;
}

/**
 * Changes the breaker of a model by a rule; false where the rule gives null. Written only where nobody else has changed
 * it since it was read, and tried again where somebody has.
 *
 * @throws when others were faster five times
 */
export async function changeBreaker(
  db: D1Database,
  { tenant, model_id }: { tenant: string; model_id: string },
  rule: (before: ModelBreaker | null) => ModelBreaker | null,
): Promise<boolean> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const before = await readBreaker(db, tenant, model_id);
    const next = rule(before);
    if (next === null) return false;
    const { failures, pause_ms, probe_at, failed_at, version } = next;
    const row = { tenant, model_id, failures, pause_ms, probe_at, failed_at, version };
    const write =
      before === null
        ? drizzle(db).insert(breaker).values(row).onConflictDoNothing()
        : drizzle(db)
            .update(breaker)
            .set(row)
            .where(
              and(
                eq(breaker.tenant, tenant),
                eq(breaker.model_id, model_id),
                eq(breaker.version, before.version),
              ),
            );
    // oxlint-disable-next-line no-await-in-loop
    const { meta } = await write.run();
    if (meta.changes > 0) return true;
  }
  throw new Error(`the breaker of ${model_id} was changed by others ${MOST_TRIES} times`);
}

/** The model of a decision, and whether it was its breaker's probe; null where there is none, or its run is counted. */
export async function readUncounted(
  db: D1Database,
  tenant: string,
  decision_id: string,
): Promise<{ model_id: string; is_probe: boolean } | null> {
  const row = await drizzle(db)
    .select({ model_id: decision.model_id, is_probe: decision.is_probe })
    .from(decision)
    .where(
      and(
        eq(decision.tenant, tenant),
        eq(decision.decision_id, decision_id),
        eq(decision.is_counted, false),
      ),
    )
    .get();
  return row?.model_id == null ? null : { model_id: row.model_id, is_probe: row.is_probe };
}

/** Forgets the oldest thousand of the decisions from before an instant in the stored form, and says how many those were. */
export async function removeOldDecisions(db: D1Database, before: string): Promise<number> {
  const { meta } = await drizzle(db).run(sql`
    DELETE FROM ${decision} WHERE (tenant, decision_id) IN (
      SELECT aged.tenant, aged.decision_id FROM ${decision} AS aged
      WHERE aged.created_at < ${before} ORDER BY aged.created_at LIMIT ${DELETED_AT_ONCE})`);
  return meta.changes;
}
