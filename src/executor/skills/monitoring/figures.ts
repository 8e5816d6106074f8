import { max, mean, min, quantile, sampleStandardDeviation } from "simple-statistics";

import { finite } from "../rounding.ts";

/** Figures of a list of values. Percentiles lie on the line between the two values next to their place (the usual type 7 of Hyndman & Fan 1996). */
export type Figures = {
  count: number;
  min: number;
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
  /** Of a sample (n − 1); null of a single value. */
  stdev: number | null;
};

/** The figures; null of nothing. */
export function figuresOf(values: readonly number[]): Figures | null {
  if (values.length === 0) return null;
  const list = [...values];
  return {
    count: list.length,
    min: finite(min(list)),
    mean: finite(mean(list)),
    p50: finite(quantile(list, 0.5)),
    p95: finite(quantile(list, 0.95)),
    p99: finite(quantile(list, 0.99)),
    max: finite(max(list)),
    stdev: list.length < 2 ? null : finite(sampleStandardDeviation(list)),
  };
}
