import * as z from "zod";

import { endReasonSchema, executionModeSchema, taskStatusSchema } from "./enums.ts";
import { instantSchema, schemaVersionSchema, taskIdSchema, textSchema } from "./primitives.ts";
import { taskExecutionSchema } from "./task-execution.ts";

const batchOptionsSchema = z.strictObject({
  execution_mode: executionModeSchema.default("sequential"),
  max_concurrent: z
    .int()
    .min(1)
    .max(10)
    .default(3)
    .meta({ description: "Tasks that are let go at one time; one in mode sequential." }),
  fail_fast: z
    .boolean()
    .default(false)
    .meta({ description: "Whether the first task that ends without success stops the rest." }),
  timeout: z
    .int()
    .min(60)
    .max(7_200)
    .default(1_800)
    .meta({ description: "Seconds from the submission after which the rest is stopped." }),
});

/** Several tasks in one request, one outcome each. */
export const taskBatchSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    batch_id: taskIdSchema.optional(),
    tasks: z.array(taskExecutionSchema).min(1).max(100),
    batch_options: batchOptionsSchema.prefault({}),
  })
  .meta({ id: "TaskBatch", title: "Batch of task execution requests" });
export type TaskBatch = z.infer<typeof taskBatchSchema>;

/** What became of one item: its task, or why there is none. */
const batchOutcomeSchema = z
  .union([
    z.strictObject({ index: z.int(), task_id: taskIdSchema, status: taskStatusSchema }),
    z.strictObject({
      index: z.int(),
      problem: z.strictObject({ code: z.string(), detail: z.string() }),
    }),
  ])
  .meta({ id: "BatchOutcome", title: "What became of one task of a batch" });
export type BatchOutcome = z.infer<typeof batchOutcomeSchema>;

/** How many of its items stand where; `refused` are those that could not become tasks. */
export const itemCountsSchema = z
  .strictObject({
    total: z.int(),
    pending: z.int(),
    running: z.int(),
    escalated: z.int(),
    completed: z.int(),
    failed: z.int(),
    cancelled: z.int(),
    refused: z.int(),
  })
  .meta({ id: "ItemCounts", title: "How many tasks stand where" });
export type ItemCounts = z.infer<typeof itemCountsSchema>;

/** Why what has not ended is stopped. */
export const batchStopSchema = z
  .strictObject({ reason: endReasonSchema, message: z.string(), at: instantSchema })
  .meta({ id: "BatchStop", title: "Why the rest of a batch is stopped" });
export type BatchStop = z.infer<typeof batchStopSchema>;

const batchStateSchema = z.enum(["running", "completed", "failed", "cancelled", "timed_out"]).meta({
  description:
    "running until every task has ended; completed when all succeeded, otherwise why not.",
});
export type BatchState = z.infer<typeof batchStateSchema>;

/** A batch as everyone sees it. */
export const batchViewSchema = z
  .strictObject({
    batch_id: taskIdSchema,
    state: batchStateSchema,
    outcomes: z.array(batchOutcomeSchema).meta({ description: "One per task, in their order." }),
    counts: itemCountsSchema,
    stop: batchStopSchema.nullable(),
    options: z.strictObject({
      execution_mode: executionModeSchema,
      max_concurrent: z.int(),
      fail_fast: z.boolean(),
      timeout: z.int(),
    }),
    created_at: instantSchema,
    ended_at: instantSchema.nullable(),
  })
  .meta({ id: "Batch", title: "Batch" });
export type BatchView = z.infer<typeof batchViewSchema>;

export const cancelRequestSchema = z
  .strictObject({ schema_version: schemaVersionSchema, reason: textSchema.optional() })
  .meta({ id: "CancelRequest", title: "Stops what has not ended" });
