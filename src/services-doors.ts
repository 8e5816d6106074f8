import { AuditStore } from "./audit/audit-store.ts";
import { readConfig } from "./config.ts";
import { ShardedEndpoint, type EndpointOffice } from "./delivery/endpoint-door.ts";
import { CallbackSecretStore } from "./delivery/registry/callback-secret-store.ts";
import { createHostCheck } from "./delivery/registry/host-check.ts";
import { WebhookStore } from "./delivery/registry/webhook-store.ts";
import { endpointName, shardsOf } from "./delivery/shards.ts";
import { newSecret } from "./delivery/signature.ts";
import { createAgentStore } from "./dispatch/agent-store.ts";
import type { BatchDoor } from "./dispatch/batch/batch-ports.ts";
import type { PoolPort } from "./dispatch/pool/pool-port.ts";
import { createGuard } from "./history/guard.ts";
import { Past } from "./history/past.ts";
import { consoleLog } from "./lib/log.ts";
import type { Clock } from "./lib/ports.ts";
import { createSealer } from "./lib/seal.ts";
import { createKnownHistories } from "./observe/known-histories.ts";
import { readTypeHistory } from "./observe/type-history-store.ts";
import { historiesOf } from "./services-history.ts";
import type { TaskObject } from "./task/task-object.ts";

/* Everything that has a binding behind it. */

/** The clock of everything that is built. */
export const now: Clock = () => Date.now();

/** An endpoint as a whole, of however many objects. */
export function endpointDoor(env: Env, tenant: string, webhook_id: string): EndpointOffice {
  const shards = shardsOf(webhook_id);
  const stub = (shard: number): EndpointOffice =>
    env.ENDPOINT.getByName(endpointName(tenant, webhook_id, shard));
  return shards === 1
    ? stub(0)
    : new ShardedEndpoint(Array.from({ length: shards }, (_, shard) => stub(shard)));
}

type TaskStub = DurableObjectStub<TaskObject>;

/** The bucket of the archive, which an installation may have. */
function archiveOf(env: Env & { ARCHIVE?: R2Bucket }): R2Bucket | null {
  return env.ARCHIVE ?? null;
}

function build(env: Env) {
  const config = readConfig({ ...env });
  const sealer = createSealer(config.sealKeys);
  const guard = createGuard(now, consoleLog("history", now));
  const history = historiesOf(env, config.historyShards, { guard, now });
  const agentStore = createAgentStore(env.DB);
  return {
    config,
    hostFault: createHostCheck({
      get: (address, init) => fetch(address, init),
      now,
      isLocalAllowed: config.allowLocalEndpoints,
    }),
    /** Gets the public keys of the tokens' issuer, from the address that the operator chose. */
    fetchKeySet: (address: string, init: RequestInit) => fetch(address, init),
    urlPolicy: { isLocalAllowed: config.allowLocalEndpoints, ownOrigins: config.ownOrigins },
    task: (tenant: string, task_id: string): TaskStub => env.TASK.getByName(`${tenant}/${task_id}`),
    batch: (tenant: string, batch_id: string): BatchDoor =>
      env.BATCH.getByName(`${tenant}/${batch_id}`),
    pool: (tenant: string, name: string): PoolPort => env.POOL.getByName(`${tenant}/${name}`),
    endpoint: (tenant: string, webhook_id: string) => endpointDoor(env, tenant, webhook_id),
    webhookStore: new WebhookStore(env.DB),
    audit: new AuditStore(env.DB),
    callbacks: { secrets: new CallbackSecretStore(env.DB), newSecret, sealer, now },
    agentStore: {
      ...agentStore,
      get: (tenant: string, agent_id: string) => guard.get(() => agentStore.get(tenant, agent_id)),
      list: (tenant: string, after: string, limit: number) =>
        guard.get(() => agentStore.list(tenant, after, limit)),
    },
    guard,
    history,
    bucket: archiveOf(env),
    past: new Past({
      bucket: archiveOf(env),
      get: (tenant, query) => history.get(tenant, query),
      historyDays: config.taskRetention.historyDays,
      removedDays: config.taskRetention.removedDays,
      now,
      log: consoleLog("history", now),
    }),
    typeHistories: createKnownHistories({
      now,
      read: (tenant, since) => history.get(tenant, (db) => readTypeHistory(db, tenant, since)),
      pause: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
    }),
  };
}

/** The doors to everything that has a binding behind it. */
export type Doors = ReturnType<typeof build>;

const built = new WeakMap<Env, Doors>();

/** The doors of this isolate: one set, because some of them remember. */
export function doorsOf(env: Env): Doors {
  const known = built.get(env);
  if (known !== undefined) return known;
  const doors = build(env);
  built.set(env, doors);
  return doors;
}
