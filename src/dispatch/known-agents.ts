import type { Clock } from "../lib/ports.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import { BUILTIN_AGENT_ID } from "../protocol/agent.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { AgentRecord, Agents, AgentStore } from "./agents.ts";

/** How long a claim may trust what it read: a changed registration reaches every claim within this time. */
const TRUST_MS = 5_000;

/** How long a registration stays good when the registry can't be read. */
const GRACE_MS = 600_000;

/** Beyond this the memory of registrations is emptied, so that it can't grow with the number of executors. */
const MAX_TRUSTED = 10_000;

/**
 * Registrations with a short memory, so that a claim needs no database. `claimant` is the executor that a key may
 * claim for, `owned` the one whose secret, address and life it decides about, as it is stored at this moment.
 */
export function createKnownAgents({ now, store }: { now: Clock; store: AgentStore }) {
  const trusted = new Map<string, { record: AgentRecord; until: number }>();
  const nameOf = (tenant: string, agent_id: string) => `${tenant}/${agent_id}`;
  const known = async (tenant: string, agent_id: string, isFresh: boolean) => {
    const name = nameOf(tenant, agent_id);
    const before = trusted.get(name);
    if (!isFresh && before && before.until > now()) return before.record;
    let record: AgentRecord | null;
    try {
      record = await store.get(tenant, agent_id);
    } catch (error) {
      // While the registry can't be read, work goes on for those who were there before.
      if (isFresh || before === undefined || before.until + GRACE_MS <= now()) throw error;
      return before.record;
    }
    trusted.delete(name);
    if (record === null) return null;
    if (trusted.size >= MAX_TRUSTED) trusted.clear();
    trusted.set(name, { record, until: now() + TRUST_MS });
    return record;
  };
  const claimant: Agents["claimant"] = async (by, agent_id, isFresh) => {
    if (agent_id === BUILTIN_AGENT_ID) return refuse(reserved());
    const record = await known(by.tenant, agent_id, isFresh);
    return record === null ? refuse(notFound(agent_id)) : permitted(by, record);
  };
  const owned = async (by: Principal, agent_id: string) => {
    const found = await claimant(by, agent_id, true);
    const fault = found.ok ? ownershipFault(by, found.value) : null;
    return fault === null ? found : refuse(fault);
  };
  const forget = (tenant: string, agent_id: string) => trusted.delete(nameOf(tenant, agent_id));
  return { known, claimant, owned, forget };
}

/** Whether a key may do everything. */
export function isAdmin(by: Principal): boolean {
  return by.scopes.includes("admin");
}

/**
 * Why a key may not decide about an executor that it may claim for; null when it may: what an admin registered is
 * an admin's to send elsewhere, to drain, or to remove.
 */
export function ownershipFault(by: Principal, { key_id, agent_id }: AgentRecord): Refusal | null {
  if (key_id !== null || isAdmin(by)) return null;
  return {
    code: "agent_not_yours",
    detail: `Agent ${agent_id} was registered by an admin: any key may claim for it, but its url, its secret, draining and removing it need a key with scope admin.`,
  };
}

/** An executor that an admin registered is open to every key of its tenant that may execute. */
export function permitted(by: Principal, record: AgentRecord): Result<AgentRecord, Refusal> {
  if (record.key_id === null || record.key_id === by.key_id || isAdmin(by)) return ok(record);
  return refuse({
    code: "agent_not_yours",
    detail: `Agent ${record.agent_id} was registered with another key; use that key, or one with scope admin.`,
  });
}

/** The refusal of whoever takes the name of the built-in executor. */
export function reserved(): Refusal {
  return {
    code: "agent_not_yours",
    detail: `The agent_id ${BUILTIN_AGENT_ID} belongs to the built-in executor; choose another one.`,
  };
}

/** The refusal of an agent_id that nobody registered. */
export function notFound(agent_id: string): Refusal {
  return {
    code: "agent_not_found",
    detail: `No agent ${agent_id} is registered; PUT /v1/agents/${agent_id} registers it.`,
  };
}
