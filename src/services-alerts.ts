import { publishAlert } from "./delivery/alert.ts";
import { missedBy } from "./delivery/hand-over.ts";
import { consoleLog } from "./lib/log.ts";
import { instant, randomId } from "./lib/ports.ts";
import { remembered } from "./lib/remembered.ts";
import { alertSource, objectiveSource } from "./observe/alerts/alert-source.ts";
import { createAlerts } from "./observe/alerts/desk/alerts.ts";
import { createObjectives } from "./observe/alerts/desk/objectives.ts";
import { createSettings } from "./observe/alerts/desk/settings.ts";
import { openFigures, type FigureParts } from "./observe/alerts/figures/figures-store.ts";
import { momentsOf } from "./observe/alerts/figures/moments.ts";
import { countOpen } from "./observe/alerts/figures/open-store.ts";
import { judgeTenant, type JudgePorts } from "./observe/alerts/judge.ts";
import type { OpenFigures } from "./observe/alerts/ports.ts";
import {
  acknowledgeAlert,
  countFiring,
  forgetAlerts,
  listAlerts,
  readAlert,
} from "./observe/alerts/store/alert-store.ts";
import {
  markTold,
  readJudgedTenants,
  readKnown,
  readUntold,
  writeChanges,
} from "./observe/alerts/store/judge-store.ts";
import { createSettingStore } from "./observe/alerts/store/setting-store.ts";
import { judgeTenants } from "./observe/alerts/sweep.ts";
import { systemAlertOf } from "./observe/alerts/telling.ts";
import type { SampleSource } from "./observe/meter/ports.ts";
import { readSweepCursor, writeSweepCursor } from "./observe/sweeper-store.ts";
import type { AlertView } from "./protocol/alerts.ts";
import { severitySchema } from "./protocol/enums.ts";
import type { Overview } from "./protocol/overview.ts";
import type { AlertPort, ObjectivePort } from "./rest/alert-port.ts";
import { tellChannels } from "./services-channels.ts";
import { doorsOf, now } from "./services-doors.ts";
import { countedEnv, tenantsIn } from "./services-history.ts";
import { fanOutPorts } from "./services-webhooks.ts";
import { servicesOf } from "./services.ts";

/* What watches the figures, and whom it tells. */

/** How often there is a look (wrangler.toml). Milliseconds. */
const LOOK_MS = 60_000;

/** Alerts that are over are kept for so long. Milliseconds. */
const KEPT_MS = 90 * 86_400_000;

/** Budgets are of weeks, and are counted anew at most so often for overviews and /metrics. Milliseconds. */
const OBJECTIVES_MS = 60_000;

/** Tenants whose objectives are remembered. */
const MAX_REMEMBERED = 200;

/** Figures as `read` reads them, a way for each database. */
function figuresOf(env: Env, read: FigureParts): OpenFigures {
  const { history } = doorsOf(env);
  const { agents, webhooks, operations } = servicesOf(env);
  const moments = momentsOf({
    agents: (tenant, page) => agents.list(tenant, page),
    webhooks: (tenant, page) => webhooks.list(tenant, page),
    oldestAge: async (tenant, webhook_id, window) => {
      const stats = await operations.stats(tenant, webhook_id, window);
      return stats.ok ? stats.value.oldest_due_age_s : null;
    },
    open: (tenant, what) => history.get(tenant, (db) => countOpen(db, tenant, what)),
  });
  return openFigures(read, moments);
}

async function tellAcknowledged(env: Env, tenant: string, alert: AlertView): Promise<void> {
  try {
    const { missed } = await tellChannels(env)({ tenant, alert, change: "acknowledged" });
    if (missed.length > 0) throw new Error(`Channels not reached: ${missed.join(" ")}`);
  } catch (error) {
    const log = consoleLog("alerts", now);
    log("warning", "acknowledgement_untold", {
      tenant,
      alert_id: alert.alert_id,
      error: String(error),
    });
  }
}

/** What the HTTP face asks of alerts. */
export function alertPort(env: Env): AlertPort {
  const { guard } = doorsOf(env);
  const store = createSettingStore(env.DB);
  const settings = createSettings({ now, newId: randomId, store });
  return {
    ...settings,
    ...createAlerts({
      now,
      list: (tenant, query) => guard.read(() => listAlerts(env.DB, tenant, query)),
      get: (tenant, alert_id) => guard.get(() => readAlert(env.DB, tenant, alert_id)),
      acknowledge: async (of, by) => {
        const alert = await acknowledgeAlert(env.DB, of, by);
        // What pages somebody is to stop; should that fail, the alert is acknowledged nevertheless.
        if (alert !== null) await tellAcknowledged(env, of.tenant, alert);
        return alert;
      },
    }),
    rules: (tenant) => guard.get(() => settings.rules(tenant)),
    silences: (tenant) => guard.get(() => settings.silences(tenant)),
  };
}

