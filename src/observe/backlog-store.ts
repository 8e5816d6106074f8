/** Tasks that are counted, at most: whoever asks wants to know whether they are many, not how many. */
const MAX_COUNTED = 1_000;

/** Tasks that have not begun and are looked at, oldest first: many may wait for something else than an executor. */
const MAX_LOOKED = 10_000;

/** The condition `<> 'completed'` is written out, so that the partial index applies. */
const PENDING = "FROM task WHERE tenant = ?1 AND status = 'pending' AND status <> 'completed'";

/**
 * Tasks of a tenant that wait for an executor, as the index in D1 has them: how many, 1,000 at most, and when the oldest of
 * them was created; null when none waits. Of its 10,000 oldest that have not begun; `isComplete` is false where there
 * are more of either.
 *
 * @throws when D1 fails
 */
export async function readBacklog(
  db: D1Database,
  tenant: string,
): Promise<{ waiting: number; oldest_created_at: string | null; isComplete: boolean }> {
  const { results } = await db
    .prepare(
      // Reading stops with the last that is counted. Only where it has not is it asked whether all were looked at.
      `SELECT count(*) AS waiting, min(created_at) AS oldest_created_at,
         CASE WHEN count(*) > ${MAX_COUNTED} THEN 0 ELSE
           (SELECT count(*) FROM (SELECT 1 ${PENDING} LIMIT ${MAX_LOOKED + 1})) <= ${MAX_LOOKED}
         END AS is_complete
       FROM (SELECT created_at FROM (
           SELECT phase, created_at ${PENDING} ORDER BY created_at, task_id LIMIT ${MAX_LOOKED})
         WHERE phase = 'queued' LIMIT ${MAX_COUNTED + 1})`,
    )
    .bind(tenant)
    .all<{ waiting: number; oldest_created_at: string | null; is_complete: number }>();
  const { waiting = 0, oldest_created_at = null, is_complete = 1 } = results[0] ?? {};
  return {
    waiting: Math.min(waiting, MAX_COUNTED),
    oldest_created_at,
    isComplete: is_complete === 1,
  };
}
