import { and, asc, count, eq, gt, isNull } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";

import { alertChannelTable } from "../../db/channel-table.ts";
import { webhookTable } from "../../db/tables.ts";
import { storedChannelSchema, type LiveChannel, type StoredChannel } from "./channel.ts";

const columns = {
  channel_id: alertChannelTable.channel_id,
  webhook_id: alertChannelTable.webhook_id,
  channel: alertChannelTable.channel,
  updated_at: alertChannelTable.updated_at,
};

const { tenant: ofTenant, channel_id: ofChannel } = alertChannelTable;

/** Alert channels in D1. Every query goes by the primary key (tenant, channel_id). */
export function createChannelStore(database: D1Database) {
  const db = drizzle(database);
  return {
    /** Null when there is none. */
    async read(tenant: string, channel_id: string): Promise<StoredChannel | null> {
      const [row] = await db
        .select(columns)
        .from(alertChannelTable)
        .where(and(eq(ofTenant, tenant), eq(ofChannel, channel_id)));
      return row === undefined ? null : channelOf(row);
    },
    /** At most `limit`, by id, behind `after`. */
    async list(tenant: string, after: string, limit: number): Promise<StoredChannel[]> {
      const rows = await db
        .select(columns)
        .from(alertChannelTable)
        .where(and(eq(ofTenant, tenant), gt(ofChannel, after)))
        .orderBy(asc(ofChannel))
        .limit(limit);
      return rows.map((row) => channelOf(row));
    },
    async count(tenant: string): Promise<number> {
      const [row] = await db
        .select({ channels: count() })
        .from(alertChannelTable)
        .where(eq(ofTenant, tenant));
      return row?.channels ?? 0;
    },
    /** All that have an endpoint, by id, with its version. */
    async live(tenant: string): Promise<LiveChannel[]> {
      const rows = await db
        .select({ ...columns, version: webhookTable.version })
        .from(alertChannelTable)
        .innerJoin(
          webhookTable,
          and(
            eq(webhookTable.tenant, ofTenant),
            eq(webhookTable.webhook_id, alertChannelTable.webhook_id),
            isNull(webhookTable.deleted_at),
          ),
        )
        .where(eq(ofTenant, tenant))
        .orderBy(asc(ofChannel));
      return rows.map(({ version, ...row }) => ({ ...channelOf(row), version }));
    },
    ...changing(db),
  };
}
export type ChannelStore = ReturnType<typeof createChannelStore>;

/** What changes rows. */
function changing(db: DrizzleD1Database) {
  return {
    /** The statement that makes it, for the transaction that makes its endpoint. It fails where there is one of this id. */
    insertion(tenant: string, stored: StoredChannel): BatchItem<"sqlite"> {
      return db.insert(alertChannelTable).values({ tenant, ...rowOf(stored) });
    },
    /** Changes its settings; its endpoint stays. */
    async update(tenant: string, stored: StoredChannel): Promise<void> {
      const { channel, updated_at } = rowOf(stored);
      await db
        .update(alertChannelTable)
        .set({ channel, updated_at })
        .where(and(eq(ofTenant, tenant), eq(ofChannel, stored.channel_id)));
    },
    /** Removes it while it is the one that this endpoint carries. */
    async remove(
      tenant: string,
      { channel_id, webhook_id }: Pick<StoredChannel, "channel_id" | "webhook_id">,
    ): Promise<void> {
      await db
        .delete(alertChannelTable)
        .where(
          and(
            eq(ofTenant, tenant),
            eq(ofChannel, channel_id),
            eq(alertChannelTable.webhook_id, webhook_id),
          ),
        );
    },
  };
}

type ChannelRow = Omit<StoredChannel, "channel"> & { channel: string };

function rowOf(stored: StoredChannel): ChannelRow {
  return { ...stored, channel: JSON.stringify(stored.channel) };
}

function channelOf(row: ChannelRow): StoredChannel {
  return { ...row, channel: storedChannelSchema.parse(JSON.parse(row.channel)) };
}
