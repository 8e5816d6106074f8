import { errorFunction } from "simple-statistics";

import { finite } from "../rounding.ts";

/** Probability that a standard normal value is at least as far from 0 as `z`, either side; accurate to 1e-7. */
export function twoSidedP(z: number): number {
  return finite(Math.min(1, Math.max(0, 1 - errorFunction(Math.abs(z) / Math.SQRT2))));
}

/**
 * Two-sided p-value of a correlation over `count` pairs, by Fisher's z transformation.
 *
 * 1 with fewer than five pairs, where the transformation says nothing.
 */
export function correlationP(correlation: number, count: number): number {
  if (count < 5) return 1;
  const bounded = Math.max(-1 + 1e-12, Math.min(1 - 1e-12, correlation));
  return twoSidedP(Math.atanh(bounded) * Math.sqrt(count - 3));
}

/**
 * Share of a measure's variance that its groups explain, corrected for chance: epsilon squared
 * (Kelley 1935), eta² − (1 − eta²)(k − 1)/(n − k), never below 0.
 *
 * 0 when there is no variance, fewer than two groups, or no group with two values.
 */
export function explainedShare(groups: readonly (readonly number[])[]): number {
  const count = groups.reduce((sum, group) => sum + group.length, 0);
  if (groups.length < 2 || count <= groups.length) return 0;
  const centre = meanOf(groups.flat());
  let within = 0;
  let total = 0;
  for (const group of groups) {
    const middle = meanOf(group);
    for (const value of group) {
      within += (value - middle) ** 2;
      total += (value - centre) ** 2;
    }
  }
  if (!(total > 0)) return 0;
  const eta = 1 - within / total;
  return finite(Math.max(0, eta - ((1 - eta) * (groups.length - 1)) / (count - groups.length)));
}

/** The arithmetic mean; NaN of nothing. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
