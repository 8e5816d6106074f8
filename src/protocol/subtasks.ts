import * as z from "zod";

import { completionStatusSchema, taskPhaseSchema, taskStatusSchema } from "./enums.ts";
import { qualityAssessmentSchema } from "./notification.ts";
import { jsonObjectSchema, schemaVersionSchema, taskIdSchema } from "./primitives.ts";
import { taskExecutionSchema } from "./task-execution.ts";

/** Most subtasks of one offer. */
const MOST_OFFERED = 20;

/** The holder of a task hands parts of it to others. All of them are accepted, or none. */
export const subtaskOfferSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    subtasks: z
      .array(taskExecutionSchema)
      .min(1)
      .max(MOST_OFFERED)
      .meta({ description: "`parent_task_id` may be left out; it is the task of the address." }),
  })
  .meta({ id: "SubtaskOffer", title: "Subtasks that the holder of a task hands to others" });
export type SubtaskOffer = z.infer<typeof subtaskOfferSchema>;

/** What became of the offered subtasks, in their order. */
export const subtaskOfferAnswerSchema = z
  .strictObject({
    outcomes: z.array(
      z.strictObject({ index: z.int(), task_id: taskIdSchema, status: taskStatusSchema }),
    ),
  })
  .meta({ id: "SubtaskOfferAnswer", title: "What became of offered subtasks" });
export type SubtaskOfferAnswer = z.infer<typeof subtaskOfferAnswerSchema>;

const usageSchema = z
  .strictObject({ cost_usd: z.number(), tokens: z.number() })
  .meta({ description: "Of the task and all below it." });

/** The subtasks of a task, and how far they are. */
export const subtaskViewSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    task_id: taskIdSchema,
    progress_percentage: z.number().meta({ description: "Weighted mean of the subtasks." }),
    usage: usageSchema,
    subtasks: z.array(
      z.strictObject({
        task_id: taskIdSchema,
        state: z.enum(["offered", "accepted", "ended"]).meta({
          description: "Waits for an executor, has had one, is over.",
        }),
        agent_id: z.string().nullable(),
        status: taskStatusSchema,
        phase: taskPhaseSchema,
        progress_percentage: z.number(),
        completion_status: completionStatusSchema.nullable(),
        result: z.unknown().nullable(),
        quality_assessment: qualityAssessmentSchema.nullable(),
        weight: z.number(),
        usage: usageSchema,
      }),
    ),
  })
  .meta({ id: "SubtaskView", title: "Subtasks of a task" });
export type SubtaskView = z.infer<typeof subtaskViewSchema>;

/** Largest shared context, as JSON in UTF-8. Bytes. */
export const LARGEST_SHARED_CONTEXT = 65_536;

/** Changes what the executors of a task and of its subtasks share. */
export const sharedContextPatchSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    subtask_id: taskIdSchema
      .optional()
      .meta({ description: "The subtask whose lease token comes along, when it is one." }),
    patch: jsonObjectSchema.meta({ description: "A merge patch (RFC 7396); null removes." }),
  })
  .meta({ id: "SharedContextPatch", title: "A change of a shared context" });
export type SharedContextPatch = z.infer<typeof sharedContextPatchSchema>;

export const sharedContextSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    task_id: taskIdSchema,
    context: jsonObjectSchema,
  })
  .meta({ id: "SharedContext", title: "What the executors of a task and its subtasks share" });
export type SharedContext = z.infer<typeof sharedContextSchema>;
