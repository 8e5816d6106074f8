import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { STEPS, taskRatingTable } from "../db/rollup-table.ts";
import type { Rating } from "../protocol/metric-series.ts";
import type { RatingRecord } from "./ratings.ts";

const IS_KEPT = `NOT EXISTS (SELECT 1 FROM removed_task AS gone
  WHERE gone.tenant = ?1 AND gone.task_id = ?2)`;

const BEFORE = "FROM task_rating AS old WHERE old.tenant = ?1 AND old.task_id = ?2";

/** Counts the difference to what was counted before, so it has to run before the judgement itself is written. */
const COUNT = `
INSERT INTO task_rollup (tenant, step, bucket, task_type, agent_id, rating_sum, rating_count)
SELECT ?1, ${STEPS.minute}, ?3, ?4, ?5, ?6 - coalesce((SELECT old.counted ${BEFORE}), 0),
  NOT EXISTS (SELECT 1 ${BEFORE})
WHERE ${IS_KEPT}
ON CONFLICT DO UPDATE SET rating_sum = task_rollup.rating_sum + excluded.rating_sum,
  rating_count = task_rollup.rating_count + excluded.rating_count`;

const WRITE = `
INSERT INTO task_rating (tenant, task_id, score, counted, comment, rated_by, rated_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
WHERE ${IS_KEPT}
ON CONFLICT DO UPDATE SET score = excluded.score, counted = excluded.counted, comment = excluded.comment,
  rated_by = excluded.rated_by, rated_at = excluded.rated_at`;

/**
 * Writes a judgement in the place of an earlier one, and counts it once, in one transaction: the last of several at the
 * same time is the one that counts.
 *
 * @returns whether it was written: not where history has removed the task
 * @throws when D1 fails; then nothing was written
 */
export async function writeRating(db: D1Database, rating: RatingRecord): Promise<boolean> {
  const { tenant, task_id, bucket, task_type, agent_id, score, counted } = rating;
  const { comment, rated_by, rated_at } = rating;
  const [, written] = await db.batch([
    db.prepare(COUNT).bind(tenant, task_id, bucket, task_type, agent_id, counted),
    db.prepare(WRITE).bind(tenant, task_id, score, counted, comment, rated_by, rated_at),
  ]);
  return (written?.meta.changes ?? 0) > 0;
}

/** How a task was judged; null where nobody has. */
export async function readRating(
  db: D1Database,
  tenant: string,
  task_id: string,
): Promise<Rating | null> {
  const { score, comment, rated_by, rated_at } = taskRatingTable;
  const row = await drizzle(db)
    .select({ task_id: taskRatingTable.task_id, score, comment, rated_by, rated_at })
    .from(taskRatingTable)
    .where(and(eq(taskRatingTable.tenant, tenant), eq(taskRatingTable.task_id, task_id)))
    .get();
  return row ?? null;
}
