import { DURATION_BOUNDS_S } from "../../db/rollup-table.ts";
import { instant } from "../../lib/ports.ts";
import { severitySchema } from "../../protocol/enums.ts";
import type { MetricSeries } from "../../protocol/metric-series.ts";
import type { Overview } from "../../protocol/overview.ts";
import { sum, type Agent } from "../census.ts";
import { metricOf } from "../meter/catalogue.ts";
import { quantile, seriesFrom } from "../meter/show/series.ts";
import { seriesOf, type MeterStep } from "../meter/tally.ts";
import {
  durationCounts,
  taskSeries,
  type Amounts,
  type RollupSteps,
} from "../rollup/task-series.ts";
import type { OpenCounts } from "./counts.ts";

/* From what was found to what is shown. */

/** What an overview is made of; null is what failed or was too slow. */
export interface Found {
  open: OpenCounts | null;
  /** Of the last 24 hours. */
  day: Amounts | null;
  /** The last hour by minute. */
  hour: RollupSteps | null;
  /** Figures of deliveries of the last 24 hours, in whatever steps they are kept. */
  meter: readonly MeterStep[] | null;
  /** The age of the oldest delivery that is due, seconds. */
  due: { oldest_age_s: number | null } | null;
  agents: { agents: readonly Agent[]; isComplete: boolean } | null;
  alerts: Overview["alerts"] | null;
  objectives: Overview["objectives"] | null;
  health: Overview["health"] | null;
}

/** Seconds of a series' step, and of all of it. */
const STEP_S = 60;
const SERIES_S = 3_600;

/** Which members each source tells. */
const TOLD_BY: Readonly<Record<keyof Found, readonly (keyof Overview)[]>> = {
  open: ["tasks", "webhooks", "escalations_open", "cleanup_debts_open"],
  day: ["tasks", "cost_usd", "tokens"],
  hour: ["series"],
  meter: ["deliveries", "series"],
  due: ["deliveries"],
  agents: ["agents"],
  alerts: ["alerts"],
  objectives: ["objectives"],
  health: ["health"],
};

const SOURCES = [
  "open",
  "day",
  "hour",
  "meter",
  "due",
  "agents",
  "alerts",
  "objectives",
  "health",
] as const satisfies readonly (keyof Found)[];

function tasksOf(open: OpenCounts | null, day: Amounts | null): Overview["tasks"] {
  const of = (name: keyof Amounts): number => day?.[name] ?? 0;
  const [completed, bad] = [of("completed"), of("failed") + of("escalated")];
  const share = (part: number) =>
    quantile(DURATION_BOUNDS_S, day === null ? [] : durationCounts(day), part);
  const assessed = of("quality_count");
  return {
    active: sum((open?.tasks ?? []).map(({ count }) => count)),
    is_complete: open?.isComplete ?? false,
    by_status: [...(open?.tasks ?? [])],
    created: of("created"),
    ended: completed + bad + of("cancelled"),
    succeeded: completed,
    completion_rate: completed + bad === 0 ? null : completed / (completed + bad),
    duration_p50_s: share(0.5),
    duration_p95_s: share(0.95),
    quality: assessed === 0 ? null : of("quality_sum") / 1_000_000 / assessed,
  };
}

/** The figures of a metric by the value of its label, added up. */
function figuresOf(steps: readonly MeterStep[], metric: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { tally } of steps) {
    for (const [key, figures] of Object.entries(tally)) {
      if (!key.startsWith(metric)) continue;
      const series = seriesOf(key);
      if (series?.metric !== metric) continue;
      const value = Object.values(series.labels)[0] ?? "";
      const known = found.get(value) ?? [];
      const length = Math.max(known.length, figures.length);
      found.set(
        value,
        Array.from({ length }, (_, index) => (known[index] ?? 0) + (figures[index] ?? 0)),
      );
    }
  }
  return found;
}

function deliveriesOf(steps: readonly MeterStep[], due: Found["due"]): Overview["deliveries"] {
  const ended = figuresOf(steps, "batuta_deliveries_total");
  const [delivered, failed] = [ended.get("delivered")?.[0] ?? 0, ended.get("exhausted")?.[0] ?? 0];
  const latency = figuresOf(steps, "batuta_delivery_latency_seconds").get("") ?? [];
  const bounds = metricOf("batuta_delivery_latency_seconds")?.buckets ?? [];
  return {
    delivered,
    failed,
    success_rate: delivered + failed === 0 ? null : delivered / (delivered + failed),
    p95_s: quantile(bounds, latency.slice(1), 0.95),
    oldest_due_age_s: due?.oldest_age_s ?? null,
  };
}

function agentsOf(found: Found["agents"]): Overview["agents"] {
  const agents = found?.agents ?? [];
  const online = agents.filter(({ state }) => state === "online");
  const inState = (state: Agent["state"]) => agents.filter((agent) => agent.state === state).length;
  return {
    online: online.length,
    draining: inState("draining"),
    stale: inState("stale"),
    slots: sum(online.map(({ slots }) => slots)),
    slots_in_use: sum(agents.map(({ slots_in_use }) => slots_in_use)),
    is_complete: found?.isComplete ?? false,
  };
}

/** The minutes of the last hour, the present one included: from and to, epoch seconds. */
export function lastHour(now: number): { from: number; to: number } {
  const to = (Math.floor(now / 1_000 / STEP_S) + 1) * STEP_S;
  return { from: to - SERIES_S, to };
}

function seriesOfHour({ hour, meter }: Found, now: number): MetricSeries[] {
  const query = { ...lastHour(now), step_s: STEP_S, task_type: null, agent_id: null };
  const tasks =
    hour === null ? [] : taskSeries(["tasks_created", "tasks_ended", "cost_usd"], hour, query);
  const recent = (meter ?? []).filter(({ bucket, step }) => bucket + step > query.from);
  return [...tasks, ...seriesFrom(recent, { ...query, metrics: ["deliveries"] })];
}

/**
 * The overview from its sources. What a source could not tell is zero or null, and named in `incomplete`.
 *
 * @param now epoch milliseconds
 */
export function overviewOf(found: Found, now: number): Overview {
  const amount = (name: keyof Amounts): number => found.day?.[name] ?? 0;
  const rank = ({ severity }: Overview["alerts"][number]) =>
    severitySchema.options.indexOf(severity);
  const silent = SOURCES.filter((source) => found[source] === null);
  return {
    at: instant(now),
    tasks: tasksOf(found.open, found.day),
    cost_usd: amount("cost_nano_usd") / 1_000_000_000,
    tokens: Math.min(amount("tokens"), Number.MAX_SAFE_INTEGER),
    deliveries: deliveriesOf(found.meter ?? [], found.due),
    agents: agentsOf(found.agents),
    webhooks: found.open?.webhooks ?? { total: 0, troubled: 0 },
    escalations_open: found.open?.escalations ?? 0,
    cleanup_debts_open: found.open?.debts ?? 0,
    alerts: (found.alerts ?? []).toSorted((a, b) => rank(b) - rank(a)),
    objectives: [...(found.objectives ?? [])],
    health: found.health ?? { is_ready: false, dependencies: {} },
    series: seriesOfHour(found, now),
    incomplete: [...new Set(silent.flatMap((source) => TOLD_BY[source]))].toSorted(),
  };
}
