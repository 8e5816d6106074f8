import type { FigureKind } from "../../protocol/alert-rule-check.ts";
import type { AlertMetric } from "../../protocol/alerts.ts";
import type { PastHour } from "./ports.ts";

/* How far a figure is from what is usual at this hour: by medians, which a few odd hours do not move. */

const HOUR_S = 3_600;
const DAY_S = 86_400;
const WEEK_S = 604_800;

/** Weeks that are compared with, and days where these are not enough. */
const WEEKS = 6;
const DAYS = 7;

/** Hours that have to be known: of the same hours of the week, or else of the same hours of the last seven days. */
const ENOUGH = { hour_of_week: 8, last_7_days: 12 } as const;

/** The standard deviation of a normal distribution, in median absolute deviations: 1 / Φ⁻¹(3/4). */
const MAD_TO_DEVIATION = 1.4826;

/** A share that never was anything else is never quite certain: the binomial noise is that of this share at least. */
const LEAST_SHARE = 0.02;

/** A mean moves by so much of itself without meaning anything. */
const USUAL_MOVE = 0.1;

/** Least spread that a figure is believed to have, in its own unit. */
const LEAST: Partial<Record<AlertMetric, number>> = {
  task_failure_rate: 0.02,
  task_duration_p95_s: 1,
  task_duration_mean_s: 1,
  cost_usd: 0.01,
  tokens: 1_000,
  quality_mean: 0.02,
};

/** What is usual at an hour. */
export interface Usual {
  median: number;
  /** Deviation of the known hours around it, before any floor. */
  spread: number;
  /** Their standard deviation. */
  scatter: number;
  /** Of an amount: the tasks of an hour, and the share of one of them; null where no hour had any. */
  tasks: number;
  each: number | null;
  hours: number;
  of: keyof typeof ENOUGH;
}

/** A figure's distance from the usual. */
export interface Anomaly {
  /** In either direction: above 0 is more than usual. */
  z: number;
  usual: Usual;
  /** By what the distance was divided: the spread, or the least that is believed. */
  deviation: number;
}

/** The value in the middle; between two, their mean. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** The standard deviation that a normal distribution of the same median absolute deviation has. */
export function robustDeviation(values: readonly number[]): number {
  const middle = median(values);
  return MAD_TO_DEVIATION * median(values.map((value) => Math.abs(value - middle)));
}

function plainDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / values.length);
}

const around = (hour: number): number[] => [hour - HOUR_S, hour, hour + HOUR_S];

function hoursBack(until: number, count: number, stride: number): number[] {
  const hour = Math.floor(until / 1_000 / HOUR_S) * HOUR_S;
  return Array.from({ length: count }, (_, index) => around(hour - (index + 1) * stride)).flat();
}

/**
 * Starts of the hours, epoch seconds, that an instant (epoch milliseconds) is compared with: this hour, the one before
 * and the one after, of the same weekday in the last six weeks and of each of the last seven days.
 */
export function baselineHours(until: number): number[] {
  const all = [...hoursBack(until, WEEKS, WEEK_S), ...hoursBack(until, DAYS, DAY_S)];
  return [...new Set(all)].toSorted((a, b) => a - b);
}

/**
 * What is usual at an instant: the median and spread of the same hours of the week where enough of them are known, else
 * those of the last seven days. Null where neither is.
 */
export function usualOf(past: readonly PastHour[], until: number): Usual | null {
  const valuesAt = (hours: readonly number[]) => past.filter(({ at }) => hours.includes(at));
  const sets = {
    hour_of_week: valuesAt(hoursBack(until, WEEKS, WEEK_S)),
    last_7_days: valuesAt(hoursBack(until, DAYS, DAY_S)),
  };
  const of = (["hour_of_week", "last_7_days"] as const).find(
    (name) => sets[name].length >= ENOUGH[name],
  );
  if (of === undefined) return null;
  const known = sets[of];
  const values = known.map(({ value }) => value);
  const busy = known.flatMap(({ value, tasks = 0 }) => (tasks > 0 ? [value / tasks] : []));
  return {
    of,
    median: median(values),
    spread: robustDeviation(values),
    scatter: plainDeviation(values),
    tasks: median(known.map(({ tasks = 0 }) => tasks)),
    each: busy.length > 0 ? median(busy) : null,
    hours: values.length,
  };
}

/** Sums of money and tokens: each task adds to them by chance, and much or little of it. */
const AMOUNTS: ReadonlySet<AlertMetric> = new Set(["cost_usd", "tokens"]);

/** What is compared with the usual. */
export interface Compared {
  metric: AlertMetric;
  kind: FigureKind;
  value: number;
  samples: number | null;
  /** Of an amount: of how many tasks it is the sum. */
  tasks?: number;
  window_s: number;
}

/**
 * Noise of a sum over tasks that come by chance: that of as many as usual, or as there are now, at the usual price of one.
 * So a few tasks, or many at once, are no news; that each costs much more is.
 */
function amountNoise({ value, tasks = 0 }: Compared, usual: Usual): number {
  const each = usual.each ?? (tasks > 0 ? value / tasks : 0);
  const chance = Math.abs(each) * Math.sqrt(Math.max(1, tasks, usual.tasks));
  return Math.max(USUAL_MOVE * Math.abs(usual.median), chance);
}

/** Noise that a figure has by being counted or drawn, whatever its past was. */
function noise(compared: Compared, usual: Usual): number {
  switch (compared.kind) {
    case "count":
      if (AMOUNTS.has(compared.metric)) return amountNoise(compared, usual);
      // Of independent events: Poisson.
      return Math.sqrt(Math.max(1, usual.median));
    case "share": {
      const share = Math.min(Math.max(usual.median, LEAST_SHARE), 1 - LEAST_SHARE);
      return Math.sqrt((share * (1 - share)) / Math.max(1, compared.samples ?? 1));
    }
    case "mean":
    case "moment":
      return USUAL_MOVE * Math.abs(usual.median);
  }
}

/**
 * What is usual within a share of an hour. Where most hours had nothing, the median absolute deviation is 0 whatever the
 * others had, and all that happens now and then would be unusual: their standard deviation is taken.
 */
function within(usual: Usual, kind: FigureKind, share: number): Usual {
  const { median: middle, spread, scatter, tasks } = usual;
  if (kind !== "count") return { ...usual, spread: spread / Math.sqrt(share) };
  return {
    ...usual,
    median: middle * share,
    tasks: tasks * share,
    spread: middle === 0 ? scatter * Math.sqrt(share) : spread * share,
  };
}

/**
 * Whether too few tasks, now and usually, make up an amount for anything to be said of it. Of shares and means their
 * samples say so.
 */
export function isTooFew(compared: Compared, hourly: Usual, min_samples: number): boolean {
  const usually = (hourly.tasks * compared.window_s) / HOUR_S;
  return AMOUNTS.has(compared.metric) && Math.max(compared.tasks ?? 0, usually) < min_samples;
}

/**
 * How unusual a figure is, as a robust z-score. The past is by the hour: a count is compared with the share of an hour
 * that its window is; of a mean or share, a shorter window is allowed a wider spread.
 */
export function anomalyOf(compared: Compared, hourly: Usual): Anomaly {
  const { metric, kind, value, window_s } = compared;
  const usual = within(hourly, kind, window_s / HOUR_S);
  const deviation = Math.max(usual.spread, noise(compared, usual), LEAST[metric] ?? 0);
  return { z: (value - usual.median) / deviation, usual, deviation };
}
