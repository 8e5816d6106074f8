import { linearRegression } from "simple-statistics";

import { finite, rounded } from "../rounding.ts";
import type { Column } from "./column-types.ts";
import { measures } from "./columns.ts";
import { findSeason, phaseOf, type Cycle, type Season } from "./season.ts";
import { meanOf, twoSidedP } from "./significance.ts";

/** What one measure does over time. */
export type TrendSummary = {
  column: string;
  over: string;
  /** Rows with a time and a value; those of one instant are averaged, which leaves `instants`. */
  rows: number;
  instants: number;
  /** Change per `unit` of a straight line through the values, net of the season if there is one. */
  slope: number;
  unit: TrendUnit;
  /** Share of the variation, net of the season, that the line explains. */
  r_squared: number;
  /** Kendall's tau of stretch means with time: 1 if every stretch is above the last, -1 if below. */
  monotonicity: number;
  /** Of the Mann–Kendall test on stretch means, corrected for autocorrelation (Yue & Wang 2004). */
  p_value: number;
  direction: "rising" | "falling" | "none";
  /** Values of the line at the first and last instant. */
  line: { first: number; last: number };
  season: SeasonSummary | null;
};

export type TrendUnit = "year" | "month" | "day" | "hour" | "minute";

export type SeasonSummary = {
  cycle: Cycle;
  explained_share: number;
  /** Phases with the highest and the lowest mean; numbered as in Date, UTC. */
  highest: { phase: number; mean: number };
  lowest: { phase: number; mean: number };
};

export interface Trend {
  summary: TrendSummary;
  /** Per row: the value less trend and season; null where the row has no time or value. */
  residuals: (number | null)[];
}

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const UNIT_MS: Readonly<Record<TrendUnit, number>> = {
  year: 365.2425 * DAY_MS,
  month: (365.2425 / 12) * DAY_MS,
  day: DAY_MS,
  hour: 60 * MINUTE_MS,
  minute: MINUTE_MS,
};
/** Fewer instants make every test of a trend worthless. */
const MIN_INSTANTS = 5;
/** Stretches that the test compares: averaging tames daily noise and its autocorrelation. */
const STRETCHES = 60;
const SIGNIFICANT = 0.05;

interface Series {
  rows: number;
  times: number[];
  values: number[];
}

/** Trend and season of every measure over the time column; measures with too few instants are left out. */
export function findTrends(columns: readonly Column[], time: Column): Trend[] {
  return measures(columns).flatMap((column) => {
    const series = seriesOf(time.values, column.values);
    return series.times.length < MIN_INSTANTS ? [] : [trendOf(column, time, series)];
  });
}

function trendOf(column: Column, time: Column, series: Series): Trend {
  const { times } = series;
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? 0;
  const unit = unitFor(last - first);
  const inUnits = (epoch_ms: number) => (epoch_ms - first) / UNIT_MS[unit];
  const rawLine = fitLine(times.map(inUnits), series.values);
  const season = findSeason(
    times,
    series.values.map((value, index) => value - rawLine(inUnits(times[index] ?? 0))),
  );
  const shift = seasonalShift(season);
  const values = series.values.map((value, index) => value - shift(times[index] ?? 0));
  const line = fitLine(times.map(inUnits), values);
  const noise = values.map((value, index) => value - line(inUnits(times[index] ?? 0)));
  const test = mannKendall(times, values, noise);
  return {
    summary: {
      column: column.name,
      over: time.name,
      rows: series.rows,
      instants: times.length,
      slope: finite(line(1) - line(0)),
      unit,
      r_squared: finite(1 - squares(noise) / squares(centred(values))),
      monotonicity: test.tau,
      p_value: test.p_value,
      direction: directionOf(test),
      line: { first: finite(line(0)), last: finite(line(inUnits(last))) },
      season: season === null ? null : summarise(season, series),
    },
    residuals: column.values.map((value, row) => {
      const instant = time.values[row] ?? null;
      if (value === null || instant === null) return null;
      return value - shift(instant) - line(inUnits(instant));
    }),
  };
}

/** Values by time, ascending; several at one instant become their mean. */
function seriesOf(
  instants: readonly (number | null)[],
  values: readonly (number | null)[],
): Series {
  const byInstant = new Map<number, number[]>();
  for (const [row, instant] of instants.entries()) {
    const value = values[row] ?? null;
    if (instant === null || value === null) continue;
    const group = byInstant.get(instant) ?? [];
    group.push(value);
    byInstant.set(instant, group);
  }
  const sorted = [...byInstant].toSorted((a, b) => a[0] - b[0]);
  return {
    rows: sorted.reduce((sum, [, group]) => sum + group.length, 0),
    times: sorted.map(([instant]) => instant),
    values: sorted.map(([, group]) => meanOf(group)),
  };
}

