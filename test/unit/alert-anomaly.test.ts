import { describe, expect, it } from "vitest";

import {
  anomalyOf,
  baselineHours,
  median,
  robustDeviation,
  usualOf,
} from "../../src/observe/alerts/anomaly.ts";
import { observe, wording } from "../../src/observe/alerts/observation.ts";
import type { Figure, FigureMetric, Figures, PastHour } from "../../src/observe/alerts/ports.ts";
import { defaultRules } from "../../src/observe/alerts/rules/default-rules.ts";
import { METRIC_TRAITS } from "../../src/protocol/alert-rule-check.ts";
import type { AlertRule } from "../../src/protocol/alerts.ts";

const HOUR_S = 3_600;
/** A Sunday, noon. */
const NOON = Date.parse("2026-11-22T12:30:00.000Z");

/** Uniform draws in [0, 1), the same ones for the same seed (mulberry32). */
function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(draw: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}

/** What a tenant's hour is worth: by day and night, less at weekends. */
function rhythm(at: number): number {
  const hour = (at / HOUR_S) % 24;
  const isWeekend = [2, 3].includes(Math.floor(at / 86_400) % 7);
  return (2 + Math.sin(((hour - 6) / 24) * 2 * Math.PI)) * (isWeekend ? 0.4 : 1);
}

/** Series with a rhythm and noise, as tenants have them: of each metric the kind of noise that is its own. */
const SERIES: Partial<Record<FigureMetric, (at: number, draw: () => number) => number>> = {
  tasks_created: (at, draw) => {
    const usual = 60 * rhythm(at);
    return Math.max(0, Math.round(usual + Math.sqrt(usual) * normal(draw)));
  },
  task_duration_mean_s: (at, draw) => 40 * (1 + 0.1 * rhythm(at)) * Math.exp(0.15 * normal(draw)),
  task_failure_rate: (_at, draw) => Math.max(0, 0.05 + 0.03 * normal(draw)),
  cost_usd: (at, draw) => 3 * rhythm(at) * Math.exp(0.25 * normal(draw)),
};

const WEEKS = 33;

/** Tasks of each hour of these series. */
const TASKS = 60;

/** Whole hours of many weeks. */
function seriesOf(metric: FigureMetric, seed: number): Map<number, number> {
  const draw = draws(seed);
  const value = SERIES[metric];
  if (value === undefined) throw new Error(`there is no series of ${metric}`);
  const end = Math.floor(NOON / 1_000 / HOUR_S) * HOUR_S;
  return new Map(
    Array.from({ length: WEEKS * 168 }, (_, index) => {
      const at = end - index * HOUR_S;
      return [at, value(at, draw)] as const;
    }),
  );
}

function zOf(metric: FigureMetric, series: ReadonlyMap<number, number>, at: number, value: number) {
  const until = at * 1_000 + 1_800_000;
  const past = baselineHours(until).flatMap((hour): PastHour[] => {
    const known = series.get(hour);
    return known === undefined ? [] : [{ at: hour, value: known, tasks: TASKS }];
  });
  const usual = usualOf(past, until);
  if (usual === null) throw new Error("too little is known");
  const { kind } = METRIC_TRAITS[metric];
  const samples = kind === "count" ? null : 60;
  return anomalyOf({ metric, kind, value, samples, tasks: TASKS, window_s: HOUR_S }, usual).z;
}

/** Hours that have six weeks behind them. */
function judged(series: ReadonlyMap<number, number>): [number, number][] {
  const first = Math.min(...series.keys()) + 43 * 24 * HOUR_S;
  return [...series].filter(([at]) => at >= first);
}

const METRICS = ["tasks_created", "task_duration_mean_s", "task_failure_rate", "cost_usd"] as const;
const SEEDS = [1, 2, 3, 4, 5];
/** The threshold of the default rules. */
const Z = 6;

