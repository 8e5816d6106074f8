import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { tenantShardTable } from "../../db/shard-table.ts";
import { FIRST_SHARD } from "./shards.ts";

/* Which tenant's history is in which database, as DB knows it. */

/** Whether DB has history of a tenant, in SQL. Who had some before there was a choice has it in DB, and stays there. */
function hasHistory(tenant: string): string {
  return ["task", "removed_task", "task_rollup", "lesson"]
    .map((table) => `EXISTS (SELECT 1 FROM ${table} WHERE tenant = ${tenant})`)
    .join(" OR ");
}

// WHERE true: without it SQLite takes ON for the condition of a join.
const PIN = `
INSERT INTO tenant_shard (tenant, shard)
SELECT ?1, CASE WHEN ${hasHistory("?1")} THEN '${FIRST_SHARD}' ELSE ?2 END WHERE true
ON CONFLICT (tenant) DO NOTHING`;

const READ_SETTLED = `
SELECT asked.value AS tenant, coalesce(
  (SELECT shard FROM tenant_shard WHERE tenant = asked.value),
  CASE WHEN ${hasHistory("asked.value")} THEN '${FIRST_SHARD}' END) AS shard
FROM json_each(?1) AS asked`;

const READ = "SELECT shard FROM tenant_shard WHERE tenant = ?1";

/** The databases of those of the tenants that are pinned. @throws when D1 fails */
export async function readPins(
  db: D1Database,
  tenants: readonly string[],
): Promise<Map<string, string>> {
  const asked = sql`(SELECT value FROM json_each(${JSON.stringify(tenants)}))`;
  const rows = await drizzle(db)
    .select()
    .from(tenantShardTable)
    .where(sql`${tenantShardTable.tenant} IN ${asked}`);
  return new Map(rows.map(({ tenant, shard }) => [tenant, shard]));
}

/**
 * The databases of those of the tenants of which no later pin says otherwise: those that are pinned, and DB for those that are
 * not and have history in it. Nothing is written.
 *
 * @throws when D1 fails
 */
export async function readSettled(
  db: D1Database,
  tenants: readonly string[],
): Promise<Map<string, string>> {
  const { results } = await db
    .prepare(READ_SETTLED)
    .bind(JSON.stringify(tenants))
    .all<{ tenant: string; shard: string | null }>();
  return new Map(results.flatMap(({ tenant, shard }) => (shard === null ? [] : [[tenant, shard]])));
}

/**
 * Pins a tenant to a database, unless it is pinned already or has history in DB, and says where it is from then on. Of two
 * that pin at the same time both are told the same.
 *
 * @throws when D1 fails
 */
export async function pinTenant(db: D1Database, tenant: string, shard: string): Promise<string> {
  const [, read] = await db.batch<{ shard: string }>([
    db.prepare(PIN).bind(tenant, shard),
    db.prepare(READ).bind(tenant),
  ]);
  const pinned = read?.results[0]?.shard;
  if (pinned === undefined) throw new Error(`the pin of tenant ${tenant} was not kept`);
  return pinned;
}

/** Databases to which a tenant is pinned: a seek in the index for each. @throws when D1 fails */
export async function readPinnedShards(db: D1Database): Promise<string[]> {
  const { results } = await db
    .prepare(
      `WITH RECURSIVE found(shard) AS (
         SELECT (SELECT min(shard) FROM tenant_shard)
         UNION ALL
         SELECT (SELECT min(shard) FROM tenant_shard WHERE shard > found.shard) FROM found
         WHERE found.shard IS NOT NULL)
       SELECT shard FROM found WHERE shard IS NOT NULL`,
    )
    .all<{ shard: string }>();
  return results.map(({ shard }) => shard);
}
