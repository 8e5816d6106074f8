import { instant } from "../lib/ports.ts";
import type { Clock } from "../lib/ports.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Sealer } from "../lib/seal.ts";
import type { Principal } from "../protocol/access.ts";
import { BUILTIN_AGENT_ID } from "../protocol/agent.ts";
import type { AgentRegistration, AgentView } from "../protocol/agent.ts";
import type { PoolSnapshot } from "../protocol/pool-snapshot.ts";
import { SCHEMA_VERSION } from "../protocol/primitives.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { agentViewOf, presences } from "./agent-view.ts";
import { BUILTIN_AGENT, BUILTIN_POOL } from "./builtin.ts";
import type { PoolPort } from "./pool/pool-port.ts";
import type { PoolAgent } from "./pool/pool.ts";

/** A registered executor. `secret` is sealed; `key_id` is the key that it is bound to, null when an admin registered it. */
export interface AgentRecord {
  agent_id: string;
  registration: AgentRegistration;
  secret: string;
  key_id: string | null;
  /** Finishes what it has and gets no more, until it is activated. */
  is_draining: boolean;
  updated_at: string;
}

/** Where registrations are kept. */
export interface AgentStore {
  get(tenant: string, agent_id: string): Promise<AgentRecord | null>;
  /** In the order of agent_id, after the given one. */
  list(tenant: string, after: string, limit: number): Promise<AgentRecord[]>;
  /** False when the agent_id is taken; then nothing changed. */
  insert(tenant: string, record: AgentRecord): Promise<boolean>;
  /** Changes the registration and the sealed form of the secret; its key and whether it drains stay. */
  update(tenant: string, record: AgentRecord): Promise<void>;
  setDraining(tenant: string, agent_id: string, is_draining: boolean): Promise<void>;
  remove(tenant: string, agent_id: string): Promise<void>;
}

/** What the registry of executors is built from. */
export interface AgentsParts {
  now: Clock;
  store: AgentStore;
  pool: (tenant: string, pool: string) => PoolPort;
  /** Mints a signing secret, `whsec_…`. */
  newSecret: () => string;
  sealer: Sealer;
  isSamOn: boolean;
}

/** Use cases of executors but the claim, which is the dispatcher's. */
export interface Agents {
  put(
    by: Principal,
    agent_id: string,
    registration: AgentRegistration,
  ): Promise<Result<AgentView, Refusal>>;
  get(tenant: string, agent_id: string): Promise<Result<AgentView, Refusal>>;
  list(
    tenant: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: AgentView[]; next_cursor: string | null }>;
  remove(by: Principal, agent_id: string): Promise<Result<null, Refusal>>;
  /** Begins or ends the draining of an executor, which keeps what it has. Repeating it changes nothing. */
  drain(by: Principal, agent_id: string, isDraining: boolean): Promise<Result<AgentView, Refusal>>;
  /** The state of a pool. Refused when no executor is registered in it and nothing waits. */
  snapshot(tenant: string, pool: string): Promise<Result<PoolSnapshot, Refusal>>;
  /**
   * The executor that this key may claim for. `isFresh` asks for what is stored at this moment; otherwise
   * the answer may be a few seconds old, so that a claim needs no database.
   */
  claimant: (
    by: Principal,
    agent_id: string,
    isFresh: boolean,
  ) => Promise<Result<AgentRecord, Refusal>>;
}

/** How long a claim may trust what it read: a changed registration reaches every claim within this time. */
const TRUST_MS = 5_000;

/** Beyond this the memory of registrations is emptied, so that it can't grow with the number of executors. */
const MAX_TRUSTED = 10_000;

