import { instant } from "../../lib/ports.ts";
import type { TaskType } from "../../protocol/enums.ts";
import type { Forecast, HourForecast } from "../../protocol/forecast.ts";
import type { Run } from "../run.ts";
import { durationsOf } from "../run.ts";
import { backTest, expectedOf, HOUR_S, type Volumes } from "./forecast.ts";

/** Hours that are told. */
const HOURS = 24;

/** The share of the slots that may be busy: beyond it queues grow out of proportion to the load. */
const BUSY_SHARE = 0.8;

/** What is known of each type, and of the executors. */
export interface Known {
  /** Tasks by hour of each type. */
  byType: ReadonlyMap<TaskType, Volumes["byHour"]>;
  /** The first hour with a task of whatever type; null where there is none. */
  since: number | null;
  /** Mean seconds of work of one task, by type; and of all, for a type that has shown none. */
  meanSeconds: ReadonlyMap<TaskType, number>;
  meanOfAll: number | null;
  /** Slots of the executors that are online; null when that is unknown. */
  slots: number | null;
}

/** Mean seconds from start to outcome, by type and of all. */
export function meanSecondsOf(runs: readonly Run[]): Pick<Known, "meanSeconds" | "meanOfAll"> {
  const meanOf = (of: readonly Run[]): number | null => {
    const durations = durationsOf(of);
    if (durations.length === 0) return null;
    return durations.reduce((sum, seconds) => sum + seconds, 0) / durations.length;
  };
  const means = [...Map.groupBy(runs, ({ task_type }) => task_type)].flatMap(
    ([type, of]): [TaskType, number][] => {
      const mean = meanOf(of);
      return mean === null ? [] : [[type, mean]];
    },
  );
  return { meanSeconds: new Map(means), meanOfAll: meanOf(runs) };
}

/** The tasks of these types together: known since the first of them came, for before nobody sent any. */
function volumesOf({ byType }: Known, types: readonly TaskType[]): Volumes {
  const byHour = new Map<number, number>();
  for (const type of types) {
    for (const [hour, count] of byType.get(type) ?? []) {
      byHour.set(hour, (byHour.get(hour) ?? 0) + count);
    }
  }
  const hours = [...byHour].flatMap(([hour, count]) => (count > 0 ? [hour] : []));
  return { byHour, since: hours.length === 0 ? null : Math.min(...hours) };
}

const rounded = (value: number | null): number | null =>
  value === null ? null : Number(value.toFixed(2));

/** Slots that an hour needs: each type by how long its tasks take. Null where nobody knows how long. */
function slotsNeeded(
  known: Known,
  types: readonly TaskType[],
  span: { hour: number; until: number },
): number | null {
  const needs = types.map((type) => {
    const { expected } = expectedOf(volumesOf(known, [type]), span.hour, span.until);
    if (expected === null || expected === 0) return 0;
    const mean = known.meanSeconds.get(type) ?? known.meanOfAll;
    return mean === null ? null : (expected * mean) / HOUR_S / BUSY_SHARE;
  });
  return needs.reduce<number | null>(
    (sum, need) => (sum === null || need === null ? null : sum + need),
    0,
  );
}

function adviceOf(hours: readonly HourForecast[], slots: number | null): string[] {
  const short = hours.filter(({ is_short }) => is_short === true);
  const [first] = short;
  if (first === undefined || slots === null) return [];
  const most = Math.ceil(Math.max(...short.map(({ slots_needed }) => slots_needed ?? 0)));
  return [
    `Have ${most} slots online before ${first.at}, ${most - slots} more than now: register executors, or PUT their registration with more slots. ${short.length} of the next ${HOURS} hours need more than there are.`,
    "The built-in executor stays at its four slots a pool. Its queue needs nothing: the platform adds consumers as it fills, unless wrangler.toml gives it a max_concurrency.",
  ];
}

/**
 * What the next 24 hours bring, the slots that it takes, and how well the last week would have been told.
 *
 * @param now epoch milliseconds
 */
export function forecastOf(known: Known, task_type: TaskType | null, now: number): Forecast {
  const present = Math.floor(now / 1_000 / HOUR_S) * HOUR_S;
  const types = task_type === null ? [...known.byType.keys()] : [task_type];
  const volumes = volumesOf(known, types);
  const hours = Array.from({ length: HOURS }, (_, index): HourForecast => {
    const hour = present + (index + 1) * HOUR_S;
    const { expected, low, high, basis } = expectedOf(volumes, hour, present);
    const needed = expected === null ? null : slotsNeeded(known, types, { hour, until: present });
    return {
      at: instant(hour * 1_000),
      expected: rounded(expected),
      low: rounded(low),
      high: rounded(high),
      basis,
      slots_needed: rounded(needed),
      is_short: needed === null || known.slots === null ? null : needed > known.slots,
    };
  });
  const error = backTest(volumes, present);
  return {
    at: instant(now),
    task_type,
    known_since: known.since === null ? null : instant(known.since * 1_000),
    hours,
    slots: known.slots,
    error: {
      ...error,
      wmape: rounded(error.wmape),
      mape: rounded(error.mape),
      within_bounds: rounded(error.within_bounds),
    },
    advice: adviceOf(hours, known.slots),
  };
}
