/** Values over the same equal steps, oldest first. */
export interface Grid {
  /** Start of each step, epoch seconds. */
  times: number[];
  lines: { id: string; values: number[]; total: number }[];
}

/** What a grid is made of: points of series, some of which belong together. */
interface Source {
  labels: Record<string, string>;
  points: readonly (readonly [number, number | null])[];
}

/** Which line a series belongs to; null where it is not drawn. */
type LineOf<S> = (series: S) => string | null;

/** Steps of the grid, seconds and how many: the last hour by minute. */
const STEP_S = 60;
const STEPS = 60;

/**
 * Puts counts of series onto equal minutes of the last hour; what has no point there is 0, because nothing happened.
 *
 * @param lineIds the lines in the order in which they are drawn; there even when no series is
 * @param at the end of the grid, epoch seconds
 */
export function gridOf<S extends Source>(
  series: readonly S[],
  { lineIds, lineOf, at }: { lineIds: readonly string[]; lineOf: LineOf<S>; at: number },
): Grid {
  const last = Math.floor(at / STEP_S) * STEP_S;
  const times = Array.from({ length: STEPS }, (_, index) => last - (STEPS - 1 - index) * STEP_S);
  const lines = lineIds.map((id) => ({ id, values: times.map(() => 0), total: 0 }));
  for (const one of series) {
    const line = lines.find(({ id }) => id === lineOf(one));
    if (line === undefined) continue;
    for (const [time, value] of one.points) {
      const index = Math.floor((time - (times[0] ?? 0)) / STEP_S);
      const before = line.values[index];
      if (before === undefined) continue;
      line.values[index] = before + (value ?? 0);
      line.total += value ?? 0;
    }
  }
  return { times, lines };
}