/** The registry of executors. */
export function createAgents(parts: AgentsParts): Agents {
  const registry = readThrough(parts);
  return {
    claimant: registry.claimant,
    async put(by, agent_id, registration) {
      const fault = refusalOf(agent_id, registration);
      if (fault !== null) return refuse(fault);
      const saved = await save(parts, by, agent_id, registration);
      if (!saved.ok) return saved;
      registry.forget(by.tenant, agent_id);
      const { record, former, secret } = saved.value;
      const view = await told(parts, by.tenant, record, former);
      return ok(secret === null ? view : { ...view, secret });
    },
    async get(tenant, agent_id) {
      const isBuiltin = agent_id === BUILTIN_AGENT_ID;
      const record = await (isBuiltin ? builtinRecord(parts) : parts.store.get(tenant, agent_id));
      if (record === null) return refuse(notFound(agent_id));
      return ok(agentViewOf(record, await presences(parts.pool, tenant, [record])));
    },
    async list(tenant, { cursor = "", limit }) {
      const builtin = builtinRecord(parts);
      const found = await parts.store.list(tenant, cursor, limit + 1);
      if (builtin !== null && builtin.agent_id > cursor) found.push(builtin);
      found.sort((one, other) => (one.agent_id < other.agent_id ? -1 : 1));
      const records = found.slice(0, limit);
      const living = await presences(parts.pool, tenant, records);
      return {
        items: records.map((record) => agentViewOf(record, living)),
        next_cursor: found.length > limit ? (records.at(-1)?.agent_id ?? null) : null,
      };
    },
    async remove(by, agent_id) {
      const found = await registry.claimant(by, agent_id, true);
      if (!found.ok) return found;
      await parts.store.remove(by.tenant, agent_id);
      registry.forget(by.tenant, agent_id);
      const pools = found.value.registration.pools;
      await Promise.all(pools.map((name) => parts.pool(by.tenant, name).deregister(agent_id)));
      return ok(null);
    },
    async drain(by, agent_id, isDraining) {
      const found = await registry.claimant(by, agent_id, true);
      if (!found.ok) return found;
      await parts.store.setDraining(by.tenant, agent_id, isDraining);
      registry.forget(by.tenant, agent_id);
      const record = { ...found.value, is_draining: isDraining };
      return ok(await told(parts, by.tenant, record, null));
    },
    async snapshot(tenant, name) {
      const snapshot = await parts.pool(tenant, name).snapshot();
      return snapshot === null ? refuse(noPool(name)) : ok(snapshot);
    },
  };
}

/** Registrations with a short memory, so that a claim needs no database. */
function readThrough({ now, store }: AgentsParts) {
  const trusted = new Map<string, { record: AgentRecord; until: number }>();
  const claimant: Agents["claimant"] = async (by, agent_id, isFresh) => {
    if (agent_id === BUILTIN_AGENT_ID) return refuse(reserved());
    const name = `${by.tenant}/${agent_id}`;
    const known = trusted.get(name);
    if (!isFresh && known && known.until > now()) return permitted(by, known.record);
    const record = await store.get(by.tenant, agent_id);
    trusted.delete(name);
    if (record === null) return refuse(notFound(agent_id));
    if (trusted.size >= MAX_TRUSTED) trusted.clear();
    trusted.set(name, { record, until: now() + TRUST_MS });
    return permitted(by, record);
  };
  const forget = (tenant: string, agent_id: string) => trusted.delete(`${tenant}/${agent_id}`);
  return { claimant, forget };
}

/** The executor as it is when its pools know the record. */
async function told(
  parts: AgentsParts,
  tenant: string,
  record: AgentRecord,
  former: AgentRecord | null,
): Promise<AgentView> {
  await tellPools(parts, tenant, record, former);
  return agentViewOf(record, await presences(parts.pool, tenant, [record]));
}

async function tellPools(
  { pool }: AgentsParts,
  tenant: string,
  record: AgentRecord,
  former: AgentRecord | null,
): Promise<void> {
  const names = new Set(record.registration.pools);
  const left = former?.registration.pools.filter((name) => !names.has(name)) ?? [];
  await Promise.all([
    ...[...names].map((name) => pool(tenant, name).register(poolAgentOf(record))),
    ...left.map((name) => pool(tenant, name).deregister(record.agent_id)),
  ]);
}

