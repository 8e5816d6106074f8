import * as z from "zod";

import { objectiveSchema } from "../../../protocol/task-execution.ts";

const share = z.number().min(0).max(1);

/**
 * What an objective weighs, and `delta`: how far below the default arm's prior mean an arm may be whose cell is not yet
 * trusted.
 */
const weightsSchema = z.strictObject({ quality: share, cost: share, latency: share, delta: share });

/** Every number that a choice depends on besides its question and what was learned. It is part of each record. */
export const tuningSchema = z.strictObject({
  /** Of the rules; a record is made again only under the rules that it was made under. */
  version: z.string(),
  /** How much an arm gains for being little known. */
  c: z.number().min(0),
  /** What remains of an observation after each later one in its (task type, band). */
  gamma: share,
  /** Observations that a prior is worth. */
  mass: z.number().positive(),
  /** Observations from which a cell speaks for itself, and is no longer held back. */
  trusted_n: z.number().min(0),
  /** What an arm loses that memory advises against. */
  avoided_penalty: z.number().min(0),
  /** Milliseconds that one question may take, whatever is left for the task. */
  longest_question_ms: z.number().positive(),
  objectives: z.record(objectiveSchema, weightsSchema),
});
export type Tuning = z.infer<typeof tuningSchema>;

/**
 * The numbers in force.
 *
 * c, gamma, mass and trusted_n are those of facts/orchestration.md §3.3; `balanced` weighs as the utility of its §3.4
 * does, the other objectives move the weight to what they are named for, and allow as much less quality. The delta of
 * `balanced` was chosen on the simulator, where 0.2 keeps a cheap arm out that gets better (regret 0.05 in place of 0.03)
 * and 0.25 does not; the rail hardly binds there, and another world may want another number. A memory's advice weighs as
 * much as one tier of strength does in that world. Two minutes are what a caller waits for one answer: beyond them, time
 * that the task has left is no reason to be slow.
 */
export const TUNING: Tuning = {
  version: "2026-11",
  c: 0.05,
  gamma: 0.99,
  mass: 8,
  trusted_n: 20,
  avoided_penalty: 0.1,
  longest_question_ms: 120_000,
  objectives: {
    quality: { quality: 1, cost: 0.04, latency: 0.01, delta: 0.1 },
    balanced: { quality: 1, cost: 0.18, latency: 0.05, delta: 0.25 },
    cheap: { quality: 1, cost: 0.5, latency: 0.05, delta: 0.4 },
    fast: { quality: 1, cost: 0.1, latency: 0.5, delta: 0.4 },
  },
};
