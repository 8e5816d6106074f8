import { publishAlert } from "./delivery/alert.ts";
import type { FanOutPorts } from "./delivery/fan-out.ts";
import { levelAlert, type EndpointPorts, type LevelReport } from "./delivery/level-report.ts";
import { AuditReads } from "./delivery/registry/audit-reads.ts";
import { disabledRecord, levelRecord } from "./delivery/registry/audit.ts";
import { callbackConfig, callbackId } from "./delivery/registry/callbacks.ts";
import { testFilters } from "./delivery/registry/filter-test.ts";
import { createOperations } from "./delivery/registry/operations.ts";
import { configOf } from "./delivery/registry/registration.ts";
import { SweepStore } from "./delivery/registry/sweep-store.ts";
import { taskDeliveries, type TaskDeliveriesPorts } from "./delivery/registry/task-deliveries.ts";
import { Webhooks } from "./delivery/registry/webhooks.ts";
import { sealedConfig } from "./delivery/sealed-secrets.ts";
import { shardsOf } from "./delivery/shards.ts";
import { consoleLog } from "./lib/log.ts";
import { randomId } from "./lib/ports.ts";
import type { NoteRepair } from "./observe/repairs/tally.ts";
import type { Priority } from "./protocol/enums.ts";
import type { RestPorts } from "./rest/ports.ts";
import { doorsOf, now, type Doors } from "./services-doors.ts";
import { deliveryMeter } from "./services-meter.ts";

/* What webhooks are built of, what endpoints' objects are given, and what wakes those that have become quiet. */

/** The use cases of webhooks. */
export function webhookServices(doors: Doors) {
  const { webhookStore, endpoint, audit, callbacks, urlPolicy, hostFault } = doors;
  return {
    webhooks: new Webhooks({
      ...callbacks,
      store: webhookStore,
      audit,
      endpoint,
      newId: randomId,
      urlPolicy,
      hostFault,
    }),
    operations: createOperations({
      store: webhookStore,
      endpoint,
      audit,
      newId: randomId,
      now,
    }),
    auditReads: new AuditReads(audit, webhookStore),
  };
}

/** What telling endpoints needs. */
export function fanOutPorts({
  webhookStore,
  callbacks,
  endpoint,
}: Doors): Omit<FanOutPorts, "tellWithheld"> {
  return {
    registry: {
      subscribers: (tenant, asked) => webhookStore.subscribers(tenant, asked),
      versions: (tenant, webhook_ids) => webhookStore.versions(tenant, webhook_ids),
      configOf: async (tenant, webhook_id) => {
        const webhook = await webhookStore.read(tenant, webhook_id);
        return webhook === null ? null : sealedConfig(callbacks.sealer, configOf(webhook));
      },
      callbackConfig: (tenant, url) => callbackConfig(callbacks, tenant, url),
    },
    endpoint,
    log: consoleLog("fan_out", now),
  };
}

/** Who gets what. */
export function routingPort(env: Env): RestPorts["routing"] {
  const { task, webhookStore, endpoint, past } = doorsOf(env);
  const ports: TaskDeliveriesPorts = {
    audience: (tenant, task_id) => task(tenant, task_id).audience(),
    archived: (tenant, task_id) => past.view(tenant, task_id),
    heldBy: async (tenant, task_id) => (await past.trace(tenant, task_id))?.holders ?? [],
    subscribers: (tenant, asked) => webhookStore.subscribers(tenant, asked),
    callbackId,
    endpoint,
  };
  return {
    testFilters,
    taskDeliveries: ({ tenant }, task_id, page) =>
      taskDeliveries(ports, { tenant, task_id, ...page }),
  };
}

/** How many endpoints one look at the clock sweeps: a run stays well within what it may call. */
const SWEPT_AT_ONCE = 500;

const DAY_MS = 86_400_000;

function retryQueue(env: Env, priority: Priority): Queue {
  switch (priority) {
    case "critical":
      return env.RETRIES_CRITICAL;
    case "high":
    case "normal":
      return env.RETRIES;
    case "low":
      return env.RETRIES_BULK;
  }
}

/** The registry first, then the audit, then whoever listens: each may be told again. */
async function tell(
  env: Env,
  tenant: string,
  webhook_id: string,
  report: LevelReport,
): Promise<void> {
  const doors = doorsOf(env);
  const { webhookStore, endpoint, audit } = doors;
  await audit.add(levelRecord(tenant, webhook_id, report));
  if (report.to === 4) {
    const disabled = { tenant, webhook_id, version: report.version };
    await webhookStore.disable(disabled, disabledRecord(tenant, webhook_id, report));
    // Its other shards don't know yet.
    const webhook = shardsOf(webhook_id) > 1 ? await webhookStore.read(tenant, webhook_id) : null;
    if (webhook !== null) {
      const config = await sealedConfig(doors.callbacks.sealer, configOf(webhook));
      await endpoint(tenant, webhook_id).configure(JSON.stringify(config));
    }
  }
  await webhookStore.setLevel(tenant, webhook_id, await endpoint(tenant, webhook_id).level());
  const alert = levelAlert(webhook_id, report);
  const news = { tenant, alert, at: report.at, except: [webhook_id] };
  await publishAlert(fanOutPorts(doors), news);
}

/** What an endpoint's object asks of other parts. */
export function endpointPortsOf(env: Env): EndpointPorts {
  const sweeps = new SweepStore(env.DB);
  return {
    meter: deliveryMeter(env),
    retention: doorsOf(env).config.retention,
    report: (tenant, webhook_id, report) => tell(env, tenant, webhook_id, report),
    scheduleSweep: (name, due) => sweeps.schedule(name, due),
    sendWake: async (message, priority, delaySeconds) => {
      await retryQueue(env, priority).send(message, { delaySeconds });
    },
  };
}

/** The tenant of an endpoint's object, and the rest of its name. */
function placeOf(name: string): [tenant: string, id: string] {
  const [tenant = "", ...rest] = name.split("/");
  return [tenant, rest.join("/")];
}

/** Has the endpoints forget what is too old that nothing else has woken. One that fails comes again next time. */
export async function sweepEndpoints(env: Env, note: NoteRepair = () => {}): Promise<void> {
  const sweeps = new SweepStore(env.DB);
  const log = consoleLog("sweep", now);
  const began = now();
  for (const name of await sweeps.due(began, SWEPT_AT_ONCE)) {
    try {
      const isKept = await env.ENDPOINT.getByName(name).sweep();
      note("endpoint_swept", ...placeOf(name));
      if (isKept) await sweeps.schedule(name, began + DAY_MS);
      else await sweeps.remove(name, began);
    } catch (error) {
      note("endpoint_not_swept", ...placeOf(name));
      log("error", "sweep_failed", { endpoint: name, error: String(error) });
    }
  }
}
