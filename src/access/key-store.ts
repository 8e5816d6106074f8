import { and, asc, eq, gt, isNull, lte, or, sql, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import { apiKeyTable } from "../db/tables.ts";
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
  rotated_at: z.string().nullable(),
  former_until: z.string().nullable(),
  last_used_at: z.string().nullable(),
});

/** A key as it is stored, without its hashes. `former_until`: how long the secret before the last rotation works. */
export type KeyRecord = z.infer<typeof rowSchema>;

/** What a key is at its making. */
export type NewKey = Pick<
  KeyRecord,
  "key_id" | "name" | "tenant" | "scopes" | "created_at" | "expires_at"
>;

const COLUMNS = {
  key_id: apiKeyTable.key_id,
  name: apiKeyTable.name,
  tenant: apiKeyTable.tenant,
  scopes: apiKeyTable.scopes,
  created_at: apiKeyTable.created_at,
  expires_at: apiKeyTable.expires_at,
  rotated_at: apiKeyTable.rotated_at,
  former_until: apiKeyTable.former_until,
  last_used_at: apiKeyTable.last_used_at,
};

/** Which key: ids are looked up within their tenant, always. */
export interface KeyName {
  tenant: string;
  key_id: string;
}

const named = ({ tenant, key_id }: KeyName): SQL | undefined =>
  and(eq(apiKeyTable.tenant, tenant), eq(apiKeyTable.key_id, key_id));

/** Stores a key by its hash; the key itself is never stored. */
export async function insertKey(db: D1Database, key_hash: string, key: NewKey): Promise<void> {
  const { key_id, tenant, name, created_at, expires_at } = key;
  const scopes = JSON.stringify(key.scopes);
  await drizzle(db)
    .insert(apiKeyTable)
    .values({ key_hash, key_id, tenant, name, scopes, created_at, expires_at });
}

/**
 * The key with this hash, expired or not, or null.
 *
 * `isFormer`: the hash is of the secret before the last rotation, which may be over.
 */
export async function findKey(
  db: D1Database,
  key_hash: string,
): Promise<{ key: KeyRecord; isFormer: boolean } | null> {
  const row = await drizzle(db)
    .select({ ...COLUMNS, is_former: sql<number>`${apiKeyTable.key_hash} <> ${key_hash}` })
    .from(apiKeyTable)
    .where(or(eq(apiKeyTable.key_hash, key_hash), eq(apiKeyTable.former_hash, key_hash)))
    .get();
  return row === undefined ? null : { key: rowSchema.parse(row), isFormer: row.is_former === 1 };
}

/** The key of this name, expired or not, or null. */
export async function readKey(db: D1Database, name: KeyName): Promise<KeyRecord | null> {
  const row = await drizzle(db).select(COLUMNS).from(apiKeyTable).where(named(name)).get();
  return row === undefined ? null : rowSchema.parse(row);
}

/** Keys of a tenant in order of key_id, after the one given. */
export async function listKeys(
  db: D1Database,
  tenant: string,
  page: { after: string; limit: number },
): Promise<KeyRecord[]> {
  const rows = await drizzle(db)
    .select(COLUMNS)
    .from(apiKeyTable)
    .where(and(eq(apiKeyTable.tenant, tenant), gt(apiKeyTable.key_id, page.after)))
    .orderBy(asc(apiKeyTable.key_id))
    .limit(page.limit);
  return rows.map((row) => rowSchema.parse(row));
}

/**
 * Puts a new secret in the place of the present one, which works until `former_until`; the one before that is over.
 *
 * One statement, so that of two rotations at one time each makes a secret that counts. Null: there is no such key.
 */
export async function rotateKey(
  db: D1Database,
  name: KeyName,
  to: { key_hash: string; rotated_at: string; former_until: string | null },
): Promise<KeyRecord | null> {
  const { key_hash, rotated_at, former_until } = to;
  const former_hash = former_until === null ? null : sql`${apiKeyTable.key_hash}`;
  const [row] = await drizzle(db)
    .update(apiKeyTable)
    .set({ key_hash, rotated_at, former_until, former_hash })
    .where(named(name))
    .returning(COLUMNS);
  return row === undefined ? null : rowSchema.parse(row);
}

/** Changes what is given. Null: there is no such key. */
export async function changeKey(
  db: D1Database,
  name: KeyName,
  change: { name?: string; expires_at?: string | null },
): Promise<KeyRecord | null> {
  const [row] = await drizzle(db)
    .update(apiKeyTable)
    .set(change)
    .where(named(name))
    .returning(COLUMNS);
  return row === undefined ? null : rowSchema.parse(row);
}

/** Notes that a key was used at an instant, unless a use after `before` is noted: then nothing is written. */
export async function noteKeyUse(
  db: D1Database,
  name: KeyName,
  { at, before }: { at: string; before: string },
): Promise<void> {
  const isStale = or(isNull(apiKeyTable.last_used_at), lte(apiKeyTable.last_used_at, before));
  await drizzle(db)
    .update(apiKeyTable)
    .set({ last_used_at: at })
    .where(and(named(name), isStale));
}

/** Removes a key with all its secrets; whether there was one. */
export async function deleteKey(db: D1Database, name: KeyName): Promise<boolean> {
  const rows = await drizzle(db)
    .delete(apiKeyTable)
    .where(named(name))
    .returning({ key_id: apiKeyTable.key_id });
  return rows.length > 0;
}
