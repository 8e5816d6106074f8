import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import { sweepCursorTable } from "../db/tables.ts";
import type { SweepCursor } from "./sweeper.ts";

/**
 * What sweeps over all tenants; each goes on by itself. `tasks` wakes, `alerts` judges, `retention` removes; where that is with a tenant
 * stands under the tenant's name. `removed` forgets what was removed, in each database by the name of its binding.
 */
type Sweep = "tasks" | "alerts" | "retention" | `retention/${string}` | `removed/${string}`;

const cursorSchema = z.strictObject({
  tenant: z.string(),
  place: z.strictObject({ at: z.string(), id: z.string() }).nullable(),
});

/** Where a sweep goes on, or null when it begins anew. */
export async function readSweepCursor(
  db: D1Database,
  name: Sweep = "tasks",
): Promise<SweepCursor | null> {
  const ofSweep = eq(sweepCursorTable.name, name);
  const row = await drizzle(db).select().from(sweepCursorTable).where(ofSweep).get();
  return row === undefined ? null : cursorSchema.parse(JSON.parse(row.cursor));
}

/** Remembers where to go on; null forgets it. */
export async function writeSweepCursor(
  db: D1Database,
  cursor: SweepCursor | null,
  name: Sweep = "tasks",
): Promise<void> {
  if (cursor === null) {
    await drizzle(db).delete(sweepCursorTable).where(eq(sweepCursorTable.name, name));
    return;
  }
  const row = { name, cursor: JSON.stringify(cursor) };
  await drizzle(db)
    .insert(sweepCursorTable)
    .values(row)
    .onConflictDoUpdate({ target: sweepCursorTable.name, set: { cursor: row.cursor } });
}

/** Tenants that have tasks, from a name on, in order: a seek in the primary key for each, never a scan. */
export async function readTenants(db: D1Database, from: string, limit: number): Promise<string[]> {
  const { results } = await db
    .prepare(
      `WITH RECURSIVE found(tenant) AS (
         SELECT (SELECT min(tenant) FROM task WHERE tenant >= ?1)
         UNION ALL
         SELECT (SELECT min(tenant) FROM task WHERE tenant > found.tenant) FROM found
         WHERE found.tenant IS NOT NULL LIMIT ?2)
       SELECT tenant FROM found WHERE tenant IS NOT NULL`,
    )
    .bind(from, limit)
    .all<{ tenant: string }>();
  return results.map(({ tenant }) => tenant);
}
