import * as z from "zod";

import { batchStopSchema, itemCountsSchema } from "./batch.ts";
import {
  autonomyLevelSchema,
  complexitySchema,
  priorityInputSchema,
  taskStatusSchema,
  taskTypeSchema,
} from "./enums.ts";
import {
  instantSchema,
  jsonObjectSchema,
  nameSchema,
  schemaVersionSchema,
  scoreSchema,
  tagsSchema,
  taskIdSchema,
  textSchema,
} from "./primitives.ts";
import { requiresSchema } from "./requires.ts";
import { budgetSchema, contextSchema } from "./task-execution.ts";

/** Steps that a plan may have: as many as a batch has tasks. */
export const MOST_STEPS = 100;

/** One step of a plan: it becomes one task. */
const planStepSchema = z
  .strictObject({
    description: textSchema.trim().min(3),
    task_type: taskTypeSchema
      .optional()
      .meta({ description: "Inferred from the words of the description when absent." }),
    depends_on: z
      .array(
        z
          .int()
          .min(0)
          .max(MOST_STEPS - 1),
      )
      .max(MOST_STEPS)
      .optional()
      .meta({
        description:
          "Steps by their index from 0 that must succeed before; when absent, the step before this one. [] starts at once.",
      }),
    requires: requiresSchema.optional(),
    timeout: z.int().min(1).max(86_400).optional().meta({ description: "Seconds" }),
    estimated_duration: z.int().min(1).max(86_400).optional().meta({ description: "Seconds" }),
    input_data: jsonObjectSchema.optional(),
    output_schema: jsonObjectSchema.optional(),
  })
  .refine(
    ({ estimated_duration = 0, timeout = Number.POSITIVE_INFINITY }) =>
      estimated_duration <= timeout,
    { path: ["estimated_duration"], error: "must not exceed timeout" },
  )
  .meta({ id: "PlanStep", title: "Step of a plan" });
export type PlanStep = z.infer<typeof planStepSchema>;

const stepsSchema = z.array(planStepSchema).min(1).max(MOST_STEPS);

/** What an executor that plans gives as its result. */
export const planSchema = z
  .strictObject({ steps: stepsSchema })
  .meta({ id: "Plan", title: "Plan of an executor: the steps to a goal" });
export type Plan = z.infer<typeof planSchema>;

export const templateSchema = z.enum(["research_report", "code_change", "data_report"]);
export type Template = z.infer<typeof templateSchema>;

const requestConstraintsSchema = z.strictObject({
  budget: budgetSchema
    .optional()
    .meta({ description: "For all of it; what can be used up is shared out among the tasks." }),
  deadline: instantSchema.optional().meta({ description: "When all of it must be over." }),
  priority: priorityInputSchema.optional(),
  autonomy_level: autonomyLevelSchema.optional(),
  quality_threshold: scoreSchema.optional(),
  objective: z.enum(["quality", "balanced", "cheap", "fast"]).optional(),
  on_failed_dependency: z.enum(["fail", "block", "continue"]).optional(),
  pool: nameSchema.optional(),
  requires: requiresSchema
    .optional()
    .meta({ description: "Of each task that does not name its own." }),
  max_concurrent: z.int().min(1).max(10).default(10),
  fail_fast: z.boolean().default(false),
});

const requestFields = {
  schema_version: schemaVersionSchema,
  goal: z.string().trim().min(10).max(10_000),
  constraints: requestConstraintsSchema.prefault({}),
  context: contextSchema.optional().meta({ description: "Handed to every task." }),
  input_data: jsonObjectSchema
    .optional()
    .meta({ description: "For each task that waits for no other one." }),
  template: templateSchema.optional(),
  steps: stepsSchema.optional(),
  planning: z
    .enum(["rules", "executor"])
    .default("rules")
    .meta({ description: "Who finds the steps: written rules here, or an executor, as a task." }),
  planner_requires: requiresSchema
    .optional()
    .meta({ description: "Which executor may plan; capability `planning` when absent." }),
  dry_run: z.boolean().default(false).meta({ description: "Only shows the plan." }),
  metadata: jsonObjectSchema.optional(),
  tags: tagsSchema.optional(),
};

type Loose = { [Key in keyof typeof requestFields]?: unknown };

/** Relations are judged even when other fields are wrong, so that one answer lists every fault. */
const always = {
  when: ({ value }: { value: unknown }) => value !== null && typeof value === "object",
};

/** A goal with constraints, as an orchestrator hands it over. */
export const requestSchema = z
  .strictObject(requestFields)
  .refine(({ steps, template }: Loose) => steps === undefined || template === undefined, {
    ...always,
    path: ["template"],
    error: "does not go with steps: give one of them",
  })
  .refine(({ planning, steps }: Loose) => planning !== "executor" || steps === undefined, {
    ...always,
    path: ["steps"],
    error: "does not go with planning by an executor, who finds the steps",
  })
  .refine(({ planning, template }: Loose) => planning !== "executor" || template === undefined, {
    ...always,
    path: ["template"],
    error: "does not go with planning by an executor, who finds the steps",
  })
  .refine(({ planning, dry_run }: Loose) => planning !== "executor" || dry_run !== true, {
    ...always,
    path: ["dry_run"],
    error: "shows plans by rules only: an executor's plan takes a task",
  })
  .refine(
    ({ planning, planner_requires }: Loose) =>
      planning === "executor" || planner_requires === undefined,
    { ...always, path: ["planner_requires"], error: "goes with planning by an executor" },
  )
  .meta({ id: "Request", title: "Goal with constraints" });
