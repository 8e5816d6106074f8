import * as z from "zod";

import { endPhaseLimitsSchema } from "./end-phases.ts";
import {
  autonomyLevelSchema,
  complexitySchema,
  escalationTriggerSchema,
  modelPreferenceSchema,
  priorityInputSchema,
  taskTypeSchema,
} from "./enums.ts";
import {
  agentIdSchema,
  amountSchema,
  instantSchema,
  jsonObjectSchema,
  moneySchema,
  nameSchema,
  schemaVersionSchema,
  scoreSchema,
  tagsSchema,
  taskIdSchema,
  textSchema,
  webhookIdSchema,
  wordSchema,
} from "./primitives.ts";
import { requiresSchema } from "./requires.ts";

const seconds = (least: number, most: number): z.ZodNumber => z.int().min(least).max(most);

/** Seconds one attempt may run when the task does not say (protocol.md §3). */
const DEFAULT_TIMEOUT_S = 300;

const retryPolicySchema = z
  .strictObject({
    max_retries: z.int().min(0).max(5).default(2),
    retry_delay: seconds(1, 300)
      .default(30)
      .meta({ description: "Seconds before the first retry." }),
    backoff_multiplier: z.number().min(1).max(5).default(2),
  })
  .meta({ id: "RetryPolicy", title: "How often and how patiently a failed attempt is repeated" });

const orchestratorInfoSchema = z.strictObject({
  agent_id: agentIdSchema.optional().meta({ description: "Default: the principal of the key." }),
  timestamp: instantSchema.optional().meta({ description: "Default: now." }),
  session_id: wordSchema.optional(),
  user_id: wordSchema.optional(),
  callback_url: z
    .url()
    .max(2_000)
    .optional()
    .meta({ description: "A webhook endpoint for this task's notifications alone." }),
});

const parametersSchema = z.strictObject({
  input_data: jsonObjectSchema.optional(),
  configuration: jsonObjectSchema.optional(),
  constraints: z
    .strictObject({
      memory_limit: z.number().min(128).optional().meta({ description: "MB" }),
      cpu_limit: z.number().min(0.1).max(8).optional().meta({ description: "Cores" }),
      disk_limit: z.number().min(100).optional().meta({ description: "MB" }),
    })
    .optional(),
  environment: jsonObjectSchema.optional(),
  dependencies: z
    .array(taskIdSchema)
    .max(100)
    .optional()
    .meta({ description: "Tasks that must end before this one may start." }),
  on_failed_dependency: z.enum(["fail", "block", "continue"]).optional().meta({
    description:
      "When a prerequisite ends without success: fail (the default), block and ask, or start anyway.",
  }),
});

/** Entries of `previous_tasks`, in a request and in what its executor receives. */
export const MOST_PREVIOUS = 100;

export const contextSchema = z.strictObject({
  previous_tasks: z
    .array(z.union([taskIdSchema, jsonObjectSchema]))
    .max(MOST_PREVIOUS)
    .optional(),
  memory_context: z
    .union([z.string().max(100_000), jsonObjectSchema, z.array(z.unknown())])
    .optional(),
  user_preferences: jsonObjectSchema.optional(),
});

/** What the choice of an executor is to favour where several fit. */
export const objectiveSchema = z.enum(["quality", "balanced", "cheap", "fast"]);
export type Objective = z.infer<typeof objectiveSchema>;

/** When what an executor noted for itself outlives the end of its task. */
const keepMemorySchema = z.enum(["never", "on_failure", "always"]);

const executionOptionsSchema = z.strictObject({
  autonomy_level: autonomyLevelSchema.default("semi_autonomous"),
  model_preference: modelPreferenceSchema.default("hybrid"),
  quality_threshold: scoreSchema.default(0.8),
  objective: objectiveSchema.default("balanced"),
  retry_policy: retryPolicySchema.prefault({}),
  escalate_on: z
    .array(escalationTriggerSchema)
    .max(5)
    .optional()
    .meta({ description: "What leads to a question instead of the end; nothing when absent." }),
  end_phase_limits: endPhaseLimitsSchema
    .optional()
    .meta({ description: "Seconds for each phase of the end; the installation's when absent." }),
  keep_memory: keepMemorySchema.optional().meta({
    description:
      "Whether notes and checkpoint outlive the end; by task type and reason when absent. With `never` long-term memory keeps nothing of the task either.",
  }),
  reuse_result: z.boolean().optional().meta({
    description:
      "Whether the built-in executor may give the stored result of an equal task, and store this one's; false when absent.",
  }),
  explorable: z.boolean().optional().meta({
    description:
      "Whether the choice of a model may try one of which little is known; false when absent.",
  }),
});

const jsonPathSchema = z
  .string()
  .regex(/^\$?(\.?[A-Za-z0-9_-]+|\[\d{1,6}\])*$/, "must be a dotted path such as findings[0].title")
  .max(500)
  .meta({ description: "Dotted path into the result; `$` is the result itself." });

const acceptanceCheckSchema = z
  .strictObject({
    name: wordSchema,
    json_path: jsonPathSchema,
    op: z.enum(["eq", "ne", "gt", "gte", "lt", "lte", "in", "exists", "matches"]),
    value: z.unknown().optional(),
  })
  .meta({ id: "AcceptanceCheck", title: "A condition that the result must meet" });
export type AcceptanceCheck = z.infer<typeof acceptanceCheckSchema>;

export const budgetSchema = z.strictObject({
  max_cost_usd: moneySchema.optional(),
  max_tokens: amountSchema.optional(),
  max_duration_s: seconds(1, 604_800).optional(),
  max_children: z.int().min(0).max(10_000).optional(),
  max_depth: z.int().min(0).max(20).optional(),
  max_attempts: z.int().min(1).max(1_000).optional(),
});
export type Budget = z.infer<typeof budgetSchema>;

