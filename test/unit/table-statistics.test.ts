import { describe, expect, it } from "vitest";

import { typeColumns } from "../../src/executor/skills/table/column-types.ts";
import { timeColumn } from "../../src/executor/skills/table/columns.ts";
import { correlate } from "../../src/executor/skills/table/correlate.ts";
import { describeColumns, describeNumbers } from "../../src/executor/skills/table/describe.ts";
import { associations, groupEffects } from "../../src/executor/skills/table/group-effects.ts";
import { findOutliers } from "../../src/executor/skills/table/outliers.ts";
import { parseTable } from "../../src/executor/skills/table/parse-table.ts";
import { withoutPlaceholders } from "../../src/executor/skills/table/placeholders.ts";
import {
  correlationP,
  explainedShare,
  twoSidedP,
} from "../../src/executor/skills/table/significance.ts";
import { findTrends } from "../../src/executor/skills/table/trend.ts";

type Row = Record<string, string | number | null>;

function columnsOf(rows: readonly Row[]) {
  const parsed = parseTable({ rows }, {});
  if (!parsed.ok) throw new Error(parsed.refusal.error_message);
  return typeColumns(parsed.value);
}

function trendsOf(rows: readonly Row[]) {
  const columns = columnsOf(rows);
  const time = timeColumn(columns);
  return time === null ? [] : findTrends(columns, time);
}

const day = (index: number) => new Date(Date.UTC(2020, 0, 1 + index)).toISOString().slice(0, 10);
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("describing", () => {
  it("agrees with the figures worked out by hand", () => {
    expect(describeNumbers([10, 1, 3, 2, 4])).toMatchObject({
      mean: 4,
      standard_deviation: 3.53553,
      min: 1,
      lower_quartile: 2,
      median: 3,
      upper_quartile: 4,
      max: 10,
      skewness: 1.69706,
      zero_share: 0,
      top_tenth_share: 0.5,
    });
  });

  it("puts every value into exactly one bin", () => {
    const { histogram } = describeNumbers([0, 0, 1, 5, 5, 9.5, 10]);

    expect(histogram.reduce((sum, { count }) => sum + count, 0)).toBe(7);
    expect(histogram.every(({ from, to }) => from <= to)).toBe(true);
  });

  it("has no spread and no skewness to tell of equal or single values", () => {
    expect(describeNumbers([7])).toMatchObject({ standard_deviation: null, skewness: null });
    expect(describeNumbers([7, 7, 7])).toMatchObject({ standard_deviation: 0, skewness: null });
  });

  it("counts gaps in a daily series", () => {
    const rows = [0, 1, 2, 5, 6].map((index) => ({ day: day(index), value: index * index }));
    const [profile] = describeColumns(columnsOf(rows));

    expect(profile?.distribution).toMatchObject({
      first: "2020-01-01",
      last: "2020-01-07",
      step_days: 1,
      gaps: 2,
    });
  });
});

