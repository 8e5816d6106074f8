import {
  and,
  asc,
  eq,
  gt,
  inArray,
  isNotNull,
  isNull,
  lte,
  ne,
  notLike,
  sql,
  type SQL,
} from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";

import { auditInsert } from "../../db/audit-table.ts";
import { webhookSubscriptionTable, webhookTable } from "../../db/tables.ts";
import { notificationTypeSchema } from "../../protocol/enums.ts";
import type { AuditRecord } from "./audit.ts";
import { facetKey, type Facet } from "./facets.ts";
import {
  signingSecretsSchema,
  storedRegistrationSchema,
  webhookStateSchema,
  type Webhook,
} from "./registration.ts";
import { routedFacets, routingSchema, subscriberSchema, type Subscriber } from "./routing.ts";

/**
 * The registry of webhooks in D1. Deleted ones are kept, so that their deliveries stay readable.
 *
 * Each change commits together with the record of it, or neither does.
 */
export class WebhookStore {
  readonly #db: DrizzleD1Database;

  constructor(database: D1Database) {
    this.#db = drizzle(database);
  }

  /** @param beside what is written in the same transaction */
  async insert(
    webhook: Webhook,
    record: AuditRecord,
    ...beside: BatchItem<"sqlite">[]
  ): Promise<void> {
    await this.#db.batch([
      auditInsert(this.#db, record),
      this.#db.insert(webhookTable).values(rowOf(webhook)),
      this.#subscribe(webhook, webhook.version),
      ...beside,
    ]);
  }

  /** Null when it does not exist or was deleted. */
  async read(tenant: string, webhook_id: string): Promise<Webhook | null> {
    const [row] = await this.#db.select().from(webhookTable).where(isLive(tenant, webhook_id));
    return row === undefined ? null : webhookOf(row);
  }

  /** One that was deleted, as it is then; null when it was not. */
  async readDeleted(tenant: string, webhook_id: string): Promise<Webhook | null> {
    const wasDeleted = and(isOf(tenant, webhook_id), isNotNull(webhookTable.deleted_at));
    const [row] = await this.#db.select().from(webhookTable).where(wasDeleted);
    return row === undefined ? null : webhookOf(row);
  }

  /** Whether it exists or has existed. */
  async isKnown(tenant: string, webhook_id: string): Promise<boolean> {
    return (await this.#db.$count(webhookTable, isOf(tenant, webhook_id))) > 0;
  }

  /** At most `limit`, by id, behind `after`; those of alert channels are listed with their channels. */
  async list(tenant: string, after: string, limit: number): Promise<Webhook[]> {
    const { deleted_at, webhook_id } = webhookTable;
    const rows = await this.#db
      .select()
      .from(webhookTable)
      .where(
        and(
          eq(webhookTable.tenant, tenant),
          gt(webhook_id, after),
          isNull(deleted_at),
          isRegistered,
        ),
      )
      .orderBy(asc(webhook_id))
      .limit(limit);
    return rows.map((row) => webhookOf(row));
  }

  /** Replaces the version before this one. False, and nothing happened, when that is no longer the newest. */
  async update(webhook: Webhook, record: AuditRecord): Promise<boolean> {
    const { registration, routing, secrets, state, is_verified, version } = rowOf(webhook);
    const before = await this.#before(webhook);
    if (before === null) return false;
    // The subscriptions change first, while the version before can still be seen by them.
    const [, , , changed] = await this.#db.batch([
      auditInsert(this.#db, record, isStillNewest(before)),
      this.#unsubscribe(before, routedFacets(webhook)),
      this.#subscribe(webhook, before.version),
      this.#db
        .update(webhookTable)
        .set({ registration, routing, secrets, state, is_verified, version })
        .where(isNewest(before))
        .returning({ version: webhookTable.version }),
    ]);
    return changed.length > 0;
  }

  /**
   * Marks the version before this one deleted, at the record's instant, and ends its subscriptions. False when it is
   * no longer the newest.
   */
  async remove(webhook: Webhook, record: AuditRecord): Promise<boolean> {
    const before = await this.#before(webhook);
    if (before === null) return false;
    const [, , changed] = await this.#db.batch([
      auditInsert(this.#db, record, isStillNewest(before)),
      this.#unsubscribe(before, []),
      this.#db
        .update(webhookTable)
        .set({ deleted_at: record.at, version: webhook.version })
        .where(isNewest(before))
        .returning({ version: webhookTable.version }),
    ]);
    return changed.length > 0;
  }

  /**
   * The receiver wants nothing more, or has failed for too long, up to this version. Repeating it changes and records
   * nothing, nor does it undo what somebody decided since.
   */
  async disable(
    { tenant, webhook_id, version }: Pick<Webhook, "tenant" | "webhook_id" | "version">,
    record: AuditRecord,
  ): Promise<void> {
    const isDue = and(
      isLive(tenant, webhook_id),
      ne(webhookTable.state, "disabled"),
      lte(webhookTable.version, version),
    );
    await this.#db.batch([
      auditInsert(this.#db, record, sql`EXISTS (SELECT 1 FROM ${webhookTable} WHERE ${isDue})`),
      this.#db
        .update(webhookTable)
        .set({ state: "disabled", version: sql`${webhookTable.version} + 1` })
        .where(isDue),
    ]);
  }

  /** The breaker's level, as its object tells it. It is no change of the registration. */
  async setLevel(tenant: string, webhook_id: string, level: number): Promise<void> {
    await this.#db.update(webhookTable).set({ level }).where(isOf(tenant, webhook_id));
  }

  /**
   * Who is found under one of these keys, once for each type: a search of the index for each key and each
   * endpoint found, whatever else is registered. Filters decide whether it wants the notification.
   */
  async subscribers(tenant: string, asked: readonly Facet[]): Promise<Subscriber[]> {
    // CROSS JOIN keeps the order of the tables: keys first, then the index.
    const rows = await this.#db.all(
      sql`SELECT found.type, found.webhook_id, webhook.version,
            json_extract(webhook.registration, '$.events') AS events,
            json_extract(webhook.registration, '$.filters') AS filters,
            webhook.routing, webhook.created_at
          FROM (
            SELECT DISTINCT subscription.type, subscription.webhook_id
            FROM json_each(${keysOf(asked)}) AS asked
            CROSS JOIN ${webhookSubscriptionTable} AS subscription
            WHERE subscription.tenant = ${tenant}
              AND subscription.type = json_extract(asked.value, '$[0]')
              AND subscription.facet = json_extract(asked.value, '$[1]')
          ) AS found
          CROSS JOIN ${webhookTable} AS webhook
          WHERE webhook.tenant = ${tenant} AND webhook.webhook_id = found.webhook_id`,
    );
    return rows.map((row) => subscriberSchema.parse(row));
  }

  /** The versions of those that exist and were registered as webhooks, by id: alert channels are nobody's stakeholders. */
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
          isRegistered,
        ),
      );
    return new Map(rows.map((row) => [row.webhook_id, row.version]));
  }

  /** The version before this one; null when that is not the newest. */
  async #before({ tenant, webhook_id, version }: Webhook): Promise<Webhook | null> {
    const newest = await this.read(tenant, webhook_id);
    return newest?.version === version - 1 ? newest : null;
  }

  /** A row for each key, if the webhook has this version; those that are there already stay. */
  #subscribe(webhook: Webhook, version: number) {
    const { tenant, webhook_id } = webhook;
    const keys = keysOf(routedFacets(webhook));
    return this.#db
      .insert(webhookSubscriptionTable)
      .select(
        sql`SELECT ${tenant}, json_extract(value, '$[0]'), json_extract(value, '$[1]'), ${webhook_id}
            FROM json_each(${keys}) WHERE ${hasVersion(tenant, webhook_id, version)}`,
      )
      .onConflictDoNothing();
  }

  /** Removes the rows that this webhook has, less those to keep, if it still is the newest version. */
  #unsubscribe(webhook: Webhook, kept: readonly Facet[]) {
    const { tenant, webhook_id, version } = webhook;
    const { type, facet, webhook_id: id, tenant: owner } = webhookSubscriptionTable;
    // Rows from before there were other keys have this one, whatever the filters say.
    const oldest = notificationTypeSchema.options.map((each) => ({ type: each, facet: "*" }));
    const keptKeys = new Set(kept.map(facetKey));
    const held = [...routedFacets(webhook), ...oldest];
    const keys = keysOf(held.filter((each) => !keptKeys.has(facetKey(each))));
    return this.#db.delete(webhookSubscriptionTable).where(
      and(
        eq(owner, tenant),
        sql`(${type}, ${facet}) IN
              (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(${keys}))`,
        eq(id, webhook_id),
        hasVersion(tenant, webhook_id, version),
      ),
    );
  }
}

