import { and, asc, eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import { agentTable } from "../db/tables.ts";
import { agentRegistrationSchema } from "../protocol/agent.ts";
import type { AgentRecord, AgentStore } from "./agents.ts";

const columns = {
  agent_id: agentTable.agent_id,
  registration: agentTable.registration,
  secret: agentTable.secret,
  key_id: agentTable.key_id,
  is_draining: agentTable.is_draining,
  updated_at: agentTable.updated_at,
  former_secret: agentTable.former_secret,
  former_until: agentTable.former_until,
};

/** A registration as stored, maybe from when a pool could be named twice. */
const storedSchema = agentRegistrationSchema.extend({
  pools: z.array(z.string()).transform((pools) => [...new Set(pools)]),
});

/** Registrations in D1. Every query goes by the primary key (tenant, agent_id). */
export function createAgentStore(database: D1Database): AgentStore {
  const db = drizzle(database);
  const named = (tenant: string, agent_id: string) =>
    and(eq(agentTable.tenant, tenant), eq(agentTable.agent_id, agent_id));
  return {
    async get(tenant, agent_id) {
      const row = await db.select(columns).from(agentTable).where(named(tenant, agent_id)).get();
      return row ? recordOf(row) : null;
    },
    async list(tenant, after, limit) {
      const rows = await db
        .select(columns)
        .from(agentTable)
        .where(and(eq(agentTable.tenant, tenant), gt(agentTable.agent_id, after)))
        .orderBy(asc(agentTable.agent_id))
        .limit(limit);
      return rows.map(recordOf);
    },
    async insert(tenant, record) {
      const registration = JSON.stringify(record.registration);
      const is_draining = Number(record.is_draining);
      const inserted = await db
        .insert(agentTable)
        .values({ ...record, tenant, registration, is_draining, created_at: record.updated_at })
        .onConflictDoNothing()
        .returning({ agent_id: agentTable.agent_id });
      return inserted.length > 0;
    },
    async update(tenant, { agent_id, registration, updated_at }) {
      await db
        .update(agentTable)
        .set({ registration: JSON.stringify(registration), updated_at })
        .where(named(tenant, agent_id));
    },
    async setDraining(tenant, agent_id, is_draining) {
      await db
        .update(agentTable)
        .set({ is_draining: Number(is_draining) })
        .where(named(tenant, agent_id));
    },
    async replaceSecret(tenant, agent_id, { from, to, former }) {
      const beside = former && { former_secret: former.secret, former_until: former.until };
      const changed = await db
        .update(agentTable)
        .set({ secret: to, ...beside })
        .where(and(named(tenant, agent_id), eq(agentTable.secret, from)))
        .returning({ agent_id: agentTable.agent_id });
      return changed.length > 0;
    },
    async remove(tenant, agent_id) {
      await db.delete(agentTable).where(named(tenant, agent_id));
    },
  };
}

type Row = Omit<AgentRecord, "registration" | "is_draining" | "former"> & {
  registration: string;
  is_draining: number;
  former_secret: string | null;
  former_until: string | null;
};

function recordOf({ former_secret, former_until, ...row }: Row): AgentRecord {
  const registration = storedSchema.parse(JSON.parse(row.registration));
  const former =
    former_secret === null || former_until === null
      ? null
      : { secret: former_secret, until: former_until };
  const is_draining = row.is_draining === 1;
  return { ...row, registration, is_draining, ...(former !== null && { former }) };
}