const contractSchema = z.strictObject({
  output_schema: jsonObjectSchema
    .optional()
    .meta({ description: "JSON Schema that the result must satisfy." }),
  acceptance: z.array(acceptanceCheckSchema).max(50).optional(),
  budget: budgetSchema.optional(),
});

/** How a task that is done by its children comes to its end and its result. */
const subtasksSchema = z
  .strictObject({
    expected: z.int().min(1).max(100).meta({ description: "Children that will be submitted." }),
    join: z
      .enum(["all", "any", "n_of"])
      .default("all")
      .meta({ description: "How many of them must succeed." }),
    n: z.int().min(1).max(100).optional().meta({ description: "Goes with n_of." }),
    on_failure: z
      .enum(["fail", "continue"])
      .default("fail")
      .meta({ description: "For join all: whether one failure fails the parent." }),
    aggregation: z.enum(["concat", "best", "vote", "reduce"]).default("concat"),
    reduce: z
      .strictObject({
        op: z.enum(["sum", "mean", "min", "max", "merge"]),
        json_path: jsonPathSchema.optional(),
      })
      .optional()
      .meta({ description: "Goes with reduce." }),
  })
  .refine(
    ({ join, n, expected }) => (join === "n_of") === (n !== undefined) && (n ?? 1) <= expected,
    {
      path: ["n"],
      error: "goes with join n_of, and is at most expected",
    },
  )
  .refine(({ aggregation, reduce }) => (aggregation === "reduce") === (reduce !== undefined), {
    path: ["reduce"],
    error: "goes with aggregation reduce",
  })
  .meta({ id: "Subtasks", title: "A task whose work is its children's" });
export type Subtasks = z.infer<typeof subtasksSchema>;

const taskFields = {
  schema_version: schemaVersionSchema,
  task_id: taskIdSchema.optional(),
  task_type: taskTypeSchema,
  description: z.string().min(10).max(10_000),
  priority: priorityInputSchema.default("normal"),
  timeout: seconds(1, 86_400)
    .default(DEFAULT_TIMEOUT_S)
    .meta({ description: "Seconds one attempt may run after it starts." }),
  queue_timeout: seconds(1, 604_800).optional().meta({
    description: "Seconds to wait for an executor that starts, whoever gives it back meanwhile.",
  }),
  total_timeout: seconds(1, 604_800)
    .optional()
    .meta({ description: "Seconds for the whole life, retries included." }),
  heartbeat_timeout: seconds(1, 86_400)
    .default(60)
    .meta({ description: "Seconds of silence after which the lease is lost." }),
  stall_timeout: seconds(1, 86_400).optional().meta({
    description:
      "Seconds without progress, although the executor beats; 300 when absent, or half a longer estimate.",
  }),
  estimated_duration: seconds(1, 86_400).optional(),
  progress_interval: seconds(1, 86_400).optional().meta({
    description: "Seconds between two reports of progress that the orchestrator wishes for.",
  }),
  orchestrator_info: orchestratorInfoSchema.optional(),
  parameters: parametersSchema.optional(),
  context: contextSchema.optional(),
  execution_options: executionOptionsSchema.prefault({}),
  contract: contractSchema.optional(),
  requires: requiresSchema.optional(),
  pool: nameSchema.default("default"),
  stakeholders: z.array(webhookIdSchema).max(10).optional(),
  parent_task_id: taskIdSchema.optional(),
  weight: z
    .number()
    .min(0.01)
    .max(1_000)
    .optional()
    .meta({ description: "Share in the progress of its parent; 1 when absent." }),
  subtasks: subtasksSchema.optional(),
  complexity: complexitySchema
    .optional()
    .meta({ description: "The caller's own judgement, kept beside the computed one." }),
  metadata: jsonObjectSchema.optional(),
  tags: tagsSchema.optional(),
};

type Loose = { [Key in keyof typeof taskFields]?: unknown };

/** Relations are judged even when other fields are wrong, so that one answer lists every fault. */
const always = {
  when: ({ value }: { value: unknown }) => value !== null && typeof value === "object",
};

function fitsTimeout({ estimated_duration, timeout = DEFAULT_TIMEOUT_S }: Loose): boolean {
  if (typeof estimated_duration !== "number" || typeof timeout !== "number") return true;
  return estimated_duration <= timeout;
}

function dependsOnItself({ task_id, parameters }: Loose): boolean {
  const { dependencies } = (parameters ?? {}) as { dependencies?: unknown };
  return (
    typeof task_id === "string" && Array.isArray(dependencies) && dependencies.includes(task_id)
  );
}

/** One unit of work, as an orchestrator submits it. Defaults are filled in by parsing. */
export const taskExecutionSchema = z
  .strictObject(taskFields)
  .refine(fitsTimeout, {
    ...always,
    path: ["estimated_duration"],
    error: "must not exceed timeout",
  })
  .refine((task) => !dependsOnItself(task), {
    ...always,
    path: ["parameters", "dependencies"],
    error: "a task cannot depend on itself",
  })
  .refine(
    (task: Loose) => task.parent_task_id === undefined || task.parent_task_id !== task.task_id,
    {
      ...always,
      path: ["parent_task_id"],
      error: "a task cannot be its own parent",
    },
  )
  .meta({ id: "TaskExecution", title: "Task execution request" });
export type TaskExecution = z.infer<typeof taskExecutionSchema>;

/** Why a task was given back; free words. */
export const declineSchema = z
  .strictObject({ schema_version: schemaVersionSchema, reason: textSchema })
  .meta({ id: "Decline", title: "Gives an assigned task back, not counted as a failure" });
