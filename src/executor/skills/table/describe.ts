import { bin, quantileSorted, thresholdSturges } from "d3-array";
import { mean, sampleSkewness, sampleStandardDeviation } from "simple-statistics";

import { finite, rounded } from "../rounding.ts";
import type { Column, ColumnType } from "./column-types.ts";
import { presentValues } from "./columns.ts";

/** What one column holds, in numbers. */
export type ColumnProfile = {
  name: string;
  type: ColumnType;
  count: number;
  missing: number;
  missing_share: number;
  unreadable: number;
  unreadable_examples: string[];
  distinct: number;
  is_constant: boolean;
  unit: string | null;
  distribution: NumberDistribution | DateDistribution | LabelDistribution | null;
};

/** Quartiles interpolate linearly between values (type 7 of Hyndman & Fan: as R, NumPy and Excel). */
export type NumberDistribution = {
  kind: "numbers";
  mean: number;
  /** Sample standard deviation (n − 1). */
  standard_deviation: number | null;
  min: number;
  lower_quartile: number;
  median: number;
  upper_quartile: number;
  max: number;
  /** Adjusted Fisher–Pearson coefficient. */
  skewness: number | null;
  zero_share: number;
  /** Share of the total that the largest tenth of the values holds; null if any is negative. */
  top_tenth_share: number | null;
  histogram: HistogramBin[];
};

type HistogramBin = { from: number; to: number; count: number };

type DateDistribution = {
  kind: "dates";
  first: string;
  last: string;
  span_days: number;
  /** The usual distance of two neighbouring instants, in days; null with fewer than three. */
  step_days: number | null;
  /** Instants that the usual step leads to expect and that are not there. */
  gaps: number;
  repeated: number;
};

type LabelDistribution = {
  kind: "labels";
  top: { value: string; count: number; share: number }[];
  mean_length: number;
};

const DAY_MS = 86_400_000;
const TOP_LABELS = 10;
const MAX_BINS = 20;
/** A relative spread in which steps between bins would drown in floating-point noise. */
const FLAT = 1e-9;
/** Calendar months and years differ in length; neighbours within this factor count as one step. */
const STEP_TOLERANCE = 1.5;

/** The profile of each column; all figures are rounded to six significant digits. */
export function describeColumns(columns: readonly Column[]): ColumnProfile[] {
  return columns.map((column) => {
    const count = column.labels.length - column.missing;
    return {
      name: column.name,
      type: column.type,
      count,
      missing: column.missing,
      missing_share: finite(column.missing / Math.max(1, column.labels.length)),
      unreadable: column.unreadable.length,
      unreadable_examples: [...new Set(column.unreadable)].slice(0, 5),
      distinct: column.distinct,
      is_constant: column.distinct === 1 && count > 1,
      unit: column.unit,
      distribution: distributionOf(column),
    };
  });
}

function distributionOf(column: Column): ColumnProfile["distribution"] {
  switch (column.type) {
    case "integer":
    case "number":
      return describeNumbers(presentValues(column));
    case "date":
    case "datetime":
      return describeDates(presentValues(column), column.type === "datetime");
    case "boolean":
    case "category":
    case "text":
    case "identifier":
      return describeLabels(column.labels);
    case "empty":
      return null;
  }
}

/**
 * The distribution of numbers, of which there must be at least one.
 *
 * Standard deviation needs two values, skewness three that are not all equal; else they are null.
 */
export function describeNumbers(values: readonly number[]): NumberDistribution {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => finite(quantileSorted(sorted, share) ?? 0);
  const spread = values.length > 1 ? sampleStandardDeviation([...values]) : Number.NaN;
  return {
    kind: "numbers",
    mean: finite(mean([...values])),
    standard_deviation: rounded(spread),
    min: at(0),
    lower_quartile: at(0.25),
    median: at(0.5),
    upper_quartile: at(0.75),
    max: at(1),
    skewness: values.length > 2 && spread > 0 ? rounded(sampleSkewness([...values])) : null,
    zero_share: finite(values.filter((value) => value === 0).length / values.length),
    top_tenth_share: topTenthShare(sorted),
    histogram: histogramOf(sorted),
  };
}

function topTenthShare(sorted: readonly number[]): number | null {
  const total = sorted.reduce((sum, value) => sum + value, 0);
  if ((sorted[0] ?? -1) < 0 || total === 0) return null;
  const tenth = sorted.slice(-Math.ceil(sorted.length / 10));
  return rounded(tenth.reduce((sum, value) => sum + value, 0) / total);
}

function histogramOf(sorted: readonly number[]): HistogramBin[] {
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  if (high - low <= FLAT * Math.max(Math.abs(low), Math.abs(high))) {
    return [{ from: finite(low), to: finite(high), count: sorted.length }];
  }
  const wanted = Math.min(MAX_BINS, thresholdSturges(sorted));
  const bins = bin().thresholds(wanted)(sorted);
  return bins.map((values) => ({
    from: finite(values.x0 ?? 0),
    to: finite(values.x1 ?? 0),
    count: values.length,
  }));
}

function describeDates(instants: readonly number[], withTime: boolean): DateDistribution {
  const sorted = [...new Set(instants)].toSorted((a, b) => a - b);
  const first = sorted[0] ?? 0;
  const last = sorted.at(-1) ?? 0;
  const steps = sorted.slice(1).map((instant, index) => instant - (sorted[index] ?? 0));
  const step = steps.length > 1 ? commonest(steps) : null;
  const gaps =
    step === null
      ? 0
      : steps.reduce(
          (sum, distance) =>
            sum + (distance > STEP_TOLERANCE * step ? Math.round(distance / step) - 1 : 0),
          0,
        );
  const written = (instant: number) =>
    withTime ? new Date(instant).toISOString() : new Date(instant).toISOString().slice(0, 10);
  return {
    kind: "dates",
    first: written(first),
    last: written(last),
    span_days: finite((last - first) / DAY_MS),
    step_days: step === null ? null : finite(step / DAY_MS),
    gaps,
    repeated: instants.length - sorted.length,
  };
}

function commonest(steps: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const step of steps) counts.set(step, (counts.get(step) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? 0;
}

function describeLabels(labels: readonly (string | null)[]): LabelDistribution {
  const counts = new Map<string, number>();
  let present = 0;
  let length = 0;
  for (const label of labels) {
    if (label === null) continue;
    counts.set(label, (counts.get(label) ?? 0) + 1);
    present += 1;
    length += label.length;
  }
  const order = [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return {
    kind: "labels",
    top: order.slice(0, TOP_LABELS).map(([value, count]) => ({
      value: value.slice(0, 80),
      count,
      share: finite(count / present),
    })),
    mean_length: finite(length / Math.max(1, present)),
  };
}
