import { consoleLog } from "./lib/log.ts";
import { ok, refuse } from "./lib/result.ts";
import { TIMED_OUT, withinLimit } from "./lib/within-limit.ts";
import { sum } from "./observe/census.ts";
import { forecastOf, meanSecondsOf } from "./observe/forecast/capacity.ts";
import { readVolumes } from "./observe/forecast/volume-store.ts";
import {
  readEndpointCounts,
  readOpenCounts,
  readTroubled,
} from "./observe/overview/counts-store.ts";
import {
  readDayFigures,
  readDeliveryFigures,
  readMinuteFigures,
} from "./observe/overview/figures-store.ts";
import { watchOverview, type Sources } from "./observe/overview/look.ts";
import { lastHour, type Found } from "./observe/overview/overview.ts";
import { OverviewWatchers } from "./observe/overview/watchers.ts";
import { readRuns } from "./observe/run-store.ts";
import { allAgents, type StateParts } from "./observe/state.ts";
import type { TaskType } from "./protocol/enums.ts";
import type { Forecast } from "./protocol/forecast.ts";
import type { Refusal } from "./protocol/refusal.ts";
import type { OverviewPort } from "./rest/overview-port.ts";
import type { HealthPort, RestPorts } from "./rest/ports.ts";
import { doorsOf, now } from "./services-doors.ts";

/* What shows everything at one glance, and what tells of the day to come. */

const HOUR_S = 3_600;
const DAY_HOURS = 24;

/** Tasks from which it follows how long work takes, at most: the newest of a week. */
const MAX_MEASURED = 2_000;
const MEASURED_MS = 7 * 86_400_000;

/** How long executors are waited for, whose registry and pools may hang when history does not. Milliseconds. */
const AGENTS_MS = 2_000;

/** The window of an endpoint's figures; what waits does not depend on it. Seconds. */
const STATS_WINDOW_S = 60;

type ReadAgents = StateParts["agents"];

/** What an overview is given by other parts. */
interface OverviewParts {
  /** Alerts that fire, by severity; none where nothing judges. */
  alertsFiring: (tenant: string) => Promise<NonNullable<Found["alerts"]>>;
  objectives: (tenant: string) => Promise<NonNullable<Found["objectives"]>>;
  agents: ReadAgents;
  stats: RestPorts["operations"]["stats"];
  health: Pick<HealthPort, "ready">;
}

/** Tells what the next 24 hours bring. @throws while history is down; executors that can't be asked leave slots unknown */
export function forecaster(
  env: Env,
  agents: ReadAgents,
): (tenant: string, task_type: TaskType | null) => Promise<Forecast> {
  const log = consoleLog("forecast", now);
  const { history } = doorsOf(env);
  const slotsOf = async (tenant: string): Promise<number | null> => {
    try {
      const found = await withinLimit(AGENTS_MS, () => allAgents({ agents }, tenant));
      if (found === TIMED_OUT) throw new Error(`no answer in ${AGENTS_MS} ms`);
      const online = found.agents.filter(({ state }) => state === "online");
      return found.isComplete ? sum(online.map(({ slots }) => slots)) : null;
    } catch (error) {
      log("warning", "slots_unknown", { tenant, error: String(error) });
      return null;
    }
  };
  return async (tenant, task_type) => {
    const at = now();
    const span = {
      since: new Date(at - MEASURED_MS).toISOString(),
      until: new Date(at).toISOString(),
    };
    const [[volumes, { runs }], slots] = await Promise.all([
      history.get(tenant, (db) =>
        Promise.all([readVolumes(db, tenant, at), readRuns(db, tenant, span, MAX_MEASURED)]),
      ),
      slotsOf(tenant),
    ]);
    return forecastOf({ ...volumes, ...meanSecondsOf(runs), slots }, task_type, at);
  };
}

/** The hours of a day: the present one and the 23 before it. */
function lastDay(at: number): { from: number; to: number } {
  const to = (Math.floor(at / 1_000 / HOUR_S) + 1) * HOUR_S;
  return { from: to - DAY_HOURS * HOUR_S, to };
}

/** How long the oldest delivery that is due has waited, of the endpoints in the worst trouble. */
async function oldestDue(env: Env, stats: OverviewParts["stats"], tenant: string) {
  const troubled = await doorsOf(env).guard.get(() => readTroubled(env.DB, tenant));
  const ages = await Promise.all(
    troubled.map(async ({ webhook_id }) => {
      const found = await stats(tenant, webhook_id, STATS_WINDOW_S);
      return found.ok ? (found.value.oldest_due_age_s ?? []) : [];
    }),
  );
  const known = ages.flat();
  return { oldest_age_s: known.length === 0 ? null : Math.max(...known) };
}

function sourcesOf(env: Env, parts: OverviewParts): Sources {
  const { guard, history } = doorsOf(env);
  return {
    open: async (tenant) => {
      const counts = await history.get(tenant, (db) => readOpenCounts(db, tenant));
      if ((await history.of(tenant)) === env.DB) return counts;
      // Endpoints are registered in DB, whatever else is elsewhere.
      return { ...counts, webhooks: await guard.get(() => readEndpointCounts(env.DB, tenant)) };
    },
    hour: (tenant) => history.get(tenant, (db) => readMinuteFigures(db, tenant, lastHour(now()))),
    day: (tenant) => history.get(tenant, (db) => readDayFigures(db, tenant, lastDay(now()))),
    meter: (tenant) => guard.get(() => readDeliveryFigures(env.DB, tenant, lastDay(now()))),
    due: (tenant) => oldestDue(env, parts.stats, tenant),
    agents: (tenant) => allAgents({ agents: parts.agents }, tenant),
    alerts: parts.alertsFiring,
    objectives: parts.objectives,
    health: async () => {
      const { isReady, dependencies } = await parts.health.ready();
      return { is_ready: isReady, dependencies };
    },
  };
}

/** Whoever has too many streams open learns when to come again: others end every five minutes. */
const TOO_MANY: Refusal = {
  code: "rate_limited",
  detail:
    "100 streams of the tenant's overview are open here, which is the most; close some, or try again in 30 s",
  extra: { retry_after: 30 },
};

/** What the HTTP face asks of overviews and forecasts. */
export function overviewPort(env: Env, parts: OverviewParts): OverviewPort {
  const look = { now, log: consoleLog("overview", now), sources: sourcesOf(env, parts) };
  const watchers = new OverviewWatchers(now, (tenant) => watchOverview(look, tenant));
  const forecast = forecaster(env, parts.agents);
  return {
    look: (tenant) => watchOverview(look, tenant)(),
    watch: (tenant) => {
      const watch = watchers.join(tenant);
      return watch === null ? refuse(TOO_MANY) : ok(watch);
    },
    forecast: async (tenant, { task_type }) => ok(await forecast(tenant, task_type ?? null)),
  };
}
