import { and, asc, eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import { apiKeyTable } from "../db/tables.ts";
import type { KeyView } from "../protocol/access.ts";
import { scopeSchema } from "../protocol/enums.ts";

const rowSchema = z.object({
  key_id: z.string(),
  name: z.string(),
  tenant: z.string(),
  scopes: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.array(scopeSchema)),
  created_at: z.string(),
  expires_at: z.string().nullable(),
});

const COLUMNS = {
  key_id: apiKeyTable.key_id,
  name: apiKeyTable.name,
  tenant: apiKeyTable.tenant,
  scopes: apiKeyTable.scopes,
  created_at: apiKeyTable.created_at,
  expires_at: apiKeyTable.expires_at,
};

/** Stores a key by its hash; the key itself is never stored. */
export async function insertKey(db: D1Database, key_hash: string, key: KeyView): Promise<void> {
  const { key_id, tenant, name, created_at, expires_at } = key;
  const scopes = JSON.stringify(key.scopes);
  await drizzle(db)
    .insert(apiKeyTable)
    .values({ key_hash, key_id, tenant, name, scopes, created_at, expires_at });
}

/** The key with this hash, expired or not, or null. */
export async function findKey(db: D1Database, key_hash: string): Promise<KeyView | null> {
  const row = await drizzle(db)
    .select(COLUMNS)
    .from(apiKeyTable)
    .where(eq(apiKeyTable.key_hash, key_hash))
    .get();
  return row === undefined ? null : rowSchema.parse(row);
}

/** Keys of a tenant in order of key_id, after the one given. */
export async function listKeys(
  db: D1Database,
  tenant: string,
  page: { after: string; limit: number },
): Promise<KeyView[]> {
  const rows = await drizzle(db)
    .select(COLUMNS)
    .from(apiKeyTable)
    .where(and(eq(apiKeyTable.tenant, tenant), gt(apiKeyTable.key_id, page.after)))
    .orderBy(asc(apiKeyTable.key_id))
    .limit(page.limit);
  return rows.map((row) => rowSchema.parse(row));
}

/** Removes a key of a tenant; the hash it had, or null when there is no such key. */
export async function deleteKey(
  db: D1Database,
  tenant: string,
  key_id: string,
): Promise<string | null> {
  const rows = await drizzle(db)
    .delete(apiKeyTable)
    .where(and(eq(apiKeyTable.tenant, tenant), eq(apiKeyTable.key_id, key_id)))
    .returning({ key_hash: apiKeyTable.key_hash });
  return rows[0]?.key_hash ?? null;
}
