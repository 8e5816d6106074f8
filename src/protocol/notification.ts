import * as z from "zod";

import { complexitySchema, severitySchema, taskStatusSchema, taskTypeSchema } from "./enums.ts";
import type { ExecutorNotificationType, TaskStatus } from "./enums.ts";
import {
  agentIdSchema,
  amountSchema,
  instantSchema,
  jsonObjectSchema,
  moneySchema,
  schemaVersionSchema,
  scoreSchema,
  spanSchema,
  taskIdSchema,
  textSchema,
  wordSchema,
} from "./primitives.ts";

/** How good an outcome is, by whoever judged it. `overall_score` is what quality_threshold compares with. */
export const qualityAssessmentSchema = z
  .strictObject({
    overall_score: scoreSchema,
    criteria_scores: z
      .strictObject({
        correctness: scoreSchema.optional(),
        completeness: scoreSchema.optional(),
        efficiency: scoreSchema.optional(),
        maintainability: scoreSchema.optional(),
      })
      .optional(),
    feedback: textSchema.optional(),
  })
  .meta({ id: "QualityAssessment", title: "Quality assessment" });
export type QualityAssessment = z.infer<typeof qualityAssessmentSchema>;

/** The largest count that an executor may have of its own. */
const MAX_SEQUENCE = 1_000_000_000_000_000;

/** Classes of root causes that no further attempt can cure: they are not retried, whatever the policy has left. */
export const PERMANENT_CLASSES = ["permanent", "invalid_input", "unsupported"] as const;

export const rootCauseSchema = z
  .strictObject({
    class: wordSchema.meta({
      description: `A free word; ${PERMANENT_CLASSES.join(", ")} are never retried.`,
    }),
    detail: textSchema,
    evidence: z.union([z.string().max(10_000), z.array(z.unknown()), jsonObjectSchema]),
  })
  .meta({ id: "RootCause", title: "Why it failed, with evidence" });

const texts = z.array(textSchema).max(100);

const observationSchema = z.union([
  textSchema,
  z.strictObject({
    description: textSchema,
    severity: severitySchema.optional(),
    blocking: z.boolean().optional(),
  }),
]);

const taskStartedDataSchema = z.strictObject({
  task_type: taskTypeSchema,
  estimated_duration: z.int().min(1).max(86_400).meta({ description: "Seconds" }),
  complexity: complexitySchema,
  description: textSchema.optional(),
  model_selected: wordSchema.optional(),
  required_resources: jsonObjectSchema.optional(),
});

const soundSteps = z.looseObject({ steps_completed: z.int(), total_steps: z.int() });

const taskProgressDataSchema = z
  .strictObject({
    progress_percentage: z.number().min(0).max(100),
    current_step: textSchema,
    steps_completed: z.int().min(0).optional(),
    total_steps: z.int().min(1).optional(),
    intermediate_results: z.union([jsonObjectSchema, z.array(z.unknown())]).optional(),
    estimated_remaining: spanSchema.optional().meta({ description: "Seconds" }),
    challenges: z.array(observationSchema).max(100).optional(),
    opportunities: z.array(observationSchema).max(100).optional(),
  })
  .refine(
    (data) =>
      data.steps_completed === undefined ||
      data.total_steps === undefined ||
      data.steps_completed <= data.total_steps,
    {
      path: ["steps_completed"],
      error: "must not exceed total_steps",
      // Judged whatever is wrong with other fields, so that one answer lists every fault.
      when: ({ value }) => soundSteps.safeParse(value).success,
    },
  );

const taskCompletedDataSchema = z.strictObject({
  result: z.union([
    jsonObjectSchema,
    z.array(z.unknown()),
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
  ]),
  execution_summary: textSchema,
  metrics: z.strictObject({
    execution_time: spanSchema.meta({ description: "Seconds" }),
    tokens_used: amountSchema,
    cost: moneySchema.meta({ description: "US dollars" }),
    quality_score: scoreSchema,
  }),
  quality_assessment: qualityAssessmentSchema,
  output_files: z.array(z.string().min(1).max(1_000)).max(1_000).optional(),
  next_steps: texts.optional(),
  related_tasks: z.array(z.string().min(1).max(10_000)).max(100).optional(),
  lessons_learned: texts.optional(),
});

