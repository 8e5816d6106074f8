import type { MemoryUtility } from "../../../protocol/memory.ts";

/** What is known of a memory's use. */
export type Use = Pick<MemoryUtility, "used" | "helped">;

/** After so many runs a memory is judged, and fades where it has helped in fewer than this share of them. */
const JUDGED_AFTER = 5;
const FADED_BELOW = 0.25;

/**
 * How useful a memory is believed to be, in (0, 1): (helped + 1) / (used + 2), the mean of a Beta(1, 1) prior after
 * that many runs. Half while nobody knows; every run that went well raises it, every other one lowers it.
 */
export function utilityScore({ used, helped }: Use): number {
  return (helped + 1) / (used + 2);
}

/** The use after one more run, whose score is put into [0, 1]. */
export function usedOnce({ used, helped }: Use, score: number): Use {
  const share = Number.isFinite(score) ? Math.min(1, Math.max(0, score)) : 0;
  return { used: used + 1, helped: helped + share };
}

/** Whether it was put before enough runs, and helped so few, that no further run is bothered with it. */
export function isFaded(use: Use): boolean {
  return use.used >= JUDGED_AFTER && utilityScore(use) < FADED_BELOW;
}

/** By what the rank of a memory is multiplied: 1 while nobody knows, at most 1.5, at least 0.5. */
export function utilityFactor(use: Use): number {
  return 0.5 + utilityScore(use);
}