/** How many alerts fire, by severity. */
export async function alertsFiring(env: Env, tenant: string): Promise<Overview["alerts"]> {
  const counted = await countFiring(env.DB, tenant);
  return [...counted].map(([severity, firing]) => ({
    severity: severitySchema.parse(severity),
    firing,
  }));
}

/** What the HTTP face asks of objectives. */
export function objectivePort(env: Env): ObjectivePort {
  const { guard, history } = doorsOf(env);
  const store = createSettingStore(env.DB);
  const figures = figuresOf(env, {
    technical: (query) => guard.get(() => query(env.DB)),
    history: (tenant, query) => history.get(tenant, query),
  });
  return createObjectives({
    now,
    // Each database by itself: one that is down is to be spared, and not the other.
    store: { ...store, objectives: (tenant) => guard.get(() => store.objectives(tenant)) },
    openFigures: figures,
  });
}

/** The objectives of a tenant, a minute old at most: for those who look all the time. @throws when D1 fails */
export function recentObjectives({ list }: Pick<ObjectivePort, "list">): ObjectivePort["list"] {
  return remembered({ now, for_ms: OBJECTIVES_MS, most: MAX_REMEMBERED }, list);
}

/** What /metrics shows of alerts and objectives. */
export function alertSources(env: Env, objectives: ObjectivePort["list"]): SampleSource[] {
  const { guard } = doorsOf(env);
  return [
    alertSource((tenant) => guard.get(() => countFiring(env.DB, tenant))),
    objectiveSource(objectives),
  ];
}

function judgePorts(env: Env): JudgePorts {
  const doors = doorsOf(env);
  return {
    log: consoleLog("alerts", now),
    newId: randomId,
    // Without breakers: the figures of one tenant that are slow are no reason to judge no other.
    openFigures: figuresOf(env, {
      technical: (query) => query(env.DB),
      history: async (tenant, query) => query(await doors.history.of(tenant)),
    }),
    read: (tenant, at) => readKnown(env.DB, tenant, at),
    write: (tenant, changes) => writeChanges(env.DB, tenant, changes),
    untold: (tenant) => readUntold(env.DB, tenant, Math.floor(now() / LOOK_MS)),
    publish: ({ tenant, alert, change }, except) =>
      missedBy(
        publishAlert(fanOutPorts(doors), {
          tenant,
          alert: systemAlertOf(alert, change),
          at: (change === "resolved" ? alert.resolved_at : null) ?? alert.fired_at,
          except,
        }),
      ),
    tellChannels: tellChannels(env),
    markTold: (tenant, alert_id, told) => markTold(env.DB, tenant, alert_id, told),
  };
}

/** How a slow tenant's turn ends. Tests that wait for all that goes on replace it. */
export const judging = {
  pause: (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms)),
};

/** Tenants that have something to judge, from a name on, in order. @throws when DB can't be read */
async function judgedTenants(env: Env, from: string, limit: number): Promise<string[]> {
  const { history } = doorsOf(env);
  const [ofFirst, ofAll] = await Promise.all([
    readJudgedTenants(env.DB, from, limit),
    history.databases.length === 1 ? null : tenantsIn(history, from, limit),
  ]);
  if (ofAll === null) return ofFirst;
  return [...new Set([...ofFirst, ...ofAll.tenants])].toSorted().slice(0, limit);
}

/** Judges the rules of all tenants, or of as many as one run may. @throws when the tenants can't be read */
export function judgeAlerts(env: Env): Promise<void> {
  // Doors of its own, so that whatever judging and telling asks of D1 is counted.
  const { env: counted, statements } = countedEnv(env);
  const ports = judgePorts(counted);
  return judgeTenants({
    statements,
    now,
    log: ports.log,
    pause: (ms) => judging.pause(ms),
    readStart: async () => (await readSweepCursor(env.DB, "alerts"))?.tenant ?? null,
    writeStart: (tenant) =>
      writeSweepCursor(env.DB, tenant === null ? null : { tenant, place: null }, "alerts"),
    tenants: (from, limit) => judgedTenants(counted, from, limit),
    judge: (tenant, at) => judgeTenant(ports, tenant, at),
  });
}

/** Forgets alerts that were over long ago. */
export function sweepAlerts(env: Env): Promise<void> {
  return forgetAlerts(env.DB, instant(now() - KEPT_MS));
}