const taskFailedDataSchema = z.strictObject({
  error_type: wordSchema,
  error_message: textSchema,
  root_cause: rootCauseSchema,
  error_details: z.union([z.string().max(10_000), jsonObjectSchema]).optional(),
  partial_results: z.union([jsonObjectSchema, z.array(z.unknown())]).optional(),
  recovery_suggestions: texts.optional(),
  retry_recommended: z.boolean().optional(),
  suggested_modifications: jsonObjectSchema
    .optional()
    .meta({ description: "A merge patch (RFC 7396) on task_execution." }),
});

const taskEscalatedDataSchema = z.strictObject({
  escalation_reason: textSchema,
  escalation_level: z.enum(["agent", "orchestrator", "human"]),
  question: textSchema,
  urgency: z.enum(["low", "medium", "high", "critical"]),
  context: z.union([z.string().max(10_000), jsonObjectSchema]).optional(),
  options: texts.optional(),
  attempted_solutions: texts.optional(),
  recommended_actions: texts.optional(),
  deadline: instantSchema.optional(),
  default_option: textSchema.optional(),
});

const genericMetadataSchema = z
  .looseObject({
    agent_version: z.string().max(100).optional(),
    execution_mode: z.string().max(100).optional(),
    model_used: z.string().max(200).optional(),
    resource_usage: z
      .looseObject({
        memory_mb: z.number().min(0).optional(),
        cpu_seconds: z.number().min(0).optional(),
        disk_mb: z.number().min(0).optional(),
      })
      .optional(),
    performance_metrics: z
      .looseObject({
        latency_ms: z.number().min(0).optional(),
        throughput: z.number().min(0).optional(),
        error_rate: scoreSchema.optional(),
      })
      .optional(),
  })
  .meta({ id: "NotificationMetadata", title: "Facts about the executor; more fields are welcome" });

/** The status that each type announces (protocol.md §4, Executor's `sequence`). */
export const STATUS_OF_NOTIFICATION = {
  task_started: "running",
  task_progress: "running",
  task_completed: "completed",
  task_failed: "failed",
  task_escalated: "escalated",
} as const satisfies Record<ExecutorNotificationType, TaskStatus>;

function notificationOf<Type extends ExecutorNotificationType, Data extends z.ZodType>(
  type: Type,
  data: Data,
) {
  const status: (typeof STATUS_OF_NOTIFICATION)[Type] = STATUS_OF_NOTIFICATION[type];
  return z.strictObject({
    schema_version: schemaVersionSchema,
    notification_id: z.string().min(1).max(200),
    notification_type: z.literal(type),
    task_id: taskIdSchema,
    agent_id: agentIdSchema,
    timestamp: instantSchema,
    status: taskStatusSchema.extract([status]).optional(),
    sequence: z
      .int()
      .min(1)
      // A count that begins at a clock's microseconds still fits, and its successor is a whole number too.
      .max(MAX_SEQUENCE)
      .optional()
      .meta({ description: "The executor's own count, from 1." }),
    data,
    metadata: genericMetadataSchema.optional(),
    retry_count: z.int().min(0).optional(),
    max_retries: z.int().min(0).optional(),
  });
}

/** What an executor says of its task: `data` holds exactly the fields of its type. */
export const notificationSchema = z
  .discriminatedUnion("notification_type", [
    notificationOf("task_started", taskStartedDataSchema),
    notificationOf("task_progress", taskProgressDataSchema),
    notificationOf("task_completed", taskCompletedDataSchema),
    notificationOf("task_failed", taskFailedDataSchema),
    notificationOf("task_escalated", taskEscalatedDataSchema),
  ])
  .meta({ id: "Notification", title: "Notification from an executor" });
export type Notification = z.infer<typeof notificationSchema>;
