import {
  linearRegression,
  mean,
  median,
  medianAbsoluteDeviation,
  sampleRankCorrelation,
} from "simple-statistics";

import { instant } from "../../../lib/ports.ts";
import { finite, rounded } from "../rounding.ts";
import { correlationP } from "../table/significance.ts";
import { figuresOf } from "./figures.ts";
import type { Figures } from "./figures.ts";
import type { Bounds, Measurement } from "./parameters.ts";

/** Values in a row beyond a bound. Measurements count from 1; instants where the measurements have them. */
type Breach = {
  bound: "min" | "max";
  limit: number;
  from: number;
  to: number;
  from_at: string | null;
  to_at: string | null;
  count: number;
  worst: number;
};

/** A value far from the others. */
type Anomaly = { measurement: number; at: string | null; value: number; robust_z: number };

/** What a series of measurements shows. */
export type SeriesReport = {
  state: "down" | "degraded" | "ok";
  figures: Figures;
  breaches: Breach[];
  breaches_left_out: number;
  breached_share: number;
  is_breached_now: boolean;
  /** Bounds of the whole: the 95th percentile and the mean, each at most so much. */
  verdicts: { bound: "p95" | "mean"; limit: number; measured: number; is_met: boolean }[];
  anomalies: Anomaly[];
  anomalies_left_out: number;
  trend: {
    direction: "rising" | "falling" | "none";
    /** Spearman's correlation of the values with their order in time, and its p-value (Fisher's z). */
    rank_correlation: number;
    p_value: number;
    /** Of a straight line through the values. */
    slope: number;
    per: "hour" | "measurement";
  } | null;
};

const MOST_LISTED = 50;
const SIGNIFICANT = 0.05;
const MIN_FOR_TREND = 5;
/** As for the outliers of a table (table/outliers.ts). */
const MIN_FOR_ANOMALIES = 8;
const ROBUST_Z_LIMIT = 3.5;
const MAD_SCALE = 0.6745;
/** √(π/2): makes the mean absolute deviation an estimate of the standard deviation of a normal distribution. */
const MEAN_DEVIATION_SCALE = 1.253314;
const HOUR_MS = 3_600_000;

/**
 * Breaches, anomalies and trend of a series.
 *
 * With an instant on each, measurements are put in order of time. An anomaly is a value whose robust z (Iglewicz &
 * Hoaglin 1993: median and MAD, or the mean absolute deviation where the MAD is 0) is beyond 3.5, measured from the
 * trend's line where there is a significant trend. The state is "degraded" with any breach, "down" when every value is
 * one.
 */
export function judgeSeries(measurements: readonly Measurement[], bounds: Bounds): SeriesReport {
  const isTimed = measurements.every(({ at }) => at !== null);
  const series = isTimed
    ? measurements.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0))
    : measurements.map(({ value }) => ({ at: null, value }));
  const values = series.map(({ value }) => value);
  const breaches = breachesOf(series, bounds).toSorted((one, other) => excess(other) - excess(one));
  const breached = values.filter((value) => boundOf(value, bounds) !== null).length;
  const figures = figuresOf(values) ?? NO_FIGURES;
  const verdicts = verdictsOf(figures, bounds);
  const { trend, line } = trendOf(series);
  const anomalies = anomaliesOf(series, line);
  const isGood = breached === 0 && verdicts.every(({ is_met }) => is_met);
  return {
    state: breached === values.length ? "down" : isGood ? "ok" : "degraded",
    figures,
    breaches: breaches.slice(0, MOST_LISTED),
    breaches_left_out: Math.max(0, breaches.length - MOST_LISTED),
    breached_share: finite(breached / values.length),
    is_breached_now: boundOf(values.at(-1) ?? 0, bounds) !== null,
    verdicts,
    anomalies: anomalies.slice(0, MOST_LISTED),
    anomalies_left_out: Math.max(0, anomalies.length - MOST_LISTED),
    trend,
  };
}

