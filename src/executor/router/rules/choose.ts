import * as z from "zod";

import { bandOf, bandSchema } from "./band.ts";
import { filtered } from "./filters.ts";
import type { Inputs } from "./question.ts";
import { reasonsOf } from "./reasons.ts";
import { candidateSchema, defaultArm, explores, priorMean, rounded, scored } from "./score.ts";
import type { Tuning } from "./tuning.ts";

/** A choice with all that led to it; `model_id` is null when the filters left nothing. */
export const answerSchema = z.strictObject({
  band: bandSchema,
  band_score: z.number(),
  band_by: z.enum(["caller", "scorer"]),
  removed: z.array(
    z.strictObject({ model_id: z.string(), filter: z.string(), reason: z.string() }),
  ),
  /** Best first. */
  candidates: z.array(candidateSchema),
  explores: z.boolean(),
  default_model_id: z.string().nullable(),
  /** Expected quality below which what is little known is held back. */
  floor: z.number().nullable(),
  is_probe: z.boolean(),
  model_id: z.string().nullable(),
  reasons: z.array(z.string()),
});
export type RoutingAnswer = z.infer<typeof answerSchema>;

/**
 * Which arm a question goes to: filters, band, scores, guard rails (facts/orchestration.md §3.3).
 *
 * Deterministic: no clock, no draw; equal scores go by the model's id. The default arm is never held back, so that one is
 * always left of those that the filters leave.
 */
export function decide({ asked, arms, known }: Inputs, tuning: Tuning): RoutingAnswer {
  const { band, score, by } = bandOf(asked.features, asked.complexity);
  const { left, removed } = filtered(arms, { asked, known, tuning });
  const candidates = scored(left, { asked, known, band, tuning }).toSorted(
    (a, b) => b.score - a.score || (a.model_id < b.model_id ? -1 : 1),
  );
  const standard = defaultArm(left);
  const chosen = candidates.find(({ is_held_back }) => !is_held_back);
  const answer = {
    band,
    band_score: score,
    band_by: by,
    removed,
    candidates,
    explores: explores(asked),
    default_model_id: standard?.model_id ?? null,
    floor:
      standard === undefined
        ? null
        : rounded(priorMean(standard, band) - tuning.objectives[asked.objective].delta),
    is_probe: known.breakers.some(({ model_id }) => model_id === chosen?.model_id),
    model_id: chosen?.model_id ?? null,
  };
  return { ...answer, reasons: reasonsOf(answer, { asked, known }) };
}