describe("an anomaly", () => {
  it.each(METRICS)("is seen in %s: five times as much, in 19 of 20 hours", (metric) => {
    const series = seriesOf(metric, 7);
    const missed = judged(series).filter(([at, value]) => {
      const injected = metric === "task_failure_rate" ? 0.4 : value * 5;
      return zOf(metric, series, at, injected) <= Z;
    });

    // The rest are hours in which the value itself was low.
    expect(missed.length / judged(series).length).toBeLessThan(0.05);
  });

  it.each(METRICS)("is seen in clean series of %s in fewer than one of 500 hours", (metric) => {
    const hours = SEEDS.flatMap((seed) => {
      const series = seriesOf(metric, seed);
      return judged(series).map(([at, value]) => zOf(metric, series, at, value));
    });
    const wrong = hours.filter((z) => Math.abs(z) > Z);

    expect(hours.length).toBeGreaterThan(20_000);
    expect(wrong.length / hours.length).toBeLessThan(1 / 500);
  });

  it("is not hidden by a few odd hours of the past", () => {
    const series = seriesOf("task_duration_mean_s", 3);
    const at = Math.floor(NOON / 1_000 / HOUR_S) * HOUR_S;
    for (const hour of baselineHours(NOON).filter((_, index) => index % 5 === 0)) {
      series.set(hour, 4_000);
    }

    expect(zOf("task_duration_mean_s", series, at, 400)).toBeGreaterThan(Z);
  });
});

function figuresOf(figure: Figure | null, past: (hours: readonly number[]) => PastHour[]): Figures {
  return {
    figure: async () => figure,
    history: async (_metric, _scope, hours) => past(hours),
    share: async () => ({ good: 0, total: 0 }),
  };
}

/** Tasks that come by chance, now and then (one or ten at once), each at a price of its own. */
function sparse(perHour: number, atOnce: number, seed: number): Map<number, Figure> {
  const draw = draws(seed);
  const poisson = (mean: number): number => {
    let [count, left] = [0, draw()];
    while (left > Math.exp(-mean)) [count, left] = [count + 1, left * draw()];
    return count;
  };
  const end = Math.floor(NOON / 1_000 / HOUR_S) * HOUR_S;
  return new Map(
    Array.from({ length: WEEKS * 168 }, (_, index) => {
      const tasks = poisson(perHour / atOnce) * atOnce;
      const prices = Array.from({ length: tasks }, () => 0.5 * Math.exp(0.5 * normal(draw)));
      const value = prices.reduce((sum, price) => sum + price, 0);
      return [end - index * HOUR_S, { value, samples: null, tasks }] as const;
    }),
  );
}

const COST = defaultRules([]).find(({ rule_id }) => rule_id === "cost-unusual");

/** What the default rule says of an hour. */
async function scoreOf(series: ReadonlyMap<number, Figure>, at: number, figure: Figure) {
  if (COST === undefined) throw new Error("there is no such default rule");
  const past = (hours: readonly number[]): PastHour[] =>
    hours.flatMap((hour) => {
      const known = series.get(hour);
      return known === undefined ? [] : [{ at: hour, ...known }];
    });
  const until = at * 1_000 + 1_800_000;
  const seen = await observe(figuresOf(figure, past), COST, { objectives: [], until });
  return seen?.observation.score ?? 0;
}

describe("what a tenant of few tasks spends", () => {
  it.each([
    [0.2, 1],
    [0.5, 1],
    [0.65, 1],
    [1, 1],
    [3, 1],
    [10, 1],
    [30, 1],
    [0.5, 10],
    [2, 10],
    [10, 10],
  ])("is usual: %d tasks an hour, %d at once", async (perHour, atOnce) => {
    const series = sparse(perHour, atOnce, 5);
    const first = Math.min(...series.keys()) + 43 * 24 * HOUR_S;
    const hours = [...series].filter(([at]) => at >= first);
    const scores = await Promise.all(hours.map(([at, figure]) => scoreOf(series, at, figure)));
    const wrong = scores.filter((score) => score > Z);

    expect(scores.length).toBeGreaterThan(4_000);
    expect(wrong.length / scores.length).toBeLessThan(1 / 500);
  });

  it("is unusual where each task costs five times as much", async () => {
    const series = sparse(20, 1, 6);
    const first = Math.min(...series.keys()) + 43 * 24 * HOUR_S;
    const hours = [...series].filter(([at]) => at >= first);
    const scores = await Promise.all(
      hours.map(([at, figure]) => scoreOf(series, at, { ...figure, value: figure.value * 5 })),
    );

    expect(scores.filter((score) => score <= Z).length / scores.length).toBeLessThan(0.05);
  });

  it("is unusual where a busy tenant suddenly has next to nothing", async () => {
    const series = sparse(100, 1, 8);
    const at = Math.floor(NOON / 1_000 / HOUR_S) * HOUR_S;

    expect(await scoreOf(series, at, { value: 0, samples: null, tasks: 0 })).toBeGreaterThan(Z);
  });
});

