import * as z from "zod";

import { taskTypeSchema } from "./enums.ts";
import {
  instantSchema,
  jsonObjectSchema,
  nameSchema,
  schemaVersionSchema,
  scoreSchema,
  taskIdSchema,
  textSchema,
} from "./primitives.ts";
import { cursorSchema, wholeNumber } from "./queries.ts";

const bandSchema = z.enum(["low", "medium", "high"]);

const bySchema = z.enum(["orchestrator", "human"]);

/** What an orchestrator or a human says of a choice after the fact. */
export const modelVerdictSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    accepted: z.boolean().meta({ description: "Whether what the model made was of use" }),
    score: scoreSchema.optional().meta({
      description: "How good it was; 1 when absent and accepted, 0 when absent and not",
    }),
    by: bySchema
      .default("orchestrator")
      .meta({ description: "Whose word it is: a human's stands against an orchestrator's" }),
    comment: textSchema.optional().meta({ description: "Kept with the decision" }),
  })
  .meta({ id: "ModelVerdict", title: "What somebody says of a choice of a model" });
export type ModelVerdict = z.infer<typeof modelVerdictSchema>;

/** A verdict as it is kept with its decision. */
export const keptVerdictSchema = z.strictObject({
  accepted: z.boolean(),
  score: scoreSchema,
  by: bySchema,
  comment: z.string().nullable(),
});
export type KeptVerdict = z.infer<typeof keptVerdictSchema>;

/** A choice of a model, and how it went. */
export const modelDecisionSchema = z
  .strictObject({
    decision_id: z.string(),
    task_id: taskIdSchema,
    task_type: taskTypeSchema,
    band: bandSchema.meta({ description: "How hard the task was taken to be" }),
    model_id: z.string().nullable().meta({
      description: "`builtin`: the executor's own skills; null: no model was left by the filters",
    }),
    reasons: z.array(z.string()).meta({ description: "The most important first" }),
    created_at: instantSchema,
    reward: scoreSchema.nullable().meta({ description: "What was learned; null: nothing yet" }),
    reward_source: z
      .enum(["contract", "quality", "orchestrator", "human"])
      .nullable()
      .meta({ description: "Whose word the reward is" }),
    settled_at: instantSchema.nullable(),
    verdict: keptVerdictSchema.nullable(),
  })
  .meta({ id: "ModelDecision", title: "Choice of a model" });
export type ModelDecisionView = z.infer<typeof modelDecisionSchema>;

/** A choice with all that it was made from. */
export const modelDecisionRecordSchema = modelDecisionSchema
  .extend({
    record: jsonObjectSchema.meta({
      description: "Question, what was known, every number in force, and the answer",
    }),
    replayed: z.boolean().meta({
      description:
        "Whether making it again from the record gives the same record, byte for byte; false also where other rules than today's made it",
    }),
  })
  .meta({ id: "ModelDecisionRecord", title: "Choice of a model with all that led to it" });
export type ModelDecisionRecord = z.infer<typeof modelDecisionRecordSchema>;

export const modelDecisionsQuerySchema = z.strictObject({
  task_id: taskIdSchema,
  cursor: cursorSchema.optional(),
  limit: wholeNumber(1, 200).default(50),
});
export type ModelDecisionsQuery = z.infer<typeof modelDecisionsQuerySchema>;

export const modelStatsQuerySchema = z.strictObject({
  task_type: taskTypeSchema.optional(),
  model_id: nameSchema.optional(),
});
export type ModelStatsQuery = z.infer<typeof modelStatsQuerySchema>;

const amount = z.number().min(0);

/** How a model does a task type. Null where nothing was seen. */
export const modelStatSchema = z.strictObject({
  model_id: z.string(),
  task_type: taskTypeSchema,
  runs: z.int().min(0).meta({
    description:
      "Runs that the provider answered, or in which it failed; not those that ended for another reason, as a prompt that is too long",
  }),
  judged: z.int().min(0).meta({ description: "Runs of which somebody or something said how good" }),
  successes: z.int().min(0),
  success_rate: scoreSchema.nullable().meta({ description: "successes / judged" }),
  faults: z.int().min(0).meta({ description: "Runs in which the provider did not answer" }),
  mean_quality: scoreSchema.nullable(),
  latency: z
    .strictObject({ mean_s: amount, p50_s: amount, p95_s: amount })
    .nullable()
    .meta({ description: "Mean of all runs but the faults; the percentiles of the last 50" }),
  cost_usd: amount.meta({ description: "Of all runs together" }),
  mean_cost_usd: amount.nullable(),
  tokens: z.int().min(0).meta({ description: "Of all runs together" }),
  bands: z
    .array(
      z.strictObject({
        band: bandSchema,
        mean_reward: scoreSchema,
        n: amount.meta({
          description: "Observations that are left of `updates` after discounting",
        }),
        updates: z.int().min(0),
      }),
    )
    .meta({ description: "What the choice has learned, without the catalogue's expectations" }),
});
export type ModelStat = z.infer<typeof modelStatSchema>;

export const modelStatsSchema = z
  .strictObject({
    items: z.array(modelStatSchema).meta({ description: "By model, then by task type" }),
    is_complete: z
      .boolean()
      .meta({ description: "false where there are more than 1,000: ask for one model or type" }),
  })
  .meta({ id: "ModelStats", title: "How models do task types" });
export type ModelStats = z.infer<typeof modelStatsSchema>;
