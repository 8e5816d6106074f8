import * as z from "zod";

import { AMOUNTS, STEPS, TOTAL_STEP } from "../../db/rollup-table.ts";
import type { Amounts, RollupQuery, RollupSteps } from "./task-series.ts";

/* The figures of tasks as history has added them up (src/history/rollup-store.ts). */

const SUMS = AMOUNTS.map((amount) => `CAST(total(${amount}) AS INTEGER) AS ${amount}`).join(", ");

/** Columns that are no figures are passed over. */
const amountsSchema: z.ZodType<Amounts> = z.record(z.enum(AMOUNTS), z.number());
const stepSchema = z.looseObject({ at: z.int() });
const typeSchema = z.looseObject({ task_type: z.string() });

function amountsOf(row: Record<string, unknown>): Amounts {
  return amountsSchema.parse(Object.fromEntries(AMOUNTS.map((amount) => [amount, row[amount]])));
}

/** Lengths of kept steps, as SQL has lists: those up to a length, or those beyond it. */
function lengths(isWanted: (step: number) => boolean): string {
  return Object.values(STEPS).filter(isWanted).join(", ");
}

/**
 * The figures of a tenant's tasks in equal steps, and which of them are kept in longer steps only.
 *
 * @throws when D1 fails
 */
export async function readRollup(
  db: D1Database,
  tenant: string,
  { from, to, step_s, task_type, agent_id }: RollupQuery,
): Promise<RollupSteps> {
  const longer = lengths((step) => step > step_s);
  const figures = db
    .prepare(
      `SELECT bucket - bucket % ?2 AS at, ${SUMS} FROM task_rollup
       WHERE tenant = ?1 AND step IN (${lengths((step) => step <= step_s)})
         AND bucket >= ?3 AND bucket < ?4
         AND (?5 IS NULL OR task_type = ?5) AND (?6 IS NULL OR agent_id = ?6)
       GROUP BY 1`,
    )
    .bind(tenant, step_s, from, to, task_type, agent_id);
  if (longer === "") {
    const { results } = await figures.all<Record<string, unknown>>();
    return { steps: stepsOf(results), coarse: [] };
  }
  const kept = db
    .prepare(
      `SELECT DISTINCT step, bucket FROM task_rollup
       WHERE tenant = ?1 AND step IN (${longer}) AND bucket > ?2 - step AND bucket < ?3`,
    )
    .bind(tenant, from, to);
  const [fine, coarse] = await db.batch<Record<string, unknown>>([figures, kept]);
  const keptSchema = z.object({ step: z.int(), bucket: z.int() });
  return {
    steps: stepsOf(fine?.results ?? []),
    coarse: (coarse?.results ?? []).map((row) => keptSchema.parse(row)),
  };
}

function stepsOf(rows: readonly Record<string, unknown>[]): RollupSteps["steps"] {
  return new Map(rows.map((row) => [stepSchema.parse(row).at, amountsOf(row)]));
}

/**
 * Everything that was counted since the tenant's first task, by task type: what was folded away, and the minutes that were
 * not yet. One statement, so that no fold comes in between and no figure ever falls.
 *
 * @throws when D1 fails
 */
export async function readRollupTotals(
  db: D1Database,
  tenant: string,
): Promise<{ task_type: string; amounts: Amounts }[]> {
  const { results } = await db
    .prepare(
      `SELECT task_type, ${SUMS} FROM task_rollup
       WHERE tenant = ?1 AND step IN (${TOTAL_STEP}, ${STEPS.minute})
       GROUP BY task_type ORDER BY task_type`,
    )
    .bind(tenant)
    .all<Record<string, unknown>>();
  return results.map((row) => ({
    task_type: typeSchema.parse(row).task_type,
    amounts: amountsOf(row),
  }));
}