/** An executor as its pools know it. */
export function poolAgentOf({ agent_id, registration, is_draining }: AgentRecord): PoolAgent {
  const { capabilities, task_types, labels, slots, weight, url } = registration;
  const described = { agent_id, capabilities, task_types, labels, slots, weight };
  return { ...described, isBuiltin: false, isPush: url !== undefined, isDraining: is_draining };
}

/** `secret` is null unless it was minted just now. */
type Saved = { record: AgentRecord; former: AgentRecord | null; secret: string | null };

async function save(
  { store, now, newSecret, sealer }: AgentsParts,
  by: Principal,
  agent_id: string,
  registration: AgentRegistration,
): Promise<Result<Saved, Refusal>> {
  const updated_at = instant(now());
  const key_id = isAdmin(by) ? null : by.key_id;
  const owner = `agent/${by.tenant}/${agent_id}`;
  const secret = newSecret();
  const sealed = await sealer.seal(secret, owner);
  const is_draining = false;
  const fresh = { agent_id, registration, secret: sealed, key_id, is_draining, updated_at };
  // Two first registrations at once: the loser finds the winner's row and is judged by it.
  if ((await store.get(by.tenant, agent_id)) === null && (await store.insert(by.tenant, fresh))) {
    return ok({ record: fresh, former: null, secret });
  }
  const former = await store.get(by.tenant, agent_id);
  if (former === null) return refuse(notFound(agent_id));
  const allowed = permitted(by, former);
  if (!allowed.ok) return allowed;
  const renewed = await sealer.renew(former.secret, owner);
  const record = { ...former, registration, secret: renewed, updated_at };
  await store.update(by.tenant, record);
  return ok({ record, former, secret: null });
}

function isAdmin(by: Principal): boolean {
  return by.scopes.includes("admin");
}

/** An executor that an admin registered is open to every key of its tenant that may execute. */
function permitted(by: Principal, record: AgentRecord): Result<AgentRecord, Refusal> {
  if (record.key_id === null || record.key_id === by.key_id || isAdmin(by)) return ok(record);
  return refuse({
    code: "agent_not_yours",
    detail: `Agent ${record.agent_id} was registered with another key; use that key, or one with scope admin.`,
  });
}

function refusalOf(agent_id: string, { url }: AgentRegistration): Refusal | null {
  if (agent_id === BUILTIN_AGENT_ID) return reserved();
  if (url === undefined) return null;
  const detail = "Tasks are not pushed to a url yet; leave it out and claim them.";
  return {
    code: "not_supported",
    detail,
    errors: [{ pointer: "/url", code: "not_supported", detail }],
  };
}

function reserved(): Refusal {
  return {
    code: "agent_not_yours",
    detail: `The agent_id ${BUILTIN_AGENT_ID} belongs to the built-in executor; choose another one.`,
  };
}

function noPool(name: string): Refusal {
  return {
    code: "pool_not_found",
    detail: `No executor is registered in pool ${name} and no task waits in it; PUT /v1/agents/{agent_id} with this pool among its pools creates it.`,
  };
}

function notFound(agent_id: string): Refusal {
  return {
    code: "agent_not_found",
    detail: `No agent ${agent_id} is registered; PUT /v1/agents/${agent_id} registers it.`,
  };
}

/** The built-in executor as if it were registered; its figures are those of the pool `default`. */
function builtinRecord({ isSamOn }: AgentsParts): AgentRecord | null {
  if (!isSamOn) return null;
  const { agent_id, isBuiltin: _, isPush: __, isDraining, ...described } = BUILTIN_AGENT;
  const registration = { schema_version: SCHEMA_VERSION, pools: [BUILTIN_POOL], ...described };
  const life = { secret: "", key_id: null, is_draining: isDraining, updated_at: "" };
  return { agent_id, registration, ...life };
}
