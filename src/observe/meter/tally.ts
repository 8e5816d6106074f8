import { metricOf } from "./catalogue.ts";

/*
 * Figures by series. A counter is [n]; a histogram [sum in milliseconds, count of each bucket …, count beyond the last
 * bound]: whole numbers, so that adding them up in any order gives the same.
 */

/** Figures by series key: the metric's name and its label values in the catalogue's order, with blanks between. */
export type Tally = Record<string, number[]>;

/** Figures as kept: the seconds that they stand for, the start of these in epoch seconds, and what was counted. */
export interface MeterStep {
  step: number;
  bucket: number;
  tally: Tally;
}

/** From what steps to what, and which: those that began before this instant, epoch seconds. */
export interface Fold {
  from: number;
  to: number;
  before: number;
}

/** Series of one tally; what is more is counted under `other`, so that memory has a bound. */
export const MAX_SERIES = 2_000;

/** Characters of one label value. The longest route pattern has 70. */
const MAX_VALUE_LENGTH = 100;

/** Label value of whatever has no place of its own. */
const OTHER = "other";

/** The key of a series. Blanks in values become underscores, and an empty one a hyphen. */
export function seriesKey(metric: string, values: readonly string[]): string {
  const plain = values.map((value) => value.slice(0, MAX_VALUE_LENGTH).replaceAll(/\s/g, "_"));
  return [metric, ...plain.map((value) => (value === "" ? "-" : value))].join(" ");
}

/** The metric and labels of a key; null when the catalogue has no such series (any more). */
export function seriesOf(key: string): { metric: string; labels: Record<string, string> } | null {
  const [name = "", ...values] = key.split(" ");
  const metric = metricOf(name);
  if (metric === undefined || metric.labels.length !== values.length) return null;
  const labels = metric.labels.map((label, index) => [label, values[index] ?? ""] as const);
  return { metric: name, labels: Object.fromEntries(labels) };
}

/** Labels that totals alone have: with them a minute would have hundreds of series, and weeks of them are read at once. */
const OF_TOTALS: ReadonlySet<string> = new Set(["route", "method"]);

/** The key under which minutes, hours and days have a series: all routes and methods are one. */
export function keyOverTime(key: string): string {
  const series = seriesOf(key);
  if (series === null) return key;
  const values = Object.entries(series.labels);
  return seriesKey(
    series.metric,
    values.map(([label, value]) => (OF_TOTALS.has(label) ? "" : value)),
  );
}

/** The key under which a series may be counted: its own, or that of the others once there are too many. */
function placeOf(tally: Tally, key: string, size: number): string {
  if (tally[key] !== undefined || size < MAX_SERIES) return key;
  const [metric = "", ...values] = key.split(" ");
  return seriesKey(
    metric,
    values.map(() => OTHER),
  );
}

/** Adds figures to those of a series, number by number. */
function add(known: readonly number[] | undefined, figures: readonly number[]): number[] {
  if (known === undefined) return [...figures];
  const length = Math.max(known.length, figures.length);
  return Array.from({ length }, (_, index) => (known[index] ?? 0) + (figures[index] ?? 0));
}

/** A tally of at most `MAX_SERIES` series, and one `other` for each metric. */
export class BoundedTally {
  #figures: Tally;
  #size: number;

  constructor(figures: Tally = {}) {
    this.#figures = figures;
    this.#size = Object.keys(figures).length;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get figures(): Tally {
    return this.#figures;
  }

  add(key: string, figures: readonly number[]): void {
    const place = placeOf(this.#figures, key, this.#size);
    const known = this.#figures[place];
    if (known === undefined) this.#size += 1;
    this.#figures[place] = add(known, figures);
  }

  addAll(tally: Tally): void {
    for (const [key, figures] of Object.entries(tally)) this.add(key, figures);
  }
}

/** The sum of tallies. */
export function sumOf(tallies: readonly Tally[]): Tally {
  const sum = new BoundedTally();
  for (const tally of tallies) sum.addAll(tally);
  return sum.figures;
}

/**
 * The figures of one duration: which bucket it falls into. A bound belongs to its bucket, as `le` says.
 *
 * @param bounds in seconds, ascending
 */
export function timed(bounds: readonly number[], ms: number): number[] {
  const whole = Math.max(0, Math.round(ms));
  const figures = Array.from({ length: bounds.length + 2 }, () => 0);
  figures[0] = whole;
  const found = bounds.findIndex((bound) => whole <= bound * 1_000);
  figures[1 + (found === -1 ? bounds.length : found)] = 1;
  return figures;
}
