import * as z from "zod";

import { taskTypeSchema } from "./enums.ts";
import {
  amountSchema,
  instantSchema,
  moneySchema,
  nameSchema,
  schemaVersionSchema,
  scoreSchema,
} from "./primitives.ts";

/** The arm of the catalogue that is no model: the built-in executor's own skills. Nobody can register under it. */
export const BUILTIN_MODEL_ID = "builtin";

/** What a model can be asked for. */
export const modelCapabilitySchema = z.enum([
  "text",
  "json",
  "tools",
  "code",
  "reasoning",
  "vision",
]);
export type ModelCapability = z.infer<typeof modelCapabilitySchema>;

const modelProviderSchema = z.enum(["openai_compatible", "workers_ai"]);

/** US dollars per million tokens. */
const priceSchema = z.strictObject({
  input_usd_per_mtok: z.number().min(0).max(10_000).default(0),
  output_usd_per_mtok: z.number().min(0).max(10_000).default(0),
});

/** What something can be appended to; a credential has its own field, which is sealed. */
function isBaseUrl(text: string): boolean {
  if (!/^https?:\/\/[^/?#\s]/i.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === "" && password === "" && !/[?#\s\\]/.test(text);
}

const modelFields = {
  provider: modelProviderSchema,
  name: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: "What the provider calls it; the model_id when absent." }),
  base_url: z
    .string()
    .min(1)
    .max(2_000)
    .refine(isBaseUrl, "must be an http or https URL without credentials, query and fragment")
    .optional()
    .meta({
      description: "Of an openai_compatible provider: what /chat/completions is appended to.",
    }),
  locality: z
    .enum(["local", "api"])
    .meta({ description: "Whether data stay on machines of the operator; see model_preference." }),
  region: z.string().min(1).max(100).optional(),
  capabilities: z.array(modelCapabilitySchema).min(1).max(6).default(["text"]),
  context_tokens: z.int().min(512).max(10_000_000),
  max_output_tokens: z.int().min(16).max(1_000_000).default(4_096),
  price: priceSchema.prefault({}),
  tier: z.int().min(1).max(5).default(3).meta({
    description: "Strength, 1 to 5: after a failed quality gate the next try goes higher.",
  }),
  prior_quality: scoreSchema
    .default(0.7)
    .meta({ description: "Expected quality before anything was observed." }),
  strengths: z
    .partialRecord(taskTypeSchema, scoreSchema)
    .default({})
    .meta({ description: "Expected quality in task types where it differs." }),
  typical_latency_s: z.number().min(0.01).max(3_600).default(10),
  is_streamed: z.boolean().optional().meta({
    description:
      "Whether answers are streamed, so that one that stalls is noticed early. Default true; false for a provider that can't.",
  }),
  max_tokens_field: z.enum(["max_tokens", "max_completion_tokens"]).optional().meta({
    description: "How the provider calls the limit of an answer; default max_tokens.",
  }),
  is_default: z
    .boolean()
    .default(false)
    .meta({ description: "Whose expected quality nothing unproven may fall below." }),
  is_enabled: z.boolean().default(true),
};

/** A model as it is kept: without its key. */
export const storedModelSchema = z.strictObject({
  schema_version: schemaVersionSchema,
  ...modelFields,
});
export type StoredRegistration = z.infer<typeof storedModelSchema>;

/** A model as an operator describes it. `api_key` is sealed, and never shown again. */
export const modelRegistrationSchema = storedModelSchema
  .extend({
    api_key: z.string().min(1).max(4_000).nullable().optional().meta({
      description:
        "Sealed, and never shown again. Absent: the stored one stays while base_url does; null: there is none.",
    }),
  })
  .refine(({ provider, base_url }) => provider !== "openai_compatible" || base_url !== undefined, {
    path: ["base_url"],
    error: "is required by openai_compatible",
  })
  .meta({ id: "ModelRegistration", title: "A model the built-in executor may use" });
export type ModelRegistration = z.infer<typeof modelRegistrationSchema>;

/** The models of an installation, as the variable BATUTA_MODELS holds them. */
export const configuredModelsSchema = z
  .record(nameSchema, modelRegistrationSchema)
  .refine((models) => !Object.hasOwn(models, BUILTIN_MODEL_ID), {
    error: `must not name a model ${BUILTIN_MODEL_ID}`,
  })
  .refine((models) => Object.keys(models).length <= 100, { error: "must be 100 models at most" });

/** A model of the catalogue. */
export const catalogueModelSchema = z
  .strictObject({
    model_id: nameSchema,
    ...modelFields,
    provider: z.enum([...modelProviderSchema.options, "builtin"]),
    name: z.string(),
    has_api_key: z.boolean(),
    source: z.enum(["configuration", "api", "builtin"]).meta({
      description:
        "configuration: BATUTA_MODELS, of which no base_url is shown; builtin: the executor's own skills.",
    }),
    unusable_reason: z
      .string()
      .optional()
      .meta({ description: "Why it can't be asked in this installation; absent when it can." }),
    updated_at: instantSchema.nullable(),
  })
  .meta({ id: "Model", title: "Model of the catalogue" });
export type CatalogueModel = z.infer<typeof catalogueModelSchema>;

/**
 * Why there is no answer. Transient: rate_limited, unavailable, timeout, network. The model's own fault:
 * bad_output (not the JSON that was asked for), cut_off (the output limit), filtered. Of no use to repeat with the
 * same model: unauthorized, rejected (the provider refuses the request), too_long (the context). aborted: by whoever
 * asked.
 */
const modelFaultClassSchema = z.enum([
  "rate_limited",
  "unavailable",
  "timeout",
  "network",
  "bad_output",
  "cut_off",
  "filtered",
  "unauthorized",
  "rejected",
  "too_long",
  "aborted",
]);
export type ModelFaultClass = z.infer<typeof modelFaultClassSchema>;

/** What came of trying a model out. */
export const modelTestSchema = z
  .strictObject({
    model_id: nameSchema,
    is_ok: z.boolean(),
    duration_ms: z.int().min(0),
    text: z.string().nullable().meta({ description: "What it said; null when it did not." }),
    usage: z.strictObject({
      input_tokens: amountSchema,
      output_tokens: amountSchema,
      cost_usd: moneySchema,
      is_estimated: z.literal(true).optional(),
    }),
    fault: z
      .strictObject({
        class: modelFaultClassSchema,
        detail: z.string(),
        status: z.int().nullable().meta({ description: "HTTP status that the provider answered." }),
        retry_after_ms: z.int().min(0).nullable(),
      })
      .nullable(),
  })
  .meta({ id: "ModelTest", title: "What came of trying a model out" });
export type ModelTest = z.infer<typeof modelTestSchema>;