describe("what is usual", () => {
  const hours = baselineHours(NOON);
  const flat = (count: number, value = 10) => hours.slice(-count).map((at) => ({ at, value }));

  it("is the median of the same hours of the week, where enough of them are known", () => {
    const sunday = hours.map((at) => ({ at, value: Math.floor(at / 86_400) % 7 === 3 ? 2 : 50 }));

    expect(usualOf(sunday, NOON)).toMatchObject({ of: "hour_of_week", median: 2, hours: 18 });
  });

  it("is else that of the same hours of the last seven days, and else unknown", () => {
    expect(usualOf(flat(18), NOON)).toMatchObject({ of: "last_7_days", median: 10, hours: 18 });
    expect(usualOf(flat(11), NOON)).toBeNull();
  });

  it("is robust", () => {
    expect(median([1, 2, 3, 1_000])).toBe(2.5);
    expect(median([])).toBeNaN();
    expect(robustDeviation([1, 2, 3, 4, 1_000])).toBeCloseTo(1.4826);
  });

  it("is believed to move a little even where it never has", () => {
    const none = { spread: 0, scatter: 0, hours: 12, of: "hour_of_week" } as const;
    const usual = { ...none, median: 10, tasks: 1_000, each: 0.01 };
    const of = (metric: FigureMetric, value: number, window_s = HOUR_S) =>
      anomalyOf({ metric, kind: METRIC_TRAITS[metric].kind, value, samples: 20, window_s }, usual);

    // A mean by a tenth, a count by its root, money as a mean does.
    expect(of("task_duration_mean_s", 12).z).toBeCloseTo(2);
    expect(of("tasks_created", 10 + 3 * Math.sqrt(10)).z).toBeCloseTo(3);
    expect(of("cost_usd", 13).z).toBeCloseTo(3);
    // A quarter of an hour has a quarter of the tasks.
    expect(of("tasks_created", 2.5, 900).z).toBeCloseTo(0);
  });
});

const SLOW = defaultRules([]).find(({ rule_id }) => rule_id === "tasks-unusually-slow");

describe("a rule that watches for anomalies", () => {
  if (SLOW === undefined) throw new Error("there is no such default rule");
  const rule: AlertRule = SLOW;
  const steady = (hours: readonly number[]) =>
    hours.map((at, index) => ({ at, value: 30 + (index % 3) }));
  const look = (figure: Figure | null, past = steady) =>
    observe(figuresOf(figure, past), rule, { objectives: [], until: NOON });

  it("says how far from the usual it is, with the numbers", async () => {
    const seen = await look({ value: 90, samples: 25 });
    if (seen === null) throw new Error("nothing was seen");

    expect(seen.observation.score).toBeGreaterThan(rule.threshold);
    expect(wording(rule, seen)).toMatchObject({
      title: rule.title,
      evidence: {
        metric: "task_duration_mean_s",
        value: 90,
        samples: 25,
        threshold: 6,
        window_s: 3_600,
        baseline: { median: 31, hours: 18, of: "hour_of_week" },
      },
    });
  });

  it("sees nothing where the present or the past says too little", async () => {
    const seen = await Promise.all([
      look(null),
      look({ value: 90, samples: 9 }),
      look({ value: 90, samples: 25 }, () => []),
    ]);

    expect(seen).toEqual([null, null, null]);
  });

  it("is quiet about what is usual", async () => {
    const seen = await look({ value: 32, samples: 25 });

    expect(seen?.observation.score).toBeLessThan(1);
  });
});