/** The largest unit of which the span holds at least three, so that a slope reads naturally. */
function unitFor(span_ms: number): TrendUnit {
  const units = ["year", "month", "day", "hour"] as const;
  return units.find((unit) => span_ms >= 3 * UNIT_MS[unit] * 0.98) ?? "minute";
}

function fitLine(x: readonly number[], y: readonly number[]): (at: number) => number {
  const { m, b } = linearRegression(x.map((at, index) => [at, y[index] ?? 0]));
  return (at) => b + m * at;
}

function seasonalShift(season: Season | null): (epoch_ms: number) => number {
  if (season === null) return () => 0;
  const { cycle, means } = season;
  return (epoch_ms) => means.get(phaseOf(cycle, epoch_ms)) ?? 0;
}

function summarise(season: Season, series: Series): SeasonSummary {
  // The season's own means lack the trend; people expect the means of what was measured.
  const groups = Map.groupBy(series.times.keys(), (index) =>
    phaseOf(season.cycle, series.times[index] ?? 0),
  );
  const phases = [...groups]
    .map(([phase, indices]) => ({
      phase,
      mean: finite(meanOf(indices.map((index) => series.values[index] ?? 0))),
    }))
    .toSorted((a, b) => b.mean - a.mean || a.phase - b.phase);
  const nothing = { phase: 0, mean: 0 };
  return {
    cycle: season.cycle,
    explained_share: season.explained_share,
    highest: phases[0] ?? nothing,
    lowest: phases.at(-1) ?? nothing,
  };
}

/** Means of up to 60 equal stretches of time; empty stretches are left out. */
function stretchMeans(times: readonly number[], values: readonly number[]): readonly number[] {
  const first = times[0] ?? 0;
  const span = (times.at(-1) ?? 0) - first;
  const stretches: number[][] = Array.from({ length: STRETCHES }, () => []);
  if (times.length <= STRETCHES) return values;
  for (const [index, time] of times.entries()) {
    const stretch = Math.min(STRETCHES - 1, Math.floor(((time - first) / span) * STRETCHES));
    stretches[stretch]?.push(values[index] ?? 0);
  }
  return stretches.filter((group) => group.length > 0).map(meanOf);
}

/**
 * Mann–Kendall test for a monotonic trend, with tie correction and with the variance inflated by
 * (1 + r)/(1 − r) for a positive lag-one autocorrelation r of the detrended stretch means.
 */
function mannKendall(
  times: readonly number[],
  values: readonly number[],
  noise: readonly number[],
): { tau: number; p_value: number } {
  const means = stretchMeans(times, values);
  const n = means.length;
  let score = 0;
  for (const [index, later] of means.entries()) {
    for (const earlier of means.slice(0, index)) score += Math.sign(later - earlier);
  }
  const ties = [...Map.groupBy(means, (value) => value).values()].map(({ length }) => length);
  const tied = ties.reduce((sum, t) => sum + t * (t - 1) * (2 * t + 5), 0);
  const variance = (n * (n - 1) * (2 * n + 5) - tied) / 18;
  const r = Math.min(0.95, Math.max(0, lagOneCorrelation(stretchMeans(times, noise))));
  const tau = rounded(score / ((n * (n - 1)) / 2)) ?? 0;
  if (!(variance > 0)) return { tau, p_value: 1 };
  const z = (score - Math.sign(score)) / Math.sqrt((variance * (1 + r)) / (1 - r));
  return { tau, p_value: twoSidedP(z) };
}

function lagOneCorrelation(values: readonly number[]): number {
  const deviations = centred(values);
  const total = squares(deviations);
  if (!(total > 0)) return 0;
  return deviations.reduce((sum, d, index) => sum + d * (deviations[index - 1] ?? 0), 0) / total;
}

function directionOf(test: { tau: number; p_value: number }): TrendSummary["direction"] {
  if (test.p_value >= SIGNIFICANT) return "none";
  return test.tau > 0 ? "rising" : "falling";
}

function centred(values: readonly number[]): number[] {
  const middle = meanOf(values);
  return values.map((value) => value - middle);
}

function squares(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
