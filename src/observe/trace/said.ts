import * as z from "zod";

import { instantSchema } from "../../protocol/primitives.ts";
import { hopSchema } from "../../protocol/span-names.ts";

/* What of events a trace tells. */

/** The request that a task came in by. */
export const submittedSchema = z.object({
  request: z.object({ ...hopSchema.shape, received_at: instantSchema }),
});
/** Who has an attempt. */
export const assignedSchema = z.object({ agent_id: z.string(), attempt: z.int() });
/** Why an attempt failed. */
export const failedSchema = z.object({ data: z.object({ error_type: z.string() }) });
/** A question. */
export const askedSchema = z.object({
  data: z.object({ question: z.string(), escalation_level: z.string(), urgency: z.string() }),
});
/** What became of a question. */
export const answeredSchema = z.object({
  state: z.string().optional(),
  decision: z.string().optional(),
});
/** How a task ended. */
export const verdictSchema = z.object({ reason: z.string() });

/** Longest time that a model may be said to have taken, milliseconds: a day, as of every attempt. */
const LONGEST_CALL_MS = 86_400_000;

/** A round of the built-in executor; of what others put there, nothing is taken. */
export const roundSchema = z.object({
  data: z.object({
    intermediate_results: z.object({
      quality_round: z.int(),
      model_id: z.string(),
      model_call: z.object({
        finish_reason: z.string(),
        tokens: z.number().min(0),
        cost_usd: z.number().min(0),
        duration_ms: z.number().min(0).max(LONGEST_CALL_MS),
      }),
    }),
  }),
});