export type Request = z.infer<typeof requestSchema>;

const strategySchema = z.enum(["direct", "split", "queue", "escalate"]);
export type Strategy = z.infer<typeof strategySchema>;

export const assessmentSchema = z
  .strictObject({
    score: z.number(),
    band: complexitySchema,
    features: z.record(z.string(), z.number()),
    version: z.string(),
  })
  .meta({ id: "Assessment", title: "How complex something is, and what that comes from" });

/** The executors of the pool as they were when the plan was made. */
const planSnapshotSchema = z
  .strictObject({
    snapshot_id: z.string().meta({ description: "Equal facts have equal ids." }),
    at: instantSchema,
    pool: z.string(),
    executors: z.array(
      z.strictObject({
        agent_id: z.string(),
        state: z.enum(["online", "stale", "offline", "draining"]),
        slots: z.int(),
        slots_in_use: z.int(),
      }),
    ),
  })
  .meta({ id: "PlanSnapshot", title: "Executors at the time of a decision" });
export type PlanSnapshot = z.infer<typeof planSnapshotSchema>;

const plannedStepSchema = z
  .strictObject({
    index: z.int(),
    task_type: taskTypeSchema,
    description: z.string(),
    depends_on: z.array(z.int()),
    complexity: assessmentSchema,
    estimated_s: z
      .number()
      .nullable()
      .meta({ description: "Given, or what the type usually takes." }),
    because: z.array(z.string()).meta({ description: "What was inferred, and from what." }),
  })
  .meta({ id: "PlannedStep", title: "Step of a stored plan" });

/** What was decided about a request, from what, and why. It never changes. */
export const planRecordSchema = z
  .strictObject({
    version: z.string().meta({ description: "Of the rules: equal versions decide equally." }),
    strategy: strategySchema,
    reasons: z.array(z.string()),
    source: z.enum(["goal", "list", "words", "steps", "template", "executor"]).meta({
      description: "Where the steps come from.",
    }),
    steps: z.array(plannedStepSchema),
    inputs: z.strictObject({
      steps: z.int(),
      complexity: assessmentSchema,
      executors_known: z.int(),
      executors_fit: z.int().meta({ description: "Of the step that fewest fit." }),
      slots_free: z.int().meta({ description: "Of executors that fit and are there." }),
      estimated_s: z.number().nullable().meta({ description: "Along the longest way." }),
      seconds_left: z.number().nullable().meta({ description: "Until the deadline." }),
      contradictions: z.array(z.string()),
    }),
    snapshot: planSnapshotSchema,
    decided_at: instantSchema,
  })
  .meta({ id: "PlanRecord", title: "Stored plan of a request" });
export type PlanRecord = z.infer<typeof planRecordSchema>;

const requestStateSchema = z
  .enum(["planned", "planning", "running", "completed", "failed", "cancelled", "timed_out"])
  .meta({
    description: "planned is the answer to a dry run; planning waits for an executor's plan.",
  });

/** A request as everyone sees it. */
export const requestViewSchema = z
  .strictObject({
    request_id: taskIdSchema.nullable().meta({ description: "Null for a dry run." }),
    goal: z.string(),
    state: requestStateSchema,
    plan: planRecordSchema.nullable().meta({ description: "Null while an executor plans." }),
    planning_task_id: taskIdSchema.nullable(),
    rejection: z
      .strictObject({
        code: z.string(),
        detail: z.string(),
        errors: z.array(
          z.strictObject({ pointer: z.string(), code: z.string(), detail: z.string() }),
        ),
      })
      .nullable()
      .meta({ description: "Why an executor's plan was not carried out." }),
    tasks: z.array(
      z.strictObject({
        index: z.int(),
        task_id: taskIdSchema,
        status: taskStatusSchema
          .nullable()
          .meta({ description: "Null when there is no such task." }),
        problem: z.strictObject({ code: z.string(), detail: z.string() }).nullable(),
      }),
    ),
    counts: itemCountsSchema,
    stop: batchStopSchema.nullable(),
    tokens: z.strictObject({
      orchestrator: z.int().meta({ description: "Always 0: planning by rules calls no model." }),
      executor: z.int().nullable().meta({
        description: "Null when one of its tasks was removed, after the retention of history.",
      }),
    }),
    metadata: jsonObjectSchema.nullable(),
    tags: z.array(z.string()),
    created_at: instantSchema,
    ended_at: instantSchema.nullable(),
  })
  .meta({ id: "RequestView", title: "Request with its plan and tasks" });
export type RequestView = z.infer<typeof requestViewSchema>;
