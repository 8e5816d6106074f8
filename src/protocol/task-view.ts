import * as z from "zod";

import {
  complexitySchema,
  completionStatusSchema,
  endPhaseNameSchema,
  endPhaseOutcomeSchema,
  endReasonSchema,
  eventTypeSchema,
  prioritySchema,
  taskPhaseSchema,
  taskStatusSchema,
  taskTypeSchema,
} from "./enums.ts";
import { qualityAssessmentSchema, rootCauseSchema } from "./notification.ts";
import {
  instantSchema,
  jsonObjectSchema,
  schemaVersionSchema,
  taskIdSchema,
  textSchema,
} from "./primitives.ts";

const usageTotalsSchema = z.strictObject({
  cost_usd: z.number(),
  tokens: z.int(),
  duration_s: z.number(),
});

/** A task as everyone sees it. What is not known yet is null. */
export const taskViewSchema = z
  .strictObject({
    task_id: taskIdSchema,
    task_type: taskTypeSchema,
    description: z.string(),
    status: taskStatusSchema,
    phase: taskPhaseSchema,
    priority: prioritySchema,
    pool: z.string(),
    complexity: complexitySchema.nullable(),
    progress_percentage: z.number().nullable(),
    current_step: z.string().nullable(),
    agent_id: z.string().nullable(),
    attempt: z.int(),
    max_attempts: z.int(),
    seq: z.int(),
    notification_count: z.int(),
    parent_task_id: z.string().nullable(),
    batch_id: z.string().nullable(),
    tags: z.array(z.string()),
    metadata: jsonObjectSchema.nullable(),
    created_at: instantSchema,
    started_at: instantSchema.nullable(),
    updated_at: instantSchema,
    ended_at: instantSchema.nullable(),
    deadline_at: instantSchema.nullable(),
    end_reason: endReasonSchema.nullable(),
    completion_status: completionStatusSchema.nullable(),
    result: z.unknown().nullable(),
    error: z
      .strictObject({
        type: z.string(),
        message: z.string(),
        root_cause: rootCauseSchema.nullable(),
      })
      .nullable(),
    quality_assessment: qualityAssessmentSchema.nullable(),
    usage: usageTotalsSchema,
    links: z.strictObject({
      self: z.string(),
      events: z.string(),
      stream: z.string(),
      report: z.string(),
    }),
  })
  .meta({ id: "Task", title: "Task" });
export type TaskView = z.infer<typeof taskViewSchema>;

export const actorSchema = z.strictObject({
  kind: z.enum(["orchestrator", "executor", "system", "operator"]),
  id: z.string(),
});
export type Actor = z.infer<typeof actorSchema>;

/** A fact about a task, in its place in the task's log. */
export const taskEventSchema = z
  .strictObject({
    seq: z.int().min(1),
    event_id: z.string(),
    type: eventTypeSchema,
    at: instantSchema,
    actor: actorSchema,
    correlation_id: z.string(),
    data: jsonObjectSchema,
  })
  .meta({ id: "Event", title: "Event of a task" });
export type TaskEvent = z.infer<typeof taskEventSchema>;

export const endPhaseRecordSchema = z.strictObject({
  name: endPhaseNameSchema,
  outcome: endPhaseOutcomeSchema,
  started_at: instantSchema,
  ended_at: instantSchema,
  attempts: z.int().min(0),
  checks: z.array(z.strictObject({ name: z.string(), passed: z.boolean(), detail: z.string() })),
});
export type EndPhaseRecord = z.infer<typeof endPhaseRecordSchema>;

/**
 * What kind of thing was not cleaned up: the slot in the pool, an action that the executor said it has
 * to do, or whatever a registered stage cares for.
 */
export const debtKindSchema = z.enum(["slot", "action", "stage"]);

/** Something that the end of a task left undone, and until when it matters. */
export const cleanupDebtSchema = z.strictObject({
  debt_id: z.string().optional().meta({ description: "Absent where the report is older." }),
  kind: debtKindSchema.optional(),
  /** The stage whose work it is. */
  stage: z.string().optional(),
  what: z.string(),
  owner: z.string(),
  expires_at: instantSchema.nullable(),
});

export type CleanupDebt = z.infer<typeof cleanupDebtSchema>;

