import * as z from "zod";

import { taskTypeSchema } from "./enums.ts";
import {
  instantSchema,
  jsonObjectSchema,
  schemaVersionSchema,
  taskIdSchema,
} from "./primitives.ts";
import { cursorSchema, wholeNumber } from "./queries.ts";
import { taskExecutionSchema } from "./task-execution.ts";

export const lessonsQuerySchema = z
  .strictObject({
    q: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: "Words, or their beginnings; what holds more of them comes first." }),
    task_type: taskTypeSchema.optional(),
    cursor: cursorSchema.optional(),
    limit: wholeNumber(1, 200).default(50),
  })
  .refine(({ q, cursor }) => q === undefined || cursor === undefined, {
    path: ["cursor"],
    error: "goes without q: a search has one page",
  });
export type LessonsQuery = z.infer<typeof lessonsQuerySchema>;

/** What an executor learned from a task. */
export const lessonSchema = z
  .strictObject({
    lesson_id: z.string(),
    text: z.string(),
    task_id: taskIdSchema,
    task_type: taskTypeSchema,
    agent_id: z.string().nullable(),
    created_at: instantSchema,
    matches: z.int().meta({ description: "How many words of the search it holds." }),
  })
  .meta({ id: "Lesson", title: "What an executor learned" });
export type Lesson = z.infer<typeof lessonSchema>;

/** What an executor recommends to do next, as a task that can be submitted. */
export const nextStepsSchema = z
  .strictObject({
    task_id: taskIdSchema,
    items: z.array(
      z.strictObject({
        index: z.int().min(0),
        text: z.string(),
        draft: taskExecutionSchema,
      }),
    ),
  })
  .meta({ id: "NextSteps", title: "What the executor recommends to do next" });
export type NextSteps = z.infer<typeof nextStepsSchema>;

export const approvalSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    overrides: jsonObjectSchema
      .optional()
      .meta({ description: "A merge patch (RFC 7396) on the draft; its task_id is settled." }),
  })
  .meta({ id: "Approval", title: "Approval of a next step" });
export type Approval = z.infer<typeof approvalSchema>;