describe("significance", () => {
  it("agrees with the tables of the normal distribution", () => {
    expect(twoSidedP(1.959964)).toBeCloseTo(0.05, 6);
    expect(twoSidedP(0)).toBeCloseTo(1, 6);
    expect(correlationP(0.5, 28)).toBeCloseTo(0.00601, 4);
    expect(correlationP(0.99, 4)).toBe(1);
  });

  it("explains the share of variance that epsilon squared gives by hand", () => {
    expect(
      explainedShare([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    ).toBeCloseTo(5 / 7, 5);
    expect(explainedShare([[1, 1], [1]])).toBe(0);
  });
});

describe("correlating", () => {
  it("gives Pearson and Spearman as by hand", () => {
    const x = [1, 2, 3, 4, 5];
    const y = [2, 1, 4, 3, 5];
    const cubes = [1, 8, 27, 64, 125];
    const rows = x.map((value, index) => ({
      x: value,
      y: y[index] ?? 0,
      cubes: cubes[index] ?? 0,
    }));
    const { pairs } = correlate(columnsOf(rows), []);

    expect(pairs.find(({ right }) => right === "y")).toMatchObject({ pearson: 0.8, spearman: 0.8 });
    expect(pairs[0]).toMatchObject({ left: "x", right: "cubes", pearson: 0.943118, spearman: 1 });
  });

  it("uses only the rows that have both values", () => {
    const rows: Row[] = [...range(8).map((x) => ({ x: x + 5, y: 2 * x })), { x: 100, y: null }];

    expect(correlate(columnsOf(rows), []).pairs[0]).toMatchObject({ count: 8, pearson: 1 });
  });

  it("notices a relation that turns round within groups", () => {
    const rows = range(60).map((index) => {
      const group = index % 3;
      const step = Math.floor(index / 3);
      return { group: `g${group}`, x: 100 * group + step, y: 50 * group - step + 0.5 };
    });
    const [pair] = correlate(columnsOf(rows), []).pairs;

    expect(pair?.pearson).toBeGreaterThan(0.9);
    expect(pair?.reversed_within).toEqual({ category: "group", pearson: -1 });
  });
});

describe("comparing groups", () => {
  it("orders group means and the share they explain", () => {
    const rows = range(20).map((index) => ({
      kind: index < 10 ? "low" : "high",
      value: (index < 10 ? 0 : 100) + (index % 5),
    }));

    expect(groupEffects(columnsOf(rows))).toMatchObject([
      {
        category: "kind",
        measure: "value",
        groups: [
          { label: "high", mean: 102 },
          { label: "low", mean: 2 },
        ],
      },
    ]);
  });

  it("gives 1 for categories that determine each other and near 0 for independent ones", () => {
    const rows = range(40).map((index) => ({
      a: index % 2 === 0 ? "x" : "y",
      b: index % 2 === 0 ? "p" : "q",
      c: index % 4 < 2 ? "m" : "n",
    }));
    const found = associations(columnsOf(rows));

    expect(found[0]).toMatchObject({ left: "a", right: "b", cramers_v: 1 });
    expect(found[1]?.cramers_v).toBe(0);
  });
});

describe("finding outliers", () => {
  it("applies both rules as by hand and names the row", () => {
    const rows = [1, 2, 3, 100, 4, 5, 6, 7, 8, 9].map((value) => ({ value }));

    expect(findOutliers(columnsOf(rows), null)).toEqual([
      {
        column: "value",
        fences: { low: -3.5, high: 14.5 },
        beyond_fences: 1,
        beyond_robust_z: 1,
        confirmed: 1,
        confirmed_share: 0.1,
        extremes: [{ row: 4, value: 100, side: "high", robust_z: 25.4961, at: null }],
      },
    ]);
  });

  it("takes a repeated -999 far from all other values for missing, but not a plausible -1", () => {
    const rows = range(32).map((index) => ({
      reading: index < 2 ? -999 : 50 + (index % 7),
      change: (index % 5) - 2,
    }));
    const { columns, placeholders } = withoutPlaceholders(columnsOf(rows));

    expect(placeholders).toEqual([{ column: "reading", value: -999, count: 2 }]);
    expect(columns[0]).toMatchObject({ missing: 2, distinct: 7 });
    expect(columns[0]?.values.slice(0, 3)).toEqual([null, null, 52]);
    expect(columns[1]?.missing).toBe(0);
  });
});

describe("following trends", () => {
  it("finds the slope of a straight line and its Mann–Kendall test as by hand", () => {
    const rows = range(10).map((index) => ({ day: day(index), value: 3 + 2 * index }));
    const [trend] = trendsOf(rows);

    expect(trend?.summary).toMatchObject({
      slope: 2,
      unit: "day",
      monotonicity: 1,
      direction: "rising",
      line: { first: 3, last: 21 },
      season: null,
    });
    // S = 45, Var = 10·9·25/18 = 125, z = 44/√125.
    expect(trend?.summary.p_value).toBeCloseTo(0.0000831, 5);
  });

  it("claims no trend where values only wave", () => {
    const rows = range(200).map((index) => ({ day: day(index), value: Math.sin(index * 7) }));

    expect(trendsOf(rows)[0]?.summary.direction).toBe("none");
  });

  it("separates a yearly season from the trend under it", () => {
    const rows = range(4 * 365).map((index) => {
      const month = new Date(Date.UTC(2020, 0, 1 + index)).getUTCMonth();
      return { day: day(index), value: (month === 6 ? 30 : month) + index / 365.2425 };
    });
    const [trend] = trendsOf(rows);

    expect(trend?.summary).toMatchObject({
      unit: "year",
      direction: "rising",
      season: { cycle: "month", highest: { phase: 6 }, lowest: { phase: 0 } },
    });
    expect(trend?.summary.slope).toBeCloseTo(1, 1);
    expect(trend?.summary.season?.explained_share).toBeGreaterThan(0.9);
  });

  it("sees the day of the week in daily figures", () => {
    const rows = range(70).map((index) => {
      const weekday = new Date(Date.UTC(2020, 0, 1 + index)).getUTCDay();
      return { day: day(index), visitors: weekday === 0 ? 100 : 10 + weekday };
    });

    expect(trendsOf(rows)[0]?.summary.season).toMatchObject({
      cycle: "weekday",
      highest: { phase: 0, mean: 100 },
    });
  });

  it("averages several rows of one instant", () => {
    const rows = range(6).flatMap((index) => [
      { day: day(index), value: index },
      { day: day(index), value: index + 10 },
    ]);

    expect(trendsOf(rows)[0]?.summary).toMatchObject({ rows: 12, instants: 6, slope: 1 });
  });
});
