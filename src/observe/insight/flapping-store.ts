import * as z from "zod";

import type { LevelChange } from "./flapping.ts";

/** Changes that are looked at, the newest. */
const MAX_CHANGES = 2_000;

const changeSchema = z.object({
  webhook_id: z.string(),
  at: z.string(),
  from: z.int(),
  to: z.int(),
  why: z.string(),
});

/**
 * How the levels of a tenant's endpoints have changed: what the audit has of them, which endpoints' objects write.
 *
 * @param span instants in the stored form
 * @throws when D1 fails
 */
export async function readLevelChanges(
  db: D1Database,
  tenant: string,
  span: { since: string; until: string },
): Promise<LevelChange[]> {
  const { results } = await db
    .prepare(
      `SELECT subject AS webhook_id, at, detail ->> '$.from' AS "from", detail ->> '$.to' AS "to",
         coalesce(detail ->> '$.why', '') AS why
       FROM audit INDEXED BY audit_by_action
       WHERE tenant = ?1 AND action = 'level_changed' AND at >= ?2 AND at < ?3
       ORDER BY at DESC, audit_id DESC LIMIT ${MAX_CHANGES}`,
    )
    .bind(tenant, span.since, span.until)
    .all();
  return results.map((row) => changeSchema.parse(row));
}
