import * as z from "zod";

import {
  endReasonSchema,
  executionModeSchema,
  scopeSchema,
  taskStatusSchema,
} from "../../protocol/enums.ts";
import { taskIdSchema } from "../../protocol/primitives.ts";
import { assessmentSchema, planRecordSchema, requestSchema } from "../../protocol/request.ts";
import { hopSchema } from "../../protocol/span-names.ts";
import { taskExecutionSchema } from "../../protocol/task-execution.ts";

/* What a batch's object keeps. It crosses RPC and storage as JSON text and is parsed again on each side. */

/** A question that a person must answer before a task may start. */
const approvalSchema = z.strictObject({
  reason: z.string(),
  question: z.string(),
  evidence: z.unknown(),
});
export type Approval = z.infer<typeof approvalSchema>;

const batchItemSchema = z.strictObject({
  task_id: taskIdSchema,
  task: taskExecutionSchema,
  /** Indexes of the items that must have ended before this one is let go. */
  after: z.array(z.int()),
  approval: approvalSchema.nullable(),
  assessment: assessmentSchema,
});
export type BatchItem = z.infer<typeof batchItemSchema>;

const faultSchema = z.strictObject({ pointer: z.string(), code: z.string(), detail: z.string() });

/** A request as it is kept beside its tasks. */
const requestRecordSchema = z.strictObject({
  request: requestSchema,
  plan: planRecordSchema.nullable(),
  /** The task by which an executor plans; null where rules have planned. */
  planner: batchItemSchema.nullable(),
  rejection: z
    .strictObject({
      code: z.string(),
      detail: z.string(),
      errors: z.array(faultSchema),
      at: z.int(),
    })
    .nullable(),
});
export type RequestRecord = z.infer<typeof requestRecordSchema>;

export const batchPlanSchema = z.strictObject({
  tenant: z.string(),
  batch_id: taskIdSchema,
  body_hash: z.string(),
  by: z.strictObject({
    key_id: z.string(),
    tenant: z.string(),
    scopes: z.array(scopeSchema),
    isBootstrap: z.boolean(),
  }),
  trace_id: z.string(),
  /** The request as a span of that trace. */
  hop: hopSchema.optional(),
  /** Scheme, host and port by which it came. */
  origin: z.string(),
  created_at: z.int(),
  options: z.strictObject({
    execution_mode: executionModeSchema,
    max_concurrent: z.int(),
    fail_fast: z.boolean(),
    timeout: z.int(),
  }),
  items: z.array(batchItemSchema),
  request: requestRecordSchema.nullable(),
});
/** What a batch consists of. Instants are epoch milliseconds, `timeout` is seconds. */
export type BatchPlan = z.infer<typeof batchPlanSchema>;

export const itemEndSchema = z.strictObject({
  task_id: taskIdSchema,
  /** Null when it never became a task. */
  status: taskStatusSchema.nullable(),
  end_reason: endReasonSchema.nullable(),
  at: z.int(),
  problem: z.strictObject({ code: z.string(), detail: z.string() }).nullable(),
  /** Kept of the task that plans only. */
  result: z.unknown().optional(),
});
/** What became of one item. */
export type ItemEnd = z.infer<typeof itemEndSchema>;

const stopSchema = z.strictObject({
  kind: z.enum(["fail_fast", "cancel", "timeout"]),
  reason: endReasonSchema,
  message: z.string(),
  at: z.int(),
});
/** Why what has not ended is stopped. */
export type Stop = z.infer<typeof stopSchema>;

export const progressSchema = z.strictObject({
  is_created: z.boolean(),
  stop: stopSchema.nullable(),
});

/** Everything that is known of a batch; `ends` in the order in which they came. */
export interface BatchRecord extends z.infer<typeof progressSchema> {
  plan: BatchPlan;
  ends: readonly ItemEnd[];
}

/** What a batch is told of the end of one of its tasks; more may come along. */
export const outcomeSchema = z.object({
  task_id: taskIdSchema,
  is_ended: z.boolean(),
  status: taskStatusSchema,
  end_reason: endReasonSchema.nullable(),
  result: z.unknown().optional(),
});
export type Outcome = z.infer<typeof outcomeSchema>;
