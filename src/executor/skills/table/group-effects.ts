import { rounded, finite } from "../rounding.ts";
import type { Column } from "./column-types.ts";
import { groupings, measures, valuesByGroup } from "./columns.ts";
import { explainedShare, meanOf } from "./significance.ts";

/** How far a division into groups tells the values of a measure. */
export type GroupEffect = {
  category: string;
  measure: string;
  /** Epsilon squared: share of the variance explained, corrected for chance. */
  explained_share: number;
  /** By mean, the highest first; groups with fewer than five values are left out. */
  groups: { label: string; count: number; mean: number }[];
};

/** How closely two divisions into groups go together. */
export type Association = {
  left: string;
  right: string;
  count: number;
  /** Cramér's V with the bias correction of Bergsma (2013), in [0, 1]. */
  cramers_v: number;
};

const MIN_GROUP = 5;
const MIN_COMMON = 20;
/** Below this a difference between groups is too small to act on (Cohen 1988: 0.01 is small). */
const MIN_EXPLAINED = 0.01;

/** Effects of every grouping on every measure that explain at least 1 %, the strongest first. */
export function groupEffects(columns: readonly Column[]): GroupEffect[] {
  const effects = groupings(columns).flatMap((category) =>
    measures(columns).flatMap((measure) => {
      const effect = effectOf(category, measure);
      return effect === null ? [] : [effect];
    }),
  );
  return effects.toSorted((a, b) => b.explained_share - a.explained_share);
}

function effectOf(category: Column, measure: Column): GroupEffect | null {
  const all = [...valuesByGroup(category.labels, measure.values)];
  const large = all.filter(([, values]) => values.length >= MIN_GROUP);
  const share = explainedShare(large.map(([, values]) => values));
  if (large.length < 2 || share < MIN_EXPLAINED) return null;
  const groups = large.map(([label, values]) => ({
    label: label.slice(0, 80),
    count: values.length,
    mean: finite(meanOf(values)),
  }));
  return {
    category: category.name,
    measure: measure.name,
    explained_share: share,
    groups: groups.toSorted((a, b) => b.mean - a.mean),
  };
}

/** Association of every two groupings with at least 20 common rows, the closest first. */
export function associations(columns: readonly Column[]): Association[] {
  const groups = groupings(columns);
  const pairs = groups.flatMap((left, index) =>
    groups.slice(index + 1).flatMap((right) => {
      const association = associationOf(left, right);
      return association === null ? [] : [association];
    }),
  );
  return pairs.toSorted((a, b) => b.cramers_v - a.cramers_v);
}

function associationOf(left: Column, right: Column): Association | null {
  const cells = new Map<string, number>();
  const lefts = new Map<string, number>();
  const rights = new Map<string, number>();
  let count = 0;
  for (const [row, a] of left.labels.entries()) {
    const b = right.labels[row] ?? null;
    if (a === null || b === null) continue;
    increment(cells, JSON.stringify([a, b]));
    increment(lefts, a);
    increment(rights, b);
    count += 1;
  }
  if (count < MIN_COMMON) return null;
  let chiSquared = 0;
  for (const [a, leftTotal] of lefts) {
    for (const [b, rightTotal] of rights) {
      const expected = (leftTotal * rightTotal) / count;
      chiSquared += ((cells.get(JSON.stringify([a, b])) ?? 0) - expected) ** 2 / expected;
    }
  }
  const v = cramersV(chiSquared / count, lefts.size, rights.size, count);
  return v === null ? null : { left: left.name, right: right.name, count, cramers_v: v };
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function cramersV(phiSquared: number, rows: number, columns: number, n: number): number | null {
  const corrected = Math.max(0, phiSquared - ((rows - 1) * (columns - 1)) / (n - 1));
  const lines = rows - (rows - 1) ** 2 / (n - 1);
  const files = columns - (columns - 1) ** 2 / (n - 1);
  return rounded(Math.min(1, Math.sqrt(corrected / (Math.min(lines, files) - 1))));
}
