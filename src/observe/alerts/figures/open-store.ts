/** What is open is counted to so many: whoever asks wants to know whether it is much. */
const MAX_COUNTED = 1_000;

const TABLES = { escalations_open: "escalation", cleanup_debts_open: "cleanup_debt" } as const;

/** How many questions wait for an answer, or cleanup debts for their repair: up to 1,000. */
export async function countOpen(
  db: D1Database,
  tenant: string,
  what: keyof typeof TABLES,
): Promise<number> {
  // The condition is written out, so that the partial index applies.
  const row = await db
    .prepare(
      `SELECT count(*) AS open FROM (SELECT 1 FROM ${TABLES[what]}
         WHERE tenant = ?1 AND state = 'open' LIMIT ${MAX_COUNTED})`,
    )
    .bind(tenant)
    .first<{ open: number }>();
  return row?.open ?? 0;
}