/** The end-task report, from recorded facts alone. */
export const reportSchema = z
  .strictObject({
    task_id: taskIdSchema,
    reason: endReasonSchema,
    completion_status: completionStatusSchema,
    partial: z.boolean().meta({ description: "Whether partial results exist without success." }),
    timeline: z.array(z.strictObject({ seq: z.int(), at: instantSchema, what: z.string() })),
    metrics: z.strictObject({
      duration_s: z.number(),
      queued_s: z.number().nullable(),
      executing_s: z.number().nullable(),
      attempts: z.int(),
      retries: z.int(),
      notifications: z.int(),
      cost_usd: z.number(),
      tokens: z.int(),
      tokens_by_role: z.strictObject({ orchestrator: z.int(), executor: z.int() }).optional().meta({
        description: "Orchestrating uses no model: what a task used, its executors used.",
      }),
      executor: jsonObjectSchema.nullable().meta({ description: "execution_metrics as sent" }),
    }),
    quality_assessment: qualityAssessmentSchema.nullable(),
    post_mortem: z.array(
      z.strictObject({
        what: z.string(),
        when: instantSchema,
        class: z.string(),
        effect: z.string(),
        action: z.string(),
      }),
    ),
    finalization: z.strictObject({
      outcome: z
        .enum(["complete", "partial"])
        .optional()
        .meta({ description: "partial where something was left undone: see cleanup_debt." }),
      phases: z.array(endPhaseRecordSchema),
      problems: z.array(z.string()),
      recommendations: z.array(z.string()),
    }),
    cleanup_debt: z.array(cleanupDebtSchema),
    next_actions: jsonObjectSchema.nullable(),
  })
  .meta({ id: "Report", title: "End-task report" });
export type Report = z.infer<typeof reportSchema>;

export const explanationSchema = z
  .strictObject({
    task_id: taskIdSchema,
    phase: taskPhaseSchema,
    waiting_for: z.array(z.strictObject({ kind: z.string(), detail: z.string() })),
    decision: jsonObjectSchema.nullable().meta({ description: "Data of the last task_routed." }),
    unblocked_by: z.array(z.string()),
    estimated_start: instantSchema.nullable(),
  })
  .meta({ id: "Explanation", title: "Why a task is where it is" });
export type Explanation = z.infer<typeof explanationSchema>;

/** A question that a task waits for an answer to. */
export const escalationSchema = z
  .strictObject({
    escalation_id: z.string(),
    task_id: taskIdSchema,
    kind: z.enum(["question", "approval", "handover"]),
    state: z.enum(["open", "resolved", "expired", "cancelled"]),
    question: z.string(),
    options: z.array(z.string()),
    evidence: z.unknown().nullable(),
    urgency: z.enum(["low", "medium", "high", "critical"]),
    deadline: instantSchema.nullable(),
    default_option: z.string().nullable(),
    created_at: instantSchema,
    resolved_at: instantSchema.nullable(),
    decision: z.enum(["resume", "change", "cancel"]).nullable(),
    answer: z.string().nullable(),
    actor: z.string().nullable(),
  })
  .meta({ id: "Escalation", title: "Escalation" });
export type Escalation = z.infer<typeof escalationSchema>;

const escalationDecisionSchema = z.enum(["resume", "change", "cancel"]);
const soundDecision = z.looseObject({ decision: escalationDecisionSchema });

export const escalationResolutionSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    decision: escalationDecisionSchema,
    answer: textSchema.optional(),
    patch: jsonObjectSchema.optional().meta({ description: "A merge patch on task_execution." }),
  })
  .refine((resolution) => resolution.decision === "change" || resolution.patch === undefined, {
    path: ["patch"],
    error: "belongs to the decision change only",
    // Judged whatever is wrong with other fields, so that one answer lists every fault.
    when: ({ value }) => soundDecision.safeParse(value).success,
  })
  .meta({ id: "EscalationResolution", title: "Answer to an escalation" });
export type EscalationResolution = z.infer<typeof escalationResolutionSchema>;

/** Answer to a notification: its place in the log, or where a gap is. */
export const notificationReceiptSchema = z
  .union([
    z.strictObject({ seq: z.int().min(1), event_id: z.string() }),
    z.strictObject({ held: z.literal(true), expected_sequence: z.int().min(1) }),
  ])
  .meta({ id: "NotificationReceipt", title: "What became of a notification" });
export type NotificationReceipt = z.infer<typeof notificationReceiptSchema>;

export const endReceiptSchema = z
  .strictObject({
    task_id: taskIdSchema,
    end_reason: endReasonSchema,
    completion_status: completionStatusSchema,
    reason_ignored: z.boolean().optional(),
    facts_ignored: z.boolean().optional().meta({
      description:
        "true where the attempt had been taken away before its end came: none of its facts enter the report.",
    }),
    cleanup_commands: z
      .array(
        z.strictObject({ command_id: z.string(), action: z.union([z.string(), jsonObjectSchema]) }),
      )
      .optional()
      .meta({
        description:
          "cleanup_actions that wait for an acknowledgement by heartbeat; absent without.",
      }),
  })
  .meta({ id: "EndReceipt", title: "The frozen verdict of a task" });
export type EndReceipt = z.infer<typeof endReceiptSchema>;
