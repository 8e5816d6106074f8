import type { MetricSeries, SeriesName } from "../../../protocol/metric-series.ts";
import { metricOf, type TechnicalName } from "../catalogue.ts";
import { seriesOf, type MeterStep } from "../tally.ts";

/** What series are asked for: a range of epoch seconds, the later one excluded, in equal steps. */
export interface MeterSeriesQuery {
  /** Those that are not of this room are passed over. */
  metrics: readonly SeriesName[];
  from: number;
  to: number;
  step_s: number;
}

/** Which metric a series is of, and the one label that tells its lines apart. */
interface Origin {
  metric: TechnicalName;
  label: string | null;
}

const ORIGINS: Partial<Record<SeriesName, Origin>> = {
  deliveries: { metric: "batuta_deliveries_total", label: "outcome" },
  delivery_latency: { metric: "batuta_delivery_latency_seconds", label: null },
  http_requests: { metric: "batuta_http_requests_total", label: "status_class" },
  http_request_duration: { metric: "batuta_http_request_duration_seconds", label: null },
  rows_written: { metric: "batuta_rows_written_total", label: "store" },
};

/** Figures of one line of a chart by the start of their step. */
type Line = Map<number, number[]>;

/** Starts of the steps that overlap the range, ascending. */
function startsOf({ from, to, step_s }: MeterSeriesQuery): number[] {
  const first = from - (from % step_s);
  return Array.from(
    { length: Math.ceil((to - first) / step_s) },
    (_, index) => first + index * step_s,
  );
}

function addTo(line: Line, start: number, figures: readonly number[]): void {
  const known = line.get(start) ?? [];
  const length = Math.max(known.length, figures.length);
  line.set(
    start,
    Array.from({ length }, (_, index) => (known[index] ?? 0) + (figures[index] ?? 0)),
  );
}

/** The lines of one metric by the value of their label; "" where it has one line. */
function linesOf(steps: readonly MeterStep[], { metric, label }: Origin, step_s: number) {
  const lines = new Map<string, Line>();
  for (const { bucket, tally } of steps) {
    for (const [key, figures] of Object.entries(tally)) {
      const series = seriesOf(key);
      if (series?.metric !== metric) continue;
      const value = label === null ? "" : (series.labels[label] ?? "");
      const line = lines.get(value) ?? new Map<number, number[]>();
      addTo(line, bucket - (bucket % step_s), figures);
      lines.set(value, line);
    }
  }
  return lines;
}

/**
 * The value that a share of all durations does not exceed, in seconds: within its bucket by its place in it, as
 * Prometheus's histogram_quantile has it. Null where there are none; beyond the last bound, that bound.
 */
export function quantile(
  bounds: readonly number[],
  counts: readonly number[],
  share: number,
): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = share * total;
  let below = 0;
  for (const [index, upper] of bounds.entries()) {
    const count = counts[index] ?? 0;
    if (below + count >= rank && count > 0) {
      const lower = bounds[index - 1] ?? 0;
      return lower + ((upper - lower) * (rank - below)) / count;
    }
    below += count;
  }
  return bounds.at(-1) ?? null;
}

/** Starts of the steps that are kept in longer ones only: nobody knows their share. */
function unknownOf(kept: readonly MeterStep[], step_s: number): Set<number> {
  const unknown = new Set<number>();
  for (const { bucket, step } of kept) {
    for (let start = bucket; step > step_s && start < bucket + step; start += step_s) {
      unknown.add(start);
    }
  }
  return unknown;
}

/** The value of a line at a step. */
type ValueOf = (figures: readonly number[]) => number | null;

/** What is shown of a metric: its sum, or what its durations come to. */
function statsOf({ metric }: Origin): [MetricSeries["stat"], ValueOf][] {
  const bounds = metricOf(metric)?.buckets;
  if (bounds === undefined) return [["sum", ([sum = 0]) => sum]];
  const mean: ValueOf = ([sum = 0, ...counts]) => {
    const total = counts.reduce((all, count) => all + count, 0);
    return total === 0 ? null : sum / 1_000 / total;
  };
  const share =
    (of: number): ValueOf =>
    ([, ...counts]) =>
      quantile(bounds, counts, of);
  return [
    ["mean", mean],
    ["p50", share(0.5)],
    ["p95", share(0.95)],
    ["p99", share(0.99)],
  ];
}

/** Whether each step of the range is kept as finely as it is asked for. */
export function isFineEnough(kept: readonly MeterStep[], query: MeterSeriesQuery): boolean {
  const unknown = unknownOf(kept, query.step_s);
  return !startsOf(query).some((start) => unknown.has(start));
}

/** Series from the steps that are kept, one for each line and statistic; what is not kept so finely is null. */
export function seriesFrom(kept: readonly MeterStep[], query: MeterSeriesQuery): MetricSeries[] {
  const { step_s } = query;
  const starts = startsOf(query);
  const usable = kept.filter(({ step }) => step <= step_s);
  const unknown = unknownOf(kept, step_s);
  return query.metrics.flatMap((metric): MetricSeries[] => {
    const origin = ORIGINS[metric];
    if (origin === undefined) return [];
    const lines = [...linesOf(usable, origin, step_s)].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return lines.flatMap(([value, line]) =>
      statsOf(origin).map(([stat, valueOf]): MetricSeries => {
        const points = starts.map((start): [number, number | null] => {
          const figures = line.get(start);
          const isUnknown = figures === undefined && unknown.has(start);
          return [start, isUnknown ? null : valueOf(figures ?? [])];
        });
        return {
          metric,
          stat,
          labels: origin.label === null ? {} : { [origin.label]: value },
          points,
        };
      }),
    );
  });
}
