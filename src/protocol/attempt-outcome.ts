import * as z from "zod";

import { taskTypeSchema } from "./enums.ts";
import { scoreSchema } from "./primitives.ts";

/**
 * How one attempt went, as the task tells its pool when the slot is free again: what an executor's
 * reputation is made of. What is not known is null.
 */
export const attemptOutcomeSchema = z
  .strictObject({
    task_type: taskTypeSchema,
    kind: z.enum(["success", "failure", "lost", "stalled", "cancelled", "other"]),
    has_started: z.boolean().nullable().meta({ description: "Whether task_started came." }),
    duration_s: z.number().min(0).nullable(),
    quality: scoreSchema.nullable(),
    cost_usd: z.number().min(0).nullable(),
    is_on_time: z
      .boolean()
      .nullable()
      .meta({ description: "Ended within the estimate, or the timeout where there is none." }),
  })
  .meta({ id: "AttemptOutcome", title: "How one attempt went" });
export type AttemptOutcome = z.infer<typeof attemptOutcomeSchema>;
