import { and, asc, eq, gt, inArray, isNull, ne, sql, type SQL } from "drizzle-orm";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";

import { webhookSubscriptionTable, webhookTable } from "../../db/tables.ts";
import { notificationTypeSchema, type NotificationType } from "../../protocol/enums.ts";
import {
  signingSecretsSchema,
  storedRegistrationSchema,
  webhookStateSchema,
  type Webhook,
} from "./registration.ts";
import { subscribedTypes, subscriberSchema, type Subscriber } from "./subscriptions.ts";

/** The registry of webhooks in D1. Deleted ones are kept, so that their deliveries stay readable. */
export class WebhookStore {
  readonly #db: DrizzleD1Database;

  constructor(database: D1Database) {
    this.#db = drizzle(database);
  }

  async insert(webhook: Webhook): Promise<void> {
    await this.#db.batch([
      this.#db.insert(webhookTable).values(rowOf(webhook)),
      this.#subscribe(webhook, webhook.version),
    ]);
  }

  /** Null when it does not exist or was deleted. */
  async read(tenant: string, webhook_id: string): Promise<Webhook | null> {
    const [row] = await this.#db.select().from(webhookTable).where(isLive(tenant, webhook_id));
    return row === undefined ? null : webhookOf(row);
  }

  /** Whether it exists or has existed. */
  async isKnown(tenant: string, webhook_id: string): Promise<boolean> {
    const rows = await this.#db
      .select({ version: webhookTable.version })
      .from(webhookTable)
      .where(and(eq(webhookTable.tenant, tenant), eq(webhookTable.webhook_id, webhook_id)));
    return rows.length > 0;
  }

  /** At most `limit`, by id, behind `after`. */
  async list(tenant: string, after: string, limit: number): Promise<Webhook[]> {
    const { deleted_at, webhook_id } = webhookTable;
    const rows = await this.#db
      .select()
      .from(webhookTable)
      .where(and(eq(webhookTable.tenant, tenant), gt(webhook_id, after), isNull(deleted_at)))
      .orderBy(asc(webhook_id))
      .limit(limit);
    return rows.map((row) => webhookOf(row));
  }

  /** Replaces the version before this one. False, and nothing happened, when that is no longer the newest. */
  async update(webhook: Webhook): Promise<boolean> {
    const { registration, secrets, state, is_verified, version } = rowOf(webhook);
    const before = version - 1;
    // The subscriptions change first, while the version before can still be seen by them.
    const [, , changed] = await this.#db.batch([
      this.#unsubscribe(webhook, before),
      this.#subscribe(webhook, before),
      this.#db
        .update(webhookTable)
        .set({ registration, secrets, state, is_verified, version })
        .where(and(isLive(webhook.tenant, webhook.webhook_id), eq(webhookTable.version, before)))
        .returning({ version: webhookTable.version }),
    ]);
    return changed.length > 0;
  }

  /** Marks the version before this one deleted and ends its subscriptions. False when it is no longer the newest. */
  async remove(webhook: Webhook, at: string): Promise<boolean> {
    const before = webhook.version - 1;
    const [, changed] = await this.#db.batch([
      this.#unsubscribe(webhook, before),
      this.#db
        .update(webhookTable)
        .set({ deleted_at: at, version: webhook.version })
        .where(and(isLive(webhook.tenant, webhook.webhook_id), eq(webhookTable.version, before)))
        .returning({ version: webhookTable.version }),
    ]);
    return changed.length > 0;
  }

  /** The receiver wants nothing more. Repeating it changes nothing. */
  async disable(tenant: string, webhook_id: string): Promise<void> {
    await this.#db
      .update(webhookTable)
      .set({ state: "disabled", version: sql`${webhookTable.version} + 1` })
      .where(and(isLive(tenant, webhook_id), ne(webhookTable.state, "disabled")));
  }

  /** Who wants these types: a search of the index per type and endpoint found, whatever else is registered. */
  async subscribers(tenant: string, types: readonly NotificationType[]): Promise<Subscriber[]> {
    const { type, webhook_id, tenant: owner } = webhookSubscriptionTable;
    const rows = await this.#db
      .select({
        type,
        webhook_id,
        version: webhookTable.version,
        filters: sql<string | null>`json_extract(${webhookTable.registration}, '$.filters')`,
      })
      .from(webhookSubscriptionTable)
      .innerJoin(
        webhookTable,
        and(eq(webhookTable.tenant, owner), eq(webhookTable.webhook_id, webhook_id)),
      )
      .where(and(eq(owner, tenant), inArray(type, [...types])));
    return rows.map((row) => subscriberSchema.parse(row));
  }

  /** The versions of those that exist, by id. */
  async versions(tenant: string, webhook_ids: readonly string[]): Promise<Map<string, number>> {
    const { webhook_id, version, deleted_at } = webhookTable;
    const rows = await this.#db
      .select({ webhook_id, version })
      .from(webhookTable)
      .where(
        and(
          eq(webhookTable.tenant, tenant),
          inArray(webhook_id, [...webhook_ids]),
          isNull(deleted_at),
        ),
      );
    return new Map(rows.map((row) => [row.webhook_id, row.version]));
  }

  /** One row per type, if the webhook has this version. */
  #subscribe({ tenant, webhook_id, registration }: Webhook, version: number) {
    const types = JSON.stringify(subscribedTypes(registration.events));
    return this.#db.insert(webhookSubscriptionTable).select(
      sql`SELECT ${tenant}, value, '*', ${webhook_id} FROM json_each(${types})
          WHERE ${hasVersion(tenant, webhook_id, version)}`,
    );
  }

  #unsubscribe({ tenant, webhook_id }: Webhook, version: number) {
    const { type, webhook_id: id, tenant: owner } = webhookSubscriptionTable;
    return this.#db
      .delete(webhookSubscriptionTable)
      .where(
        and(
          eq(owner, tenant),
          inArray(type, [...notificationTypeSchema.options]),
          eq(id, webhook_id),
          hasVersion(tenant, webhook_id, version),
        ),
      );
  }
}

function isLive(tenant: string, webhook_id: string): SQL | undefined {
  return and(
    eq(webhookTable.tenant, tenant),
    eq(webhookTable.webhook_id, webhook_id),
    isNull(webhookTable.deleted_at),
  );
}

function hasVersion(tenant: string, webhook_id: string, version: number): SQL {
  return sql`EXISTS (SELECT 1 FROM webhook AS hook WHERE hook.tenant = ${tenant}
    AND hook.webhook_id = ${webhook_id} AND hook.version = ${version} AND hook.deleted_at IS NULL)`;
}

type WebhookRow = typeof webhookTable.$inferSelect;

function rowOf(webhook: Webhook): WebhookRow {
  const { isVerified, ...rest } = webhook;
  return {
    ...rest,
    registration: JSON.stringify(webhook.registration),
    secrets: JSON.stringify(webhook.secrets),
    is_verified: Number(isVerified),
    deleted_at: null,
  };
}

function webhookOf(row: WebhookRow): Webhook {
  return {
    tenant: row.tenant,
    webhook_id: row.webhook_id,
    registration: storedRegistrationSchema.parse(JSON.parse(row.registration)),
    secrets: signingSecretsSchema.parse(JSON.parse(row.secrets)),
    state: webhookStateSchema.parse(row.state),
    level: row.level,
    isVerified: row.is_verified === 1,
    version: row.version,
    created_at: row.created_at,
  };
}
