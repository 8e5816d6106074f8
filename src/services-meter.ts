import type { DeliveryMeter } from "./delivery/level-report.ts";
import type { HistoryWritten } from "./history/history-consumer.ts";
import { consoleLog } from "./lib/log.ts";
import { randomId } from "./lib/ports.ts";
import { ok, refuse } from "./lib/result.ts";
import { readBacklog } from "./observe/backlog-store.ts";
import { Accumulator } from "./observe/meter/accumulator.ts";
import { createAnalyse, type AnalyticsDataset } from "./observe/meter/analytics.ts";
import { meterName, tallySchema, type MeterDoor } from "./observe/meter/meter-door.ts";
import type { MeterPorts } from "./observe/meter/meter-object.ts";
import { readMeterTenants } from "./observe/meter/minute-store.ts";
import type { SampleSource } from "./observe/meter/ports.ts";
import { shareOut } from "./observe/meter/share.ts";
import {
  agentSource,
  queueSource,
  taskSource,
  type ReadAgents,
} from "./observe/meter/show/gauges.ts";
import {
  MAX_TENANTS,
  scrapeAll,
  scrapeTenant,
  type ScrapeParts,
} from "./observe/meter/show/scrape.ts";
import { readRollupTotals } from "./observe/rollup/rollup-store.ts";
import { taskSamples } from "./observe/rollup/task-totals.ts";
import type { MeterPort } from "./rest/meter-port.ts";
import { doorsOf, now } from "./services-doors.ts";
import { tenantsIn } from "./services-history.ts";

/* What counts, and what shows the counts. */

/**
 * Whether isolates tell of what they count by themselves, and how that waits to be told together: five seconds. Tests of
 * everything else have them tell when they are asked, for an alarm of a MeterObject would go on behind them.
 */
export const metering = {
  isTelling: true,
  pause: (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 5_000)),
};

function meterDoor(env: Env, tenant: string): MeterDoor {
  return env.METER.getByName(meterName(tenant));
}

const built = new WeakMap<Env, Accumulator>();

/** The figures of this isolate. */
export function meterOf(env: Env): Accumulator {
  const known = built.get(env);
  if (known !== undefined) return known;
  const meter = new Accumulator({
    now,
    log: consoleLog("meter", now),
    door: (tenant) => meterDoor(env, tenant),
    source: randomId(),
    pause: () => (metering.isTelling ? metering.pause() : null),
  });
  built.set(env, meter);
  return meter;
}

/** Writes points to the dataset that an installation may have. */
function analyseOf(env: Env & { ANALYTICS?: AnalyticsDataset }) {
  return createAnalyse(env.ANALYTICS ?? null, consoleLog("meter", now));
}

/** Counts what history has written; rows are shared out by messages, because D1 does not tell whose they are. */
export function countHistory(env: Env, { messages, rows, lag_ms }: HistoryWritten): void {
  const meter = meterOf(env);
  for (const [tenant, share] of shareOut(rows, messages)) {
    meter.count(tenant, "batuta_rows_written_total", ["history"], share);
    meter.time(tenant, "batuta_history_lag_seconds", [], lag_ms);
  }
}

/** Counts what endpoints send. */
export function deliveryMeter(env: Env): DeliveryMeter {
  const meter = meterOf(env);
  const analyse = analyseOf(env);
  return {
    attempted: (tenant, isSuccess) =>
      meter.count(tenant, "batuta_delivery_attempts_total", [isSuccess ? "success" : "failure"]),
    ended: (tenant, outcome) => meter.count(tenant, "batuta_deliveries_total", [outcome]),
    arrived(tenant, latency_ms) {
      meter.time(tenant, "batuta_delivery_latency_seconds", [], latency_ms);
      analyse({ kind: "delivery", tenant, latency_ms });
    },
    wrote: (tenant, rows) => meter.count(tenant, "batuta_rows_written_total", ["endpoint"], rows),
    tell: (tenant) => (metering.isTelling ? meter.flush(tenant) : Promise.resolve()),
  };
}

/** Tenants with technical figures, and those with tasks; the latter may have come just now. */
async function allTenants(env: Env): Promise<{ tenants: string[]; isComplete: boolean }> {
  const { guard, history } = doorsOf(env);
  const [metered, withTasks] = await Promise.all([
    guard.get(() => readMeterTenants(env.DB, MAX_TENANTS)),
    tenantsIn(history, "", MAX_TENANTS + 1),
  ]);
  const tenants = [...new Set([...metered.tenants, ...withTasks.tenants])].toSorted();
  const isComplete = withTasks.isComplete && withTasks.tenants.length <= MAX_TENANTS;
  return { tenants, isComplete: metered.isComplete && isComplete };
}

/** What /metrics shows besides the technical totals. */
function sourcesOf(env: Env, agents: ReadAgents, more: readonly SampleSource[]): SampleSource[] {
  const { history } = doorsOf(env);
  return [
    taskSource((tenant) =>
      history.get(tenant, async (db) => taskSamples(await readRollupTotals(db, tenant))),
    ),
    queueSource((tenant) => history.get(tenant, (db) => readBacklog(db, tenant)), now),
    agentSource(agents),
    ...more,
  ];
}

/** What the HTTP face asks of figures. `more`: what other rooms show at /metrics. */
export function meterPort(env: Env, agents: ReadAgents, more: readonly SampleSource[]): MeterPort {
  const meter = meterOf(env);
  const analyse = analyseOf(env);
  const parts: ScrapeParts = {
    log: consoleLog("meter", now),
    totals: async (tenant) => tallySchema.parse(JSON.parse(await meterDoor(env, tenant).read())),
    sources: sourcesOf(env, agents, more),
    tenants: () => allTenants(env),
  };
  return {
    count(request) {
      const { tenant, route, method, status, duration_ms } = request;
      analyse({ kind: "request", ...request });
      const statusClass = `${Math.floor(status / 100)}xx`;
      meter.count(tenant, "batuta_http_requests_total", [route, method, statusClass]);
      meter.time(tenant, "batuta_http_request_duration_seconds", [route, method], duration_ms);
      return meter.flushSoon();
    },
    async text(by, isAll) {
      if (isAll && !by.isBootstrap) {
        const detail = "the figures of all tenants are for the bootstrap key; leave out `all`";
        return refuse({ code: "forbidden", detail });
      }
      // What this isolate has counted is to be in what it shows.
      await meter.flush(isAll ? undefined : by.tenant);
      return ok(isAll ? await scrapeAll(parts) : await scrapeTenant(parts, by.tenant));
    },
  };
}

/** What the objects of figures need from other parts. */
export function meterPortsOf(env: Env): MeterPorts {
  return { db: env.DB };
}
