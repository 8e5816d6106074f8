import type { AgentRecord, AgentStore } from "../../src/dispatch/agents.ts";

/** Registrations in a map, by `tenant/agent_id`; `onRead` is told of each look at one. */
export function memoryStore(records: Map<string, AgentRecord>, onRead: () => void): AgentStore {
  const name = (tenant: string, agent_id: string) => `${tenant}/${agent_id}`;
  const change = (key: string, more: Partial<AgentRecord>) => {
    const before = records.get(key);
    if (before) records.set(key, { ...before, ...more });
  };
  return {
    async get(tenant, agent_id) {
      onRead();
      return records.get(name(tenant, agent_id)) ?? null;
    },
    async list(tenant, after, limit) {
      return [...records.entries()]
        .filter(([of, record]) => of.startsWith(`${tenant}/`) && record.agent_id > after)
        .map(([, record]) => record)
        .toSorted((one, other) => (one.agent_id < other.agent_id ? -1 : 1))
        .slice(0, limit);
    },
    async insert(tenant, record) {
      if (records.has(name(tenant, record.agent_id))) return false;
      records.set(name(tenant, record.agent_id), record);
      return true;
    },
    async update(tenant, { agent_id, registration, updated_at }) {
      change(name(tenant, agent_id), { registration, updated_at });
    },
    async setDraining(tenant, agent_id, is_draining) {
      change(name(tenant, agent_id), { is_draining });
    },
    async replaceSecret(tenant, agent_id, { from, to, former }) {
      if (records.get(name(tenant, agent_id))?.secret !== from) return false;
      change(name(tenant, agent_id), { secret: to, ...(former && { former }) });
      return true;
    },
    async remove(tenant, agent_id) {
      records.delete(name(tenant, agent_id));
    },
  };
}
