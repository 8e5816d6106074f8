import * as z from "zod";

import { AMOUNTS, STEPS, TOTAL_STEP } from "../../db/rollup-table.ts";
import { LENGTHS, rowsOfRange, togetherStep } from "./rows.ts";
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

const keptSchema = z.object({ step: z.int(), bucket: z.int() });

/** Which steps of a length overlap a range: of all executors together, a row for each type. */
const keptSteps = (length: number): string =>
  `SELECT DISTINCT ${length} AS step, bucket FROM task_rollup
   WHERE tenant = ?1 AND step = ${togetherStep(length)} AND bucket > ?2 - ${length} AND bucket < ?3`;

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
  const within = LENGTHS.filter((length) => length <= step_s);
  const longer = LENGTHS.filter((length) => length > step_s);
  const figures = db
    .prepare(
      `SELECT bucket - bucket % ?6 AS at, ${SUMS} FROM (${rowsOfRange("*", within, agent_id)})
       GROUP BY 1`,
    )
    .bind(tenant, from, to, task_type, agent_id, step_s);
  const kept = longer.map((length) => db.prepare(keptSteps(length)).bind(tenant, from, to));
  const [fine, ...coarse] = await db.batch<Record<string, unknown>>([figures, ...kept]);
  return {
    steps: stepsOf(fine?.results ?? []),
    coarse: coarse.flatMap(({ results }) => results.map((row) => keptSchema.parse(row))),
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
