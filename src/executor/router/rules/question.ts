import * as z from "zod";

import {
  complexitySchema,
  modelPreferenceSchema,
  taskTypeSchema,
} from "../../../protocol/enums.ts";
import { BUILTIN_MODEL_ID, modelCapabilitySchema } from "../../../protocol/model.ts";
import { objectiveSchema } from "../../../protocol/task-execution.ts";
import type { RoutingQuestion } from "../router-port.ts";
import { armOf, armSchema, builtinArm, type Arm } from "./arm.ts";
import { featuresOf, featuresSchema } from "./band.ts";
import { cellSchema } from "./cell.ts";

/* All that a choice is made from, as a record holds it: what was asked, and what was known then. */

/** A question as it is recorded: instead of the description what was counted in it. */
const askedSchema = z.strictObject({
  decision_id: z.string(),
  task_id: z.string(),
  attempt: z.number(),
  round: z.number(),
  task_type: taskTypeSchema,
  features: featuresSchema,
  complexity: complexitySchema.nullable(),
  objective: objectiveSchema,
  model_preference: modelPreferenceSchema,
  region: z.string().nullable(),
  needs: z.array(modelCapabilitySchema),
  input_tokens: z.number(),
  output_tokens: z.number(),
  budget_usd: z.number().nullable(),
  budget_tokens: z.number().nullable(),
  time_left_ms: z.number(),
  is_explorable: z.boolean(),
  retries_left: z.number(),
  builtin_lack: z.string().nullable(),
  excluded: z.array(z.string()),
  avoided: z.array(z.strictObject({ model_id: z.string(), memory_ids: z.array(z.string()) })),
  above_tier: z.number().nullable(),
});
export type Asked = z.infer<typeof askedSchema>;

/** What the last runs of an arm in the task type took; `runs` is how many of them these figures stand on. */
const recentSchema = z.strictObject({
  model_id: z.string(),
  runs: z.int().min(0),
  mean_latency_s: z.number(),
  p95_latency_s: z.number(),
  mean_cost_usd: z.number(),
});
export type Recent = z.infer<typeof recentSchema>;

/** What was learned before. `is_complete` is false where it could not be read, and priors alone decide. */
const knownSchema = z.strictObject({
  is_complete: z.boolean(),
  /** Of (task type, band). */
  cells: z.array(cellSchema),
  /** Of (band), over all task types. */
  parents: z.array(cellSchema),
  recent: z.array(recentSchema),
  /** Models whose breaker is open; a `probe` is due, and whoever is first may make it. */
  breakers: z.array(z.strictObject({ model_id: z.string(), state: z.enum(["open", "probe"]) })),
});
export type Known = z.infer<typeof knownSchema>;

/** What nothing was learned of yet, or could not be read. */
export function nothingKnown(is_complete: boolean): Known {
  return { is_complete, cells: [], parents: [], recent: [], breakers: [] };
}

/** All that a choice is made from. */
export const inputsSchema = z.strictObject({
  asked: askedSchema,
  arms: z.array(armSchema),
  known: knownSchema,
});
export type Inputs = z.infer<typeof inputsSchema>;

/** A question as it is recorded. */
export function askedOf(question: RoutingQuestion): Asked {
  const { description, input_characters, models: _, builtin_prior_quality: __, ...rest } = question;
  return {
    ...rest,
    features: featuresOf(description, input_characters),
    needs: [...question.needs],
    excluded: [...question.excluded],
    avoided: question.avoided.map(({ model_id, memory_ids }) => ({ model_id, memory_ids })),
  };
}

/** What a catalogue expects of a model of which nothing is said (protocol/model.ts). */
const UNRATED = 0.7;

/** The enabled models and the executor's own skills, by id: the order of a catalogue decides nothing. */
export function armsOf(
  question: Pick<RoutingQuestion, "models" | "task_type" | "builtin_prior_quality">,
): Arm[] {
  const models = question.models
    .filter(({ is_enabled, model_id }) => is_enabled && model_id !== BUILTIN_MODEL_ID)
    .map((model) => armOf(model, question.task_type));
  return [...models, builtinArm(question.builtin_prior_quality ?? UNRATED)].toSorted((a, b) =>
    a.model_id < b.model_id ? -1 : 1,
  );
}
