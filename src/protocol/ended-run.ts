import * as z from "zod";

import { dataBoundsSchema } from "./data-bounds.ts";
import { endReasonSchema, taskTypeSchema } from "./enums.ts";
import { taskIdSchema } from "./primitives.ts";

/** What one attempt came to, as the log of its task tells it. */
const runAttemptSchema = z.strictObject({
  executor: z.string(),
  /** Models in the order in which the attempt tried them; none where it named none. */
  model_ids: z.array(z.string()),
  /** What of the long-term memory was put before models that answered it; only the built-in executor is told any. */
  memory_ids: z.array(z.string()),
  failure: z
    .strictObject({
      type: z.string(),
      message: z.string(),
      cause: z.string(),
      suggestions: z.array(z.string()),
    })
    .nullable(),
  /** Its rounds before the quality gate, with what that objected to; the last one is the one that was given. */
  rounds: z.array(
    z.strictObject({ model_id: z.string().nullable(), findings: z.array(z.string()) }),
  ),
  is_completed: z.boolean(),
});
export type RunAttempt = z.infer<typeof runAttemptSchema>;

/** An ended task as long-term memory is told of it: everything in it is data that came from outside. */
export const endedRunSchema = z.strictObject({
  task_id: taskIdSchema,
  task_type: taskTypeSchema,
  description: z.string(),
  tags: z.array(z.string()),
  /** Where its data may go. */
  bounds: dataBoundsSchema,
  reason: endReasonSchema,
  /** Epoch milliseconds of the verdict. */
  ended_at: z.number(),
  attempts: z.array(runAttemptSchema),
  quality: z.number().nullable(),
  cost_usd: z.number(),
  /** Why it came to nothing; null of a success. */
  error: z.strictObject({ type: z.string(), message: z.string(), cause: z.string() }).nullable(),
  /** The last question that it asked, and what was answered. */
  escalation: z.strictObject({ question: z.string(), answer: z.string().nullable() }).nullable(),
  lessons_learned: z.array(z.string()),
});
export type EndedRun = z.infer<typeof endedRunSchema>;