/** Keys as one parameter, because a statement takes a hundred at most (facts/platform.md §4). */
function keysOf(facets: readonly Facet[]): string {
  return JSON.stringify(facets.map(({ type, facet }) => [type, facet]));
}

/** Whether somebody registered it as a webhook: the ids of alert channels' endpoints begin otherwise (shards.ts). */
const isRegistered = notLike(webhookTable.webhook_id, "ch%");

function isOf(tenant: string, webhook_id: string): SQL | undefined {
  return and(eq(webhookTable.tenant, tenant), eq(webhookTable.webhook_id, webhook_id));
}

function isLive(tenant: string, webhook_id: string): SQL | undefined {
  return and(isOf(tenant, webhook_id), isNull(webhookTable.deleted_at));
}

function isNewest({ tenant, webhook_id, version }: Webhook): SQL | undefined {
  return and(isLive(tenant, webhook_id), eq(webhookTable.version, version));
}

/** The same inside a statement that reads no webhook by itself. */
function isStillNewest({ tenant, webhook_id, version }: Webhook): SQL {
  return hasVersion(tenant, webhook_id, version);
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
    routing: JSON.stringify(webhook.routing),
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
    routing: routingSchema.parse(JSON.parse(row.routing)),
    secrets: signingSecretsSchema.parse(JSON.parse(row.secrets)),
    state: webhookStateSchema.parse(row.state),
    level: row.level,
    isVerified: row.is_verified === 1,
    version: row.version,
    created_at: row.created_at,
  };
}
