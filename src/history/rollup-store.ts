import { AMOUNTS, STEPS, TOTAL_STEP } from "../db/rollup-table.ts";
import type { DueFold, RollupFold } from "./rollup-fold.ts";

/* The figures of tasks in D1, as history adds them up and folds them. Readers are in src/observe. */

const COLUMNS = `tenant, step, bucket, task_type, agent_id, ${AMOUNTS.join(", ")}`;

/** `total` never fails: the sum of whole numbers that D1 has would, beyond 64 bits. */
const sumsOf = (of: (amount: string) => string): string =>
  AMOUNTS.map((amount) => `CAST(total(${of(amount)}) AS INTEGER)`).join(", ");

const ADD = `ON CONFLICT DO UPDATE SET ${AMOUNTS.map(
  (amount) => `${amount} = task_rollup.${amount} + excluded.${amount}`,
).join(", ")}`;

const ITS_TASK = `task.tenant = new.value ->> 'tenant' AND task.task_id = new.value ->> 'task_id'`;

/**
 * Adds facts that are not in history yet: so it has to run before they are written, in the same transaction.
 *
 * A task was counted as created when it has a row, as ended when that row has ended or is as new; a question when it has a
 * row; and what is removed was counted before. So a fact counts once, in whatever order, groups and numbers its news come,
 * and a rebuild counts what history has never heard of and nothing else.
 */
export const COUNT_FACTS = `
INSERT INTO task_rollup (${COLUMNS})
SELECT new.value ->> 'tenant', ${STEPS.minute}, new.value ->> 'bucket', new.value ->> 'task_type',
  new.value ->> 'agent_id', ${sumsOf((amount) => `new.value ->> '$.amounts.${amount}'`)}
FROM json_each(?1) AS new
WHERE NOT EXISTS (SELECT 1 FROM removed_task AS gone
    WHERE gone.tenant = new.value ->> 'tenant' AND gone.task_id = new.value ->> 'task_id')
  AND CASE new.value ->> 'kind'
    WHEN 'created' THEN NOT EXISTS (SELECT 1 FROM task WHERE ${ITS_TASK})
    WHEN 'ended' THEN NOT EXISTS (SELECT 1 FROM task WHERE ${ITS_TASK}
      AND (task.phase = 'ended' OR task.seq >= new.value ->> 'seq'))
    ELSE NOT EXISTS (SELECT 1 FROM escalation AS old
      WHERE old.tenant = new.value ->> 'tenant' AND old.escalation_id = new.value ->> 'escalation_id')
  END
GROUP BY 1, 3, 4, 5
${ADD}`;

/** Tenants that have steps which began before an instant, `limit` at most, by name. */
export async function readDueFolds(
  db: D1Database,
  { from, before }: Pick<RollupFold, "from" | "before">,
  limit: number,
): Promise<DueFold[]> {
  // Each turn is one search of the key, and so is the oldest step of a tenant: a scan would read all rows of all tenants.
  const { results } = await db
    .prepare(
      `WITH RECURSIVE known(tenant) AS (
         SELECT (SELECT min(tenant) FROM task_rollup)
         UNION ALL
         SELECT (SELECT min(tenant) FROM task_rollup WHERE tenant > known.tenant)
         FROM known WHERE known.tenant IS NOT NULL)
       SELECT tenant, oldest FROM (
         SELECT tenant, (SELECT min(bucket) FROM task_rollup AS old
           WHERE old.tenant = known.tenant AND old.step = ?1 AND old.bucket < ?2) AS oldest
         FROM known WHERE tenant IS NOT NULL)
       WHERE oldest IS NOT NULL LIMIT ?3`,
    )
    .bind(from, before, limit)
    .all<DueFold>();
  return results;
}

const OF_FOLD = "tenant = ?1 AND step = ?2 AND bucket < ?3";

/** Adds steps up to longer ones. */
const FOLD = `
INSERT INTO task_rollup (${COLUMNS})
SELECT tenant, ?4, bucket - bucket % ?4, task_type, agent_id, ${sumsOf((amount) => amount)}
FROM task_rollup WHERE ${OF_FOLD}
GROUP BY 3, 4, 5
${ADD}`;

/** The same of all executors together: what folds once more comes from those of each, so that both have the same. */
const FOLD_TOGETHER = `
INSERT INTO task_rollup (${COLUMNS})
SELECT tenant, -?4, bucket - bucket % ?4, task_type, '', ${sumsOf((amount) => amount)}
FROM task_rollup WHERE ${OF_FOLD}
GROUP BY 3, 4
${ADD}`;

/** Adds minutes to the total of their type: with the minutes that are left it is all that ever was. */
const ADD_TO_TOTAL = `
INSERT INTO task_rollup (${COLUMNS})
SELECT tenant, ${TOTAL_STEP}, 0, task_type, '', ${sumsOf((amount) => amount)}
FROM task_rollup WHERE ${OF_FOLD}
GROUP BY 4
${ADD}`;

const DELETE = `DELETE FROM task_rollup WHERE tenant = ?1 AND step IN (?2, -?2) AND bucket < ?3`;

/**
 * Folds steps of a tenant into longer ones, in one transaction: two that fold at the same time, or one that does it again,
 * count nothing twice. Minutes go into the total as well.
 *
 * @throws when D1 fails; then nothing was folded
 */
export async function foldRollup(
  db: D1Database,
  tenant: string,
  { from, to, before }: RollupFold,
): Promise<void> {
  const bound = (text: string, ...more: number[]) =>
    db.prepare(text).bind(tenant, from, before, ...more);
  await db.batch([
    bound(FOLD, to),
    bound(FOLD_TOGETHER, to),
    ...(from === STEPS.minute ? [bound(ADD_TO_TOTAL)] : []),
    bound(DELETE),
  ]);
}
