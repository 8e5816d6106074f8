import * as z from "zod";

/* What was observed of an arm: a sum of rewards and how many they were, both forgetting. */

/** `total` and `weight` are as they stood at the `seen`-th observation of their (task type, band). */
export const cellSchema = z.strictObject({
  model_id: z.string(),
  /** Discounted number of observations. */
  weight: z.number().min(0),
  /** Discounted sum of their rewards. */
  total: z.number(),
  /** Observations over all time. */
  updates: z.int().min(0),
  seen: z.int().min(0),
});
export type Cell = z.infer<typeof cellSchema>;

/** A mean and how many observations it stands on. */
export interface Belief {
  mean: number;
  n: number;
}

/**
 * Observations that a (task type, band) has had of all arms: the time that its cells forget by. Every observation of one
 * arm takes a little from what is known of the others, so that an arm that did badly comes back towards its prior.
 */
export function ticksOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { updates }) => sum + updates, 0);
}

/** What is left of an arm's observations by now. */
export function remaining(cell: Cell | undefined, ticks: number, gamma: number): Belief {
  if (cell === undefined) return { mean: 0, n: 0 };
  const n = cell.weight * gamma ** Math.max(0, ticks - cell.seen);
  return { mean: cell.weight === 0 ? 0 : cell.total / cell.weight, n };
}

/** A mean drawn towards its prior, as if that were `mass` observations. */
export function shrunk(seen: Belief, prior: number, mass: number): number {
  return (seen.mean * seen.n + prior * mass) / (seen.n + mass);
}

/** A cell after one more observation, the `ticks`-th of its (task type, band). What outcome-store.ts does in SQL. */
export function observed(
  cell: Cell | undefined,
  { model_id, reward, ticks }: { model_id: string; reward: number; ticks: number },
  gamma: number,
): Cell {
  const before = remaining(cell, ticks, gamma);
  return {
    model_id,
    weight: before.n + 1,
    total: before.mean * before.n + reward,
    updates: (cell?.updates ?? 0) + 1,
    seen: ticks,
  };
}
