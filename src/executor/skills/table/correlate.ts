import { sampleCorrelation, sampleRankCorrelation } from "simple-statistics";

import { rounded } from "../rounding.ts";
import type { Column } from "./column-types.ts";
import { groupings, measures, paired } from "./columns.ts";
import { correlationP, meanOf } from "./significance.ts";
import type { Trend } from "./trend.ts";

/** How two measures move together, over the rows that have both. */
export type CorrelationPair = {
  left: string;
  right: string;
  count: number;
  pearson: number;
  /** Rank correlation; above |pearson| it tells of a bent but one-way relation. */
  spearman: number;
  /** Of the Pearson correlation, two-sided. */
  p_value: number;
  /** What is left when shared trend and season are taken out of both; null without a time column. */
  pearson_net_of_time: number | null;
  /** A division into groups in which the relation turns round (Simpson's paradox), if one does. */
  reversed_within: { category: string; pearson: number } | null;
};

export type Correlations = {
  pairs: CorrelationPair[];
  columns_examined: string[];
  columns_left_out: string[];
};

/** 30 columns make 435 pairs: what a run can rank in about a second at the size limit. */
const MAX_COLUMNS = 30;
const MIN_PAIRS = 5;
/** Reversals of weaker relations are noise. */
const MIN_REVERSAL = 0.2;

/**
 * Pearson and Spearman correlation of every two measures, the strongest first.
 *
 * Beyond 30 measures the ones with most values are examined and the others named.
 * Pairs with fewer than five common rows, or without variation in them, are left out.
 *
 * @param trends of the same columns, for what remains net of time; empty without a time column
 */
export function correlate(columns: readonly Column[], trends: readonly Trend[]): Correlations {
  const numeric = measures(columns);
  const byPresence = numeric.toSorted((a, b) => a.missing - b.missing);
  const examined = numeric.filter((column) => byPresence.indexOf(column) < MAX_COLUMNS);
  const groups = groupings(columns);
  const pairs = examined.flatMap((left, index) =>
    examined.slice(index + 1).flatMap((right) => {
      const pair = correlatePair(left, right, trends);
      return pair === null
        ? []
        : [{ ...pair, reversed_within: findReversal(left, right, pair.pearson, groups) }];
    }),
  );
  return {
    pairs: pairs.toSorted((a, b) => strength(b) - strength(a)),
    columns_examined: examined.map(({ name }) => name),
    columns_left_out: byPresence.slice(MAX_COLUMNS).map(({ name }) => name),
  };
}

/** The greater of both coefficients' sizes. */
export function strength(pair: Pick<CorrelationPair, "pearson" | "spearman">): number {
  return Math.max(Math.abs(pair.pearson), Math.abs(pair.spearman));
}

function correlatePair(
  left: Column,
  right: Column,
  trends: readonly Trend[],
): Omit<CorrelationPair, "reversed_within"> | null {
  const [x, y] = paired(left.values, right.values);
  if (x.length < MIN_PAIRS) return null;
  const pearson = rounded(sampleCorrelation(x, y));
  const spearman = rounded(sampleRankCorrelation(x, y));
  if (pearson === null || spearman === null) return null;
  return {
    left: left.name,
    right: right.name,
    count: x.length,
    pearson,
    spearman,
    p_value: correlationP(pearson, x.length),
    pearson_net_of_time: netOfTime(left.name, right.name, trends),
  };
}

function netOfTime(left: string, right: string, trends: readonly Trend[]): number | null {
  const residuals = [left, right].map(
    (name) => trends.find(({ summary }) => summary.column === name)?.residuals,
  );
  const [x, y] = paired(residuals[0] ?? [], residuals[1] ?? []);
  return x.length < MIN_PAIRS ? null : rounded(sampleCorrelation(x, y));
}

function findReversal(
  left: Column,
  right: Column,
  pearson: number,
  groups: readonly Column[],
): CorrelationPair["reversed_within"] {
  if (Math.abs(pearson) < MIN_REVERSAL) return null;
  for (const group of groups) {
    const [x, y] = paired(
      centredByGroup(group.labels, left.values, right.values),
      centredByGroup(group.labels, right.values, left.values),
    );
    const within = x.length < 10 * group.distinct ? null : rounded(sampleCorrelation(x, y));
    const isReversed = within !== null && Math.sign(within) === -Math.sign(pearson);
    if (isReversed && Math.abs(within) >= MIN_REVERSAL) {
      return { category: group.name, pearson: within };
    }
  }
  return null;
}

/** Each value less the mean of its group, over the rows where the other column has a value too. */
function centredByGroup(
  labels: readonly (string | null)[],
  values: readonly (number | null)[],
  others: readonly (number | null)[],
): (number | null)[] {
  const members = new Map<string, number[]>();
  for (const [row, label] of labels.entries()) {
    if (label === null || values[row] == null || others[row] == null) continue;
    const rows = members.get(label) ?? [];
    rows.push(row);
    members.set(label, rows);
  }
  const centred: (number | null)[] = labels.map(() => null);
  for (const rows of members.values()) {
    const middle = meanOf(rows.map((row) => values[row] ?? 0));
    for (const row of rows) centred[row] = (values[row] ?? 0) - middle;
  }
  return centred;
}
