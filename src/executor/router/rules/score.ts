import * as z from "zod";

import type { Band } from "../router-port.ts";
import { clamped, priorIn, worstCost, type Arm } from "./arm.ts";
import { remaining, shrunk, ticksOf, type Cell } from "./cell.ts";
import type { Asked, Known, Recent } from "./question.ts";
import type { Tuning } from "./tuning.ts";

/* What speaks for an arm and against it, in the parts that its score is the sum of. */

/** An arm that was compared. Money in US dollars, time in seconds. */
export const candidateSchema = z.strictObject({
  model_id: z.string(),
  /** Observations of the cell over all time. */
  updates: z.number(),
  /** What is left of them after discounting, and the expected quality with them. */
  n: z.number(),
  mean: z.number(),
  /** Expected quality without them: the parent's, moved by what the catalogue says of the type. */
  prior: z.number(),
  parent_n: z.number(),
  parent_mean: z.number(),
  bonus: z.number(),
  cost_usd: z.number(),
  cost_share: z.number(),
  latency_s: z.number(),
  latency_share: z.number(),
  penalty: z.number(),
  score: z.number(),
  /** Little known, and expected too far below the default arm. */
  is_held_back: z.boolean(),
});
export type Candidate = z.infer<typeof candidateSchema>;

/** A p95 that nobody has observed yet, as a multiple of the typical latency. An assumption, and outweighed by eight runs. */
const P95_OF_TYPICAL = 2;

/** Six digits: what is beyond them differs between machines (`Math.log`, `**`), and a record must not. */
export function rounded(value: number): number {
  return Math.round(value * 1_000_000) / 1_000_000;
}

function recentOf({ model_id }: Arm, known: Known): Recent | undefined {
  return known.recent.find((recent) => recent.model_id === model_id);
}

/** What an arm is expected to take: what the catalogue says, outweighed by what was seen as that grows. */
export function latencyOf(
  arm: Arm,
  known: Known,
  { mass }: Tuning,
): { mean_s: number; p95_s: number } {
  const recent = recentOf(arm, known);
  const n = recent?.runs ?? 0;
  const { typical_latency_s } = arm;
  return {
    mean_s: shrunk({ mean: recent?.mean_latency_s ?? 0, n }, typical_latency_s, mass),
    p95_s: shrunk(
      { mean: recent?.p95_latency_s ?? 0, n },
      typical_latency_s * P95_OF_TYPICAL,
      mass,
    ),
  };
}

function costOf(arm: Arm, asked: Asked, { known, tuning }: { known: Known; tuning: Tuning }) {
  const recent = recentOf(arm, known);
  const worst = worstCost(arm, { input: asked.input_tokens, output: asked.output_tokens });
  return shrunk({ mean: recent?.mean_cost_usd ?? 0, n: recent?.runs ?? 0 }, worst, tuning.mass);
}

/** The expected quality of a cell, through the parent that pools what was seen of the arm in all task types. */
export function beliefOf(
  arm: Arm,
  band: Band,
  { known, tuning }: { known: Known; tuning: Tuning },
) {
  const { gamma, mass } = tuning;
  const find = (cells: readonly Cell[]) => cells.find(({ model_id }) => model_id === arm.model_id);
  const parent = remaining(find(known.parents), ticksOf(known.parents), gamma);
  const parent_mean = shrunk(parent, priorIn(band, arm), mass);
  const own = find(known.cells);
  const cell = remaining(own, ticksOf(known.cells), gamma);
  const prior = clamped(parent_mean + arm.strength);
  const mean = shrunk(cell, prior, mass);
  return { updates: own?.updates ?? 0, n: cell.n, mean, prior, parent_n: parent.n, parent_mean };
}

/** Whose expected quality nothing unproven may fall far below: the tenant's default, or else the strongest that is left. */
export function defaultArm(arms: readonly Arm[]): Arm | undefined {
  return arms.toSorted(
    (a, b) =>
      Number(b.is_default) - Number(a.is_default) ||
      b.tier - a.tier ||
      b.prior_quality + b.strength - a.prior_quality - a.strength ||
      (a.model_id < b.model_id ? -1 : 1),
  )[0];
}

/** The expected quality of an arm in a band before anything was observed of it. */
export function priorMean(arm: Arm, band: Band): number {
  return clamped(priorIn(band, arm) + arm.strength);
}

/** Whether a task may be used to learn about arms that are little known. */
export function explores({ is_explorable, retries_left }: Asked): boolean {
  return is_explorable && retries_left > 0;
}

/**
 * All arms that are left, with their scores:
 * w_q·(mean + c·√(ln N / n)) − w_c·cost/cost_ref − w_l·latency/deadline − penalty.
 *
 * n is what is left of the cell's observations, and one more, so that an unknown arm has a bonus at all; N is the sum of
 * all n. cost_ref is the cost of the most expensive arm that is left,
 * the deadline the time left, at most `longest_question_ms`. Without exploration the second term is nought.
 */
export function scored(
  arms: readonly Arm[],
  { asked, known, band, tuning }: { asked: Asked; known: Known; band: Band; tuning: Tuning },
): Candidate[] {
  const { c, trusted_n } = tuning;
  const { delta, ...weight } = tuning.objectives[asked.objective];
  const standard = defaultArm(arms);
  const floor = standard === undefined ? 0 : priorMean(standard, band) - delta;
  const deadline_s = Math.max(1, Math.min(asked.time_left_ms, tuning.longest_question_ms)) / 1_000;
  const parts = arms.map((arm) => ({
    arm,
    belief: beliefOf(arm, band, { known, tuning }),
    cost_usd: costOf(arm, asked, { known, tuning }),
    latency_s: latencyOf(arm, known, tuning).mean_s,
  }));
  const all = parts.reduce((sum, { belief }) => sum + belief.n + 1, 0);
  const cost_ref = Math.max(...parts.map(({ cost_usd }) => cost_usd));
  return parts.map(({ arm, belief, cost_usd, latency_s }) => {
    const bonus = explores(asked) ? c * Math.sqrt(Math.log(all) / (belief.n + 1)) : 0;
    const cost_share = cost_ref === 0 ? 0 : cost_usd / cost_ref;
    const latency_share = latency_s / deadline_s;
    const isAvoided = asked.avoided.some(({ model_id }) => model_id === arm.model_id);
    const penalty = isAvoided ? tuning.avoided_penalty : 0;
    const score =
      weight.quality * (belief.mean + bonus) -
      weight.cost * cost_share -
      weight.latency * latency_share -
      penalty;
    return {
      model_id: arm.model_id,
      updates: belief.updates,
      n: rounded(belief.n),
      mean: rounded(belief.mean),
      prior: rounded(belief.prior),
      parent_n: rounded(belief.parent_n),
      parent_mean: rounded(belief.parent_mean),
      bonus: rounded(bonus),
      cost_usd: rounded(cost_usd),
      cost_share: rounded(cost_share),
      latency_s: rounded(latency_s),
      latency_share: rounded(latency_share),
      penalty,
      score: rounded(score),
      is_held_back: arm !== standard && belief.updates < trusted_n && belief.mean < floor,
    };
  });
}
