import { quantileSorted } from "d3-array";
import { medianAbsoluteDeviation } from "simple-statistics";

import { finite, rounded } from "../rounding.ts";
import type { Column } from "./column-types.ts";
import { measures, presentValues } from "./columns.ts";

/** Values of one measure that lie far from the others. */
export type ColumnOutliers = {
  column: string;
  /** Tukey's fences: quartiles ∓ 1.5 interquartile ranges. */
  fences: { low: number; high: number };
  beyond_fences: number;
  /** Values with |robust z| > 3.5 (Iglewicz & Hoaglin 1993); null where the median deviation is 0. */
  beyond_robust_z: number | null;
  /** Beyond the fences, and by robust z where there is one. */
  confirmed: number;
  confirmed_share: number;
  /** The confirmed values farthest from the median; rows count data rows from 1. */
  extremes: OutlierValue[];
};

type OutlierValue = {
  row: number;
  value: number;
  side: "low" | "high";
  robust_z: number | null;
  /** What the row is called: its date where the table has a time column. */
  at: string | null;
};

const FENCE_FACTOR = 1.5;
const ROBUST_Z_LIMIT = 3.5;
/** 0.6745 is the upper quartile of the standard normal distribution: it makes MAD an estimate of sd. */
const MAD_SCALE = 0.6745;
const MIN_VALUES = 8;
const SHOWN_EXTREMES = 5;

/**
 * Outliers of every measure with at least eight values, by two rules that must agree.
 *
 * Columns without any are left out.
 *
 * @param time column whose text names the rows, if there is one
 */
export function findOutliers(columns: readonly Column[], time: Column | null): ColumnOutliers[] {
  return measures(columns).flatMap((column) => {
    const found = outliersOf(column, time);
    return found === null ? [] : [found];
  });
}

function outliersOf(column: Column, time: Column | null): ColumnOutliers | null {
  const sorted = presentValues(column).toSorted((a, b) => a - b);
  if (sorted.length < MIN_VALUES) return null;
  const low = quantileSorted(sorted, 0.25) ?? 0;
  const median = quantileSorted(sorted, 0.5) ?? 0;
  const high = quantileSorted(sorted, 0.75) ?? 0;
  const reach = FENCE_FACTOR * (high - low);
  // Without a spread in the middle half every other value would be called an outlier.
  if (reach === 0) return null;
  const deviation = medianAbsoluteDeviation(sorted);
  const robustZ = (value: number) =>
    deviation === 0 ? null : (MAD_SCALE * (value - median)) / deviation;
  const isBeyondFences = (value: number) => value < low - reach || value > high + reach;
  const isFar = (z: number | null) => z === null || Math.abs(z) > ROBUST_Z_LIMIT;
  const confirmed = column.values.flatMap((value, row): OutlierValue[] => {
    if (value === null || !isBeyondFences(value) || !isFar(robustZ(value))) return [];
    const z = robustZ(value);
    const side = value < median ? "low" : "high";
    const at = time?.labels[row] ?? null;
    return [{ row: row + 1, value, side, robust_z: z === null ? null : rounded(z), at }];
  });
  if (confirmed.length === 0) return null;
  return {
    column: column.name,
    fences: { low: finite(low - reach), high: finite(high + reach) },
    beyond_fences: sorted.filter(isBeyondFences).length,
    beyond_robust_z: deviation === 0 ? null : sorted.filter((v) => isFar(robustZ(v))).length,
    confirmed: confirmed.length,
    confirmed_share: finite(confirmed.length / sorted.length),
    extremes: confirmed
      .toSorted((a, b) => Math.abs(b.value - median) - Math.abs(a.value - median) || a.row - b.row)
      .slice(0, SHOWN_EXTREMES),
  };
}
