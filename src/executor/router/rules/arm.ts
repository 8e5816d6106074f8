import * as z from "zod";

import type { TaskType } from "../../../protocol/enums.ts";
import {
  BUILTIN_MODEL_ID,
  modelCapabilitySchema,
  type CatalogueModel,
} from "../../../protocol/model.ts";
import type { Band } from "../router-port.ts";

/** What a choice has to know of a model: of the catalogue, what concerns one task type. */
export const armSchema = z.strictObject({
  model_id: z.string(),
  tier: z.int().min(0).max(5),
  locality: z.enum(["local", "api"]),
  region: z.string().nullable(),
  capabilities: z.array(modelCapabilitySchema),
  context_tokens: z.number().nullable(),
  max_output_tokens: z.number().nullable(),
  input_usd_per_mtok: z.number(),
  output_usd_per_mtok: z.number(),
  prior_quality: z.number(),
  /** How much better the catalogue says it is in this task type than elsewhere. */
  strength: z.number(),
  typical_latency_s: z.number(),
  is_default: z.boolean(),
});
export type Arm = z.infer<typeof armSchema>;

/** Below every model: after a failed quality gate of the built-in skills, any model is a step up. */
const BUILTIN_TIER = 0;

/** Pure skills answer within one step of the engine. */
const BUILTIN_LATENCY_S = 1;

/**
 * What the band adds to an expected quality for each tier below the strongest. A catalogue states one number; it is
 * taken for tasks of the middle band. Strong models lose least on hard tasks, weak ones gain most on easy ones. Sized by
 * the simulated world (test/router-world.ts: a tier is worth about 0.06, 0.1 and 0.16 there), not by real tasks: what is
 * observed outweighs it.
 */
const PER_TIER: Record<Band, number> = { low: 0.03, medium: 0, high: -0.05 };

/** A model as an arm of one task type. */
export function armOf(model: CatalogueModel, task_type: TaskType): Arm {
  return {
    model_id: model.model_id,
    tier: model.tier,
    locality: model.locality,
    region: model.region ?? null,
    capabilities: model.capabilities,
    context_tokens: model.context_tokens,
    max_output_tokens: model.max_output_tokens,
    input_usd_per_mtok: model.price.input_usd_per_mtok,
    output_usd_per_mtok: model.price.output_usd_per_mtok,
    prior_quality: model.prior_quality,
    strength: (model.strengths[task_type] ?? model.prior_quality) - model.prior_quality,
    typical_latency_s: model.typical_latency_s,
    is_default: model.is_default,
  };
}

/** The executor's own skills as an arm: free, local, without a limit on the context. */
export function builtinArm(prior_quality: number): Arm {
  return {
    model_id: BUILTIN_MODEL_ID,
    tier: BUILTIN_TIER,
    locality: "local",
    region: null,
    capabilities: [],
    context_tokens: null,
    max_output_tokens: null,
    input_usd_per_mtok: 0,
    output_usd_per_mtok: 0,
    prior_quality,
    strength: 0,
    typical_latency_s: BUILTIN_LATENCY_S,
    is_default: false,
  };
}

/** Whether an arm is the executor's own skills. */
export function isBuiltin({ model_id }: Pick<Arm, "model_id">): boolean {
  return model_id === BUILTIN_MODEL_ID;
}

/** A quality stays one. */
export function clamped(quality: number): number {
  return Math.min(1, Math.max(0, quality));
}

/** The expected quality of an arm in a band, over all task types, before anything was observed. */
export function priorIn(band: Band, { prior_quality, tier }: Arm): number {
  return clamped(prior_quality + PER_TIER[band] * (5 - Math.max(1, tier)));
}

/** Tokens of the answer that an arm can be asked for, at most. */
export function answerTokens(arm: Arm, asked: number): number {
  return Math.min(asked, arm.max_output_tokens ?? asked);
}

/** US dollars of a question that is answered at full length. */
export function worstCost(arm: Arm, tokens: { input: number; output: number }): number {
  const output = answerTokens(arm, tokens.output);
  return (tokens.input * arm.input_usd_per_mtok + output * arm.output_usd_per_mtok) / 1_000_000;
}
