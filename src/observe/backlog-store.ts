/** Tasks that are looked at, oldest first: whoever asks wants to know whether they are many, not how many. */
const MAX_COUNTED = 1_000;

/**
 * Tasks of a tenant that wait for an executor, as the index in D1 has them: how many of its 1,000 oldest that have not
 * begun, and when the oldest of them was created; null when none waits.
 */
export async function readBacklog(
  db: D1Database,
  tenant: string,
): Promise<{ waiting: number; oldest_created_at: string | null }> {
  const { results } = await db
    .prepare(
      // The condition is written out, so that the partial index applies.
      `SELECT count(*) AS waiting, min(created_at) AS oldest_created_at FROM (
         SELECT phase, created_at FROM task
         WHERE tenant = ?1 AND status = 'pending' AND status <> 'completed'
         ORDER BY created_at, task_id LIMIT ${MAX_COUNTED})
       WHERE phase = 'queued'`,
    )
    .bind(tenant)
    .all<{ waiting: number; oldest_created_at: string | null }>();
  return results[0] ?? { waiting: 0, oldest_created_at: null };
}
