import type { HourForecast } from "../../protocol/forecast.ts";

/* What hours bring, from what the same hours have brought. All times are whole hours in epoch seconds. */

/** Lengths in seconds. */
export const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;
export const WEEK_S = 7 * DAY_S;

/** Former weeks that are looked at, and days where there are no two weeks. */
export const MAX_WEEKS = 6;
const MAX_DAYS = 14;

/** The same hours that must be known: one is an anecdote. */
const FEWEST = 2;

/** Standard deviations on each side that hold 95 % of a normal distribution. */
const SIDES = 1.96;

/** Tasks by hour. An hour without an entry had none, if it is not before `since`. */
export interface Volumes {
  byHour: ReadonlyMap<number, number>;
  /** The first hour of which something is known; null when nothing is. */
  since: number | null;
}

/** What is expected of an hour. */
export interface Expected {
  expected: number | null;
  low: number | null;
  high: number | null;
  basis: HourForecast["basis"];
}

const NOTHING: Expected = { expected: null, low: null, high: null, basis: "none" };

/** What the hours before this one had, at equal distances, the newest first: known hours before `until` alone. */
function samplesOf(
  { byHour, since }: Volumes,
  span: { hour: number; until: number },
  steps: { length: number; most: number },
): number[] {
  if (since === null) return [];
  const hours = Array.from(
    { length: steps.most },
    (_, index) => span.hour - (index + 1) * steps.length,
  );
  return hours
    .filter((hour) => hour >= since && hour < span.until)
    .map((hour) => byHour.get(hour) ?? 0);
}

/** The mean in which the newest of n counts n times as much as the oldest, and how far hours lie from it. */
function spreadOf(samples: readonly number[]): Omit<Expected, "basis"> {
  const n = samples.length;
  const weights = samples.map((_, index) => n - index);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const weighted = (value: (sample: number) => number): number =>
    samples.reduce((sum, sample, index) => sum + value(sample) * (weights[index] ?? 0), 0) / total;
  const expected = weighted((sample) => sample);
  const variance = (weighted((sample) => (sample - expected) ** 2) * n) / (n - 1);
  // Arrivals that do not know of each other vary by their mean (Poisson), however equal few samples happen to be.
  const deviation = Math.sqrt(Math.max(variance, expected) * (1 + 1 / n));
  return {
    expected,
    low: Math.max(0, expected - SIDES * deviation),
    high: expected + SIDES * deviation,
  };
}

/**
 * What an hour brings, from what was known before `until`: the weighted mean of the same hour of former weeks, else of
 * the same hour of the days before; nothing where not even that is known twice.
 */
export function expectedOf(volumes: Volumes, hour: number, until: number): Expected {
  const weeks = samplesOf(volumes, { hour, until }, { length: WEEK_S, most: MAX_WEEKS });
  if (weeks.length >= FEWEST) return { ...spreadOf(weeks), basis: "hour_of_week" };
  const days = samplesOf(volumes, { hour, until }, { length: DAY_S, most: MAX_DAYS });
  if (days.length >= FEWEST) return { ...spreadOf(days), basis: "hour_of_day" };
  return NOTHING;
}

/** How well a week was told. Shares, and null where nothing can be said. */
export interface ForecastError {
  hours: number;
  tasks: number;
  wmape: number | null;
  mape: number | null;
  within_bounds: number | null;
}

/**
 * The error of a back-test: each hour of the week before `now`, told from what was known before that week.
 *
 * @param now the present hour, of which nothing is used
 */
export function backTest(volumes: Volumes, now: number): ForecastError {
  const begin = now - WEEK_S;
  const told = Array.from({ length: WEEK_S / HOUR_S }, (_, index) => {
    const hour = begin + index * HOUR_S;
    return { ...expectedOf(volumes, hour, begin), actual: volumes.byHour.get(hour) ?? 0 };
  }).flatMap(({ expected, low, high, actual }) =>
    expected === null ? [] : [{ expected, low: low ?? 0, high: high ?? 0, actual }],
  );
  const tasks = told.reduce((sum, { actual }) => sum + actual, 0);
  const misses = told.map(({ expected, actual }) => Math.abs(actual - expected));
  const missed = misses.reduce((sum, miss) => sum + miss, 0);
  const relative = told.flatMap(({ expected, actual }) =>
    actual === 0 ? [] : [Math.abs(actual - expected) / actual],
  );
  const within = told.filter(({ low, high, actual }) => low <= actual && actual <= high);
  return {
    hours: told.length,
    tasks,
    wmape: tasks === 0 ? null : missed / tasks,
    mape:
      relative.length === 0 ? null : relative.reduce((sum, one) => sum + one, 0) / relative.length,
    within_bounds: told.length === 0 ? null : within.length / told.length,
  };
}
