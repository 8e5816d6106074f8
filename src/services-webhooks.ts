import { publishAlert } from "./delivery/alert.ts";
import { levelAlert, type EndpointPorts, type LevelReport } from "./delivery/level-report.ts";
import { disabledRecord, levelRecord } from "./delivery/registry/audit.ts";
import { configOf } from "./delivery/registry/registration.ts";
import { SweepStore } from "./delivery/registry/sweep-store.ts";
import { shardsOf } from "./delivery/shards.ts";
import { consoleLog } from "./lib/log.ts";
import type { Priority } from "./protocol/enums.ts";
import { fanOutPorts, now, servicesOf } from "./services.ts";

/* What endpoints' objects are given, and what wakes those that have become quiet. */

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
  const services = servicesOf(env);
  const { webhookStore, endpoint, audit } = services;
  await audit.add(levelRecord(tenant, webhook_id, report));
  if (report.to === 4) {
    await webhookStore.disable(tenant, webhook_id, disabledRecord(tenant, webhook_id, report));
    // Its other shards don't know yet.
    const webhook = shardsOf(webhook_id) > 1 ? await webhookStore.read(tenant, webhook_id) : null;
    if (webhook !== null) {
      await endpoint(tenant, webhook_id).configure(JSON.stringify(configOf(webhook)));
    }
  }
  await webhookStore.setLevel(tenant, webhook_id, await endpoint(tenant, webhook_id).level());
  const alert = levelAlert(webhook_id, report);
  const news = { tenant, alert, at: report.at, except: webhook_id };
  await publishAlert(fanOutPorts(services), news);
}

/** What an endpoint's object asks of other parts. */
export function endpointPortsOf(env: Env): EndpointPorts {
  const sweeps = new SweepStore(env.DB);
  return {
    retention: servicesOf(env).config.retention,
    report: (tenant, webhook_id, report) => tell(env, tenant, webhook_id, report),
    scheduleSweep: (name, due) => sweeps.schedule(name, due),
    sendWake: async (message, priority, delaySeconds) => {
      await retryQueue(env, priority).send(message, { delaySeconds });
    },
  };
}

/** Has the endpoints forget what is too old that nothing else has woken. One that fails comes again next time. */
export async function sweepEndpoints(env: Env): Promise<void> {
  const sweeps = new SweepStore(env.DB);
  const log = consoleLog("sweep", now);
  for (const name of await sweeps.due(now(), SWEPT_AT_ONCE)) {
    try {
      const isKept = await env.ENDPOINT.getByName(name).sweep();
      if (isKept) await sweeps.schedule(name, now() + DAY_MS);
      else await sweeps.remove(name);
    } catch (error) {
      log("error", "sweep_failed", { endpoint: name, error: String(error) });
    }
  }
}
