import { and, eq, sql } from "drizzle-orm";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import * as z from "zod";

import { auditInsert } from "../../db/audit-table.ts";
import { callbackSecretTable } from "../../db/tables.ts";
import type { AuditRecord } from "./audit.ts";
import { signingSecretsSchema } from "./registration.ts";

const callbackSecretsSchema = z.strictObject({
  version: z.int().min(1),
  secrets: signingSecretsSchema,
});
/** The secrets that sign a tenant's callbacks; `version` grows with each change. */
export type CallbackSecrets = z.infer<typeof callbackSecretsSchema>;

/** The callback secrets of each tenant, in D1. */
export class CallbackSecretStore {
  readonly #db: DrizzleD1Database;

  constructor(database: D1Database) {
    this.#db = drizzle(database);
  }

  /** Null while the tenant has none. */
  async read(tenant: string): Promise<CallbackSecrets | null> {
    const [row] = await this.#db
      .select()
      .from(callbackSecretTable)
      .where(eq(callbackSecretTable.tenant, tenant));
    return row === undefined ? null : callbackSecretsSchema.parse(JSON.parse(row.secrets));
  }

  /** Sets the first secrets of a tenant; when it has some they stay. */
  async insert(tenant: string, secrets: CallbackSecrets): Promise<void> {
    await this.#db
      .insert(callbackSecretTable)
      .values({ tenant, secrets: JSON.stringify(secrets) })
      .onConflictDoNothing();
  }

  /**
   * Replaces the version before this one, together with the record of it. False, and nothing happened, when that is
   * no longer the newest.
   */
  async update(secrets: CallbackSecrets, record: AuditRecord): Promise<boolean> {
    const version = sql`json_extract(${callbackSecretTable.secrets}, '$.version')`;
    const isDue = and(
      eq(callbackSecretTable.tenant, record.tenant),
      sql`${version} = ${secrets.version - 1}`,
    );
    const [, changed] = await this.#db.batch([
      auditInsert(
        this.#db,
        record,
        sql`EXISTS (SELECT 1 FROM ${callbackSecretTable} WHERE ${isDue})`,
      ),
      this.#db
        .update(callbackSecretTable)
        .set({ secrets: JSON.stringify(secrets) })
        .where(isDue)
        .returning({ tenant: callbackSecretTable.tenant }),
    ]);
    return changed.length > 0;
  }
}
