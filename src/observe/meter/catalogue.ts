import { DURATION_BOUNDS_S } from "../../db/rollup-table.ts";

/* Every metric that /metrics may have. The exposition, the dashboard and the accumulators know no other. */

/** A metric as Prometheus knows it. Labels of a tenant, where all are asked for, come on top. */
export interface Metric {
  name: string;
  type: "counter" | "gauge" | "histogram" | "summary";
  help: string;
  labels: readonly string[];
  /** Upper bounds of a histogram, in the unit of its name, without the last one, which is infinite. */
  buckets?: readonly number[];
}

/** Prometheus's own default bounds, and 30 s, because a claim waits that long for a task. */
const ANSWER_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** From a delivery on the spot to one that its first retries have brought (protocol.md §5: seconds to hours). */
const DELIVERY_BUCKETS = [
  0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400,
] as const;

/** A batch of history is written within a second where all is well, and is tried again for minutes where it is not. */
const LAG_BUCKETS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1_800] as const;

const counter = <Name extends string>(
  name: Name,
  labels: readonly string[],
  help: string,
): Metric & { name: Name } => ({ name, type: "counter", help, labels });

const gauge = <Name extends string>(
  name: Name,
  labels: readonly string[],
  help: string,
): Metric & { name: Name } => ({ name, type: "gauge", help, labels });

const timing = <Name extends string>(
  name: Name,
  labels: readonly string[],
  { help, buckets }: { help: string; buckets: readonly number[] },
): Metric & { name: Name } => ({ name, type: "histogram", help, labels, buckets });

/** What the isolates and objects count themselves, and the MeterObject of a tenant adds up. */
const TECHNICAL = [
  counter(
    "batuta_http_requests_total",
    ["route", "method", "status_class"],
    "HTTP requests by route pattern, method and class of status; unmatched: no route.",
  ),
  timing("batuta_http_request_duration_seconds", ["route", "method"], {
    help: "Seconds from a request to the head of its answer.",
    buckets: ANSWER_BUCKETS,
  }),
  counter(
    "batuta_deliveries_total",
    ["outcome"],
    "Webhook deliveries that came to an end by an attempt: delivered, exhausted or cancelled.",
  ),
  counter(
    "batuta_delivery_attempts_total",
    ["outcome"],
    "Webhook deliveries that an attempt carried, by whether it succeeded; retries are attempts.",
  ),
  timing("batuta_delivery_latency_seconds", [], {
    help: "Seconds from a delivery's creation to its arrival, retries and waits included.",
    buckets: DELIVERY_BUCKETS,
  }),
  counter(
    "batuta_rows_written_total",
    ["store"],
    "Rows written: history (D1, shared out by records) and endpoint (objects' own, less alarms).",
  ),
  timing("batuta_history_lag_seconds", [], {
    help: "Seconds that the oldest message of a batch had waited when history had it.",
    buckets: LAG_BUCKETS,
  }),
] as const;

/** What history rolls up, exactly, by event time. */
const BUSINESS = [
  counter("batuta_tasks_created_total", ["task_type"], "Tasks that were created."),
  counter("batuta_tasks_total", ["status", "task_type"], "Tasks that ended, by how."),
  timing("batuta_task_duration_seconds", [], {
    help: "Seconds from a task's creation to its end.",
    buckets: DURATION_BOUNDS_S,
  }),
  {
    name: "batuta_task_quality",
    type: "summary",
    help: "Quality scores 0-1 of tasks that ended with one.",
    labels: [],
  } satisfies Metric,
  counter("batuta_task_retries_total", [], "Attempts of tasks after their first."),
  counter("batuta_escalations_total", [], "Questions that tasks have put to somebody."),
  counter("batuta_notifications_total", ["type"], "Notifications that tasks have taken."),
  counter("batuta_cost_usd_total", [], "US dollars that tasks have cost."),
  counter("batuta_tokens_total", ["role"], "Tokens that tasks have used, by who used them."),
] as const;

/** What holds at the moment of asking. */
const MOMENT = [
  gauge(
    "batuta_queue_oldest_age_seconds",
    [],
    "Seconds that the oldest task has waited for an executor; 0 when none waits.",
  ),
  gauge("batuta_tasks_waiting", [], "Tasks that wait for an executor, 1,000 at most."),
  gauge("batuta_agents", ["state"], "Executors by state."),
  gauge("batuta_slots", [], "Tasks that the executors can have at once."),
  gauge("batuta_slots_in_use", [], "Tasks that the executors have."),
  gauge("batuta_alerts_firing", ["severity"], "Alerts that are firing."),
  gauge("batuta_slo_target", ["slo_id"], "Share that an objective wants to be good."),
  gauge("batuta_slo_attained", ["slo_id"], "Share that was good within the objective's window."),
  gauge("batuta_slo_budget_left", ["slo_id"], "Share of the error budget that is not spent."),
  gauge(
    "batuta_scrape_complete",
    ["source"],
    "1: this answer has all of the source; 0: it failed, or more is there than was counted.",
  ),
] as const;

/** Every exported metric, in the order in which they are shown. */
export const METRICS = [...TECHNICAL, ...BUSINESS, ...MOMENT] as const;

export type MetricName = (typeof METRICS)[number]["name"];
/** What an accumulator takes. */
export type TechnicalName = (typeof TECHNICAL)[number]["name"];

const BY_NAME = new Map<string, Metric>(METRICS.map((metric) => [metric.name, metric]));

/** A metric by its name; undefined where it is none. */
export function metricOf(name: string): Metric | undefined {
  return BY_NAME.get(name);
}
