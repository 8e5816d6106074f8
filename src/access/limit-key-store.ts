import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { apiKeyTable } from "../db/tables.ts";

/** Whether a tenant has a key of this id. */
export async function hasKey(db: D1Database, tenant: string, key_id: string): Promise<boolean> {
  const row = await drizzle(db)
    .select({ key_id: apiKeyTable.key_id })
    .from(apiKeyTable)
    .where(and(eq(apiKeyTable.tenant, tenant), eq(apiKeyTable.key_id, key_id)))
    .get();
  return row !== undefined;
}
