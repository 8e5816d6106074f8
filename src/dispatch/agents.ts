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
import { rotateSecret, secretOwnerOf } from "./agent-secrets.ts";
import { agentViewOf, presences } from "./agent-view.ts";
import { BUILTIN_AGENT, BUILTIN_POOL } from "./builtin.ts";
import { createKnownAgents, isAdmin, notFound } from "./known-agents.ts";
import { ownershipFault, permitted, reserved } from "./known-agents.ts";
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
  /** The secret before this one, sealed, and the instant until which it counts too. */
  former?: { secret: string; until: string };
}

/** Where registrations are kept. */
export interface AgentStore {
  get(tenant: string, agent_id: string): Promise<AgentRecord | null>;
  /** In the order of agent_id, after the given one. */
  list(tenant: string, after: string, limit: number): Promise<AgentRecord[]>;
  /** False when the agent_id is taken; then nothing changed. */
  insert(tenant: string, record: AgentRecord): Promise<boolean>;
  /** Changes the registration; its key, its secrets and whether it drains stay. */
  update(tenant: string, record: AgentRecord): Promise<void>;
  setDraining(tenant: string, agent_id: string, is_draining: boolean): Promise<void>;
  /** Replaces a secret if it is still this one, and with `former` what counts beside it; false when it is not. */
  replaceSecret(
    tenant: string,
    agent_id: string,
    change: { from: string; to: string; former?: { secret: string; until: string } },
  ): Promise<boolean>;
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
  /** Why nothing may be pushed to this address, or null; `ownOrigin` is where this request came in. */
  urlFault: (url: string, ownOrigin?: string) => Promise<string | null>;
  isSamOn: boolean;
}

/** Use cases of executors but the claim, which is the dispatcher's. */
export interface Agents {
  /** Refused: agent_not_yours, endpoint_refused. `origin`: scheme, host and port by which the request came. */
  put(
    by: Principal,
    agent_id: string,
    registration: AgentRegistration,
    origin?: string,
  ): Promise<Result<AgentView, Refusal>>;
  get(tenant: string, agent_id: string): Promise<Result<AgentView, Refusal>>;
  list(
    tenant: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: AgentView[]; next_cursor: string | null }>;
  remove(by: Principal, agent_id: string): Promise<Result<null, Refusal>>;
  /** Mints a new secret, which the answer shows; the old one counts beside it for so many seconds. */
  rotateSecret(
    by: Principal,
    agent_id: string,
    overlapSeconds: number,
  ): Promise<Result<AgentView, Refusal>>;
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
  /** An external executor as it is stored, or was a few seconds ago, whoever asks; null when there is none. */
  known: (tenant: string, agent_id: string) => Promise<AgentRecord | null>;
}

/** The registry of executors. */
export function createAgents(parts: AgentsParts): Agents {
  const registry = createKnownAgents(parts);
  return {
    claimant: registry.claimant,
    known: (tenant, agent_id) => registry.known(tenant, agent_id, false),
    async put(by, agent_id, registration, origin) {
      const fault = await faultOf(parts, agent_id, { url: registration.url, origin });
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
      const found = await registry.owned(by, agent_id);
      if (!found.ok) return found;
      await parts.store.remove(by.tenant, agent_id);
      registry.forget(by.tenant, agent_id);
      const pools = found.value.registration.pools;
      await Promise.all(pools.map((name) => parts.pool(by.tenant, name).deregister(agent_id)));
      return ok(null);
    },
    rotateSecret: (by, agent_id, overlapSeconds) =>
      rotated(parts, registry, { by, agent_id, overlapSeconds }),
    async drain(by, agent_id, isDraining) {
      const found = await registry.owned(by, agent_id);
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

/** The executor with its new secret. */
async function rotated(
  parts: AgentsParts,
  registry: ReturnType<typeof createKnownAgents>,
  asked: { by: Principal; agent_id: string; overlapSeconds: number },
): Promise<Result<AgentView, Refusal>> {
  const { by, agent_id, overlapSeconds } = asked;
  const { tenant } = by;
  const found = await registry.owned(by, agent_id);
  if (!found.ok) return found;
  const secret = await rotateSecret(parts, { tenant, agent_id }, overlapSeconds);
  registry.forget(tenant, agent_id);
  if (secret === null) return refuse(notFound(agent_id));
  const view = agentViewOf(found.value, await presences(parts.pool, tenant, [found.value]));
  return ok({ ...view, secret });
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
  const owner = secretOwnerOf(by.tenant, agent_id);
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
  const isMoved = registration.url !== former.registration.url;
  const fault = isMoved ? ownershipFault(by, former) : null;
  if (fault !== null) return refuse(fault);
  const renewed = await sealer.renew(former.secret, owner);
  const record = { ...former, registration, secret: renewed, updated_at };
  await store.update(by.tenant, record);
  // Only if it is what was read: a rotation may have come between.
  if (renewed !== former.secret) {
    await store.replaceSecret(by.tenant, agent_id, { from: former.secret, to: renewed });
  }
  return ok({ record, former, secret: null });
}

async function faultOf(
  { urlFault }: AgentsParts,
  agent_id: string,
  { url, origin }: { url: string | undefined; origin: string | undefined },
): Promise<Refusal | null> {
  if (agent_id === BUILTIN_AGENT_ID) return reserved();
  const detail = url === undefined ? null : await urlFault(url, origin);
  if (detail === null) return null;
  return {
    code: "endpoint_refused",
    detail: "No task is pushed to such an address.",
    errors: [{ pointer: "/url", code: "endpoint_refused", detail }],
  };
}

function noPool(name: string): Refusal {
  return {
    code: "pool_not_found",
    detail: `No executor is registered in pool ${name} and no task waits in it; PUT /v1/agents/{agent_id} with this pool among its pools creates it.`,
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