const NO_FIGURES: Figures = {
  count: 0,
  min: 0,
  mean: 0,
  p50: 0,
  p95: 0,
  p99: 0,
  max: 0,
  stdev: null,
};

function boundOf(
  value: number,
  { min, max }: Bounds,
): { bound: "min" | "max"; limit: number } | null {
  if (max !== undefined && value > max) return { bound: "max", limit: max };
  return min !== undefined && value < min ? { bound: "min", limit: min } : null;
}

function excess({ worst, limit }: Breach): number {
  return Math.abs(worst - limit);
}

function breachesOf(series: readonly Measurement[], bounds: Bounds): Breach[] {
  const breaches: Breach[] = [];
  for (const [index, { at, value }] of series.entries()) {
    const broken = boundOf(value, bounds);
    if (broken === null) continue;
    const to_at = at === null ? null : instant(at);
    const last = breaches.at(-1);
    if (last === undefined || last.to !== index || last.bound !== broken.bound) {
      const from = index + 1;
      breaches.push({ ...broken, from, to: from, from_at: to_at, to_at, count: 1, worst: value });
      continue;
    }
    last.to = index + 1;
    last.to_at = to_at;
    last.count += 1;
    last.worst = broken.bound === "max" ? Math.max(last.worst, value) : Math.min(last.worst, value);
  }
  return breaches;
}

function verdictsOf(figures: Figures, bounds: Bounds): SeriesReport["verdicts"] {
  return (["p95", "mean"] as const).flatMap((bound) => {
    const limit = bounds[bound];
    if (limit === undefined) return [];
    return [{ bound, limit, measured: figures[bound], is_met: figures[bound] <= limit }];
  });
}

/** The trend, and the height of its line at each measurement; of 0 where there is no significant trend. */
function trendOf(series: readonly Measurement[]): { trend: SeriesReport["trend"]; line: number[] } {
  const flat = series.map(() => 0);
  const values = series.map(({ value }) => value);
  const start = series[0]?.at ?? null;
  const places = series.map(({ at }, index) =>
    start === null || at === null ? index : (at - start) / HOUR_MS,
  );
  if (series.length < MIN_FOR_TREND || new Set(values).size < 2 || new Set(places).size < 2) {
    return { trend: null, line: flat };
  }
  const rank_correlation = finite(sampleRankCorrelation(places, values));
  const p_value = correlationP(rank_correlation, series.length);
  const { m, b } = linearRegression(places.map((place, index) => [place, values[index] ?? 0]));
  const isTrend = p_value < SIGNIFICANT;
  return {
    trend: {
      direction: isTrend ? (rank_correlation > 0 ? "rising" : "falling") : "none",
      rank_correlation,
      p_value,
      slope: finite(m),
      per: start === null ? "measurement" : "hour",
    },
    line: isTrend ? places.map((place) => b + m * place) : flat,
  };
}

function anomaliesOf(series: readonly Measurement[], line: readonly number[]): Anomaly[] {
  if (series.length < MIN_FOR_ANOMALIES) return [];
  const rest = series.map(({ value }, index) => value - (line[index] ?? 0));
  const middle = median(rest);
  const spread = medianAbsoluteDeviation(rest) / MAD_SCALE;
  const fallback = MEAN_DEVIATION_SCALE * mean(rest.map((value) => Math.abs(value - middle)));
  const unit = spread > 0 ? spread : fallback;
  if (!(unit > 0)) return [];
  return series
    .flatMap(({ at, value }, index): Anomaly[] => {
      const robust_z = rounded(((rest[index] ?? 0) - middle) / unit);
      if (robust_z === null || Math.abs(robust_z) <= ROBUST_Z_LIMIT) return [];
      return [{ measurement: index + 1, at: at === null ? null : instant(at), value, robust_z }];
    })
    .toSorted((one, other) => Math.abs(other.robust_z) - Math.abs(one.robust_z));
}
