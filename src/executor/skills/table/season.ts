import { explainedShare, meanOf } from "./significance.ts";

/** A calendar cycle that values can follow. */
export type Cycle = "month" | "weekday" | "hour";

/** A cycle and the mean of each of its phases: months and weekdays from 0 (Sunday), hours from 0. */
export interface Season {
  cycle: Cycle;
  /** Share of the variation around the trend that the cycle explains (epsilon squared). */
  explained_share: number;
  means: Map<number, number>;
}

const DAY_MS = 86_400_000;
/** Cycles that explain less are not worth a sentence, nor safe to take out. */
const MIN_EXPLAINED = 0.05;
const MIN_PHASES = 3;

/** How much must be covered to see a cycle twice or more, and how fine the steps must be, in ms. */
const NEEDS: Readonly<Record<Cycle, { span_ms: number; step_ms: number }>> = {
  month: { span_ms: 1.95 * 365.25 * DAY_MS, step_ms: 95 * DAY_MS },
  weekday: { span_ms: 28 * DAY_MS, step_ms: 1.5 * DAY_MS },
  hour: { span_ms: 3 * DAY_MS, step_ms: DAY_MS / 4 },
};

/** The phase of a cycle that an instant falls in, UTC. */
export function phaseOf(cycle: Cycle, epoch_ms: number): number {
  const date = new Date(epoch_ms);
  switch (cycle) {
    case "month":
      return date.getUTCMonth();
    case "weekday":
      return date.getUTCDay();
    case "hour":
      return date.getUTCHours();
  }
}

/**
 * The cycle that explains most of the values, or null if none explains 5 %.
 *
 * @param times epoch milliseconds, ascending
 * @param values without trend, one per time
 */
export function findSeason(times: readonly number[], values: readonly number[]): Season | null {
  const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
  const step = span / Math.max(1, times.length - 1);
  const seasons = (["month", "weekday", "hour"] as const).flatMap((cycle) => {
    const need = NEEDS[cycle];
    if (span < need.span_ms || step > need.step_ms) return [];
    const groups = phaseGroups(cycle, times, values);
    const explained_share = explainedShare([...groups.values()]);
    if (groups.size < MIN_PHASES || explained_share < MIN_EXPLAINED) return [];
    const means = new Map([...groups].map(([phase, group]) => [phase, meanOf(group)]));
    return [{ cycle, explained_share, means }];
  });
  return seasons.toSorted((a, b) => b.explained_share - a.explained_share)[0] ?? null;
}

function phaseGroups(
  cycle: Cycle,
  times: readonly number[],
  values: readonly number[],
): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const [index, time] of times.entries()) {
    const phase = phaseOf(cycle, time);
    const group = groups.get(phase) ?? [];
    group.push(values[index] ?? 0);
    groups.set(phase, group);
  }
  return groups;
}
