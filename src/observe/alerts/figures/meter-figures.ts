import { metricOf, type TechnicalName } from "../../meter/catalogue.ts";
import { quantile } from "../../meter/show/series.ts";
import { seriesOf, type Tally } from "../../meter/tally.ts";
import type { Share } from "../objectives/budget.ts";
import type { Figure, FigureMetric, Indicator } from "../ports.ts";

/** How often something was counted, by the value of one label. */
function countsBy(tally: Tally, metric: TechnicalName, label: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [key, [figure = 0]] of Object.entries(tally)) {
    const series = seriesOf(key);
    if (series?.metric !== metric) continue;
    const value = series.labels[label] ?? "";
    counts.set(value, (counts.get(value) ?? 0) + figure);
  }
  return counts;
}

function totalOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, number) => total + number, 0);
}

function rate(counts: ReadonlyMap<string, number>, bad: string): Figure | null {
  const samples = totalOf(counts);
  return samples === 0 ? null : { value: (counts.get(bad) ?? 0) / samples, samples };
}

function percentile(tally: Tally, metric: TechnicalName): Figure | null {
  const bounds = metricOf(metric)?.buckets ?? [];
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  for (const [key, [, ...own]] of Object.entries(tally)) {
    if (seriesOf(key)?.metric !== metric) continue;
    for (const [index, number] of own.entries()) counts[index] = (counts[index] ?? 0) + number;
  }
  const value = quantile(bounds, counts, 0.95);
  const samples = counts.reduce((total, number) => total + number, 0);
  return value === null ? null : { value, samples };
}

/** A technical figure from what was counted; null where there is nothing to say, and for what is no such figure. */
export function meterFigure(metric: FigureMetric, tally: Tally): Figure | null {
  switch (metric) {
    case "delivery_failure_rate":
      return rate(countsBy(tally, "batuta_delivery_attempts_total", "outcome"), "failure");
    case "delivery_latency_p95_s":
      return percentile(tally, "batuta_delivery_latency_seconds");
    case "http_error_rate":
      return rate(countsBy(tally, "batuta_http_requests_total", "status_class"), "5xx");
    case "http_latency_p95_s":
      return percentile(tally, "batuta_http_request_duration_seconds");
    case "task_failure_rate":
    case "task_duration_p95_s":
    case "task_duration_mean_s":
    case "tasks_created":
    case "tasks_ended":
    case "cost_usd":
    case "tokens":
    case "quality_mean":
    case "escalations":
    case "delivery_oldest_age_s":
    case "agents_online":
    case "slots_free":
    case "escalations_open":
    case "cleanup_debts_open":
      return null;
  }
}

/**
 * Which deliveries or requests were good: deliveries that arrived, of those that arrived or were given up; requests
 * that were not answered with 5xx.
 */
export function meterShare({ indicator }: Indicator, tally: Tally): Share {
  if (indicator === "delivery_success") {
    const counts = countsBy(tally, "batuta_deliveries_total", "outcome");
    const good = counts.get("delivered") ?? 0;
    return { good, total: good + (counts.get("exhausted") ?? 0) };
  }
  const counts = countsBy(tally, "batuta_http_requests_total", "status_class");
  const total = totalOf(counts);
  return { good: total - (counts.get("5xx") ?? 0), total };
}
