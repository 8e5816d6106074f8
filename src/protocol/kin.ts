import * as z from "zod";

import {
  completionStatusSchema,
  endReasonSchema,
  taskPhaseSchema,
  taskStatusSchema,
  taskTypeSchema,
} from "./enums.ts";
import { qualityAssessmentSchema } from "./notification.ts";
import { jsonObjectSchema, taskIdSchema } from "./primitives.ts";

/* What tasks tell each other, as JSON text between their objects. */

/** How a task stands, to those that wait for it: its dependents, its parent and its batch. */
export const outcomeSchema = z.strictObject({
  task_id: taskIdSchema,
  task_type: taskTypeSchema,
  phase: taskPhaseSchema,
  is_ended: z.boolean(),
  status: taskStatusSchema,
  end_reason: endReasonSchema.nullable(),
  completion_status: completionStatusSchema.nullable(),
  result: z.unknown(),
  /** What a failed attempt left of its work, where there is no result. */
  partial_results: z.unknown().optional(),
  quality: qualityAssessmentSchema.nullable(),
  agent_id: z.string().nullable(),
  /** Whether something must still be so before it may start; absent means no. */
  is_held_back: z.boolean().optional(),
  /** Null for a root. */
  parent_task_id: taskIdSchema.nullable().optional(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

/** Amounts of what a tree may use up. */
const amountsSchema = z.strictObject({
  cost_usd: z.number(),
  tokens: z.number(),
  attempts: z.int(),
  /** Tasks below it. */
  children: z.int(),
});
export type Amounts = z.infer<typeof amountsSchema>;

/** What a child tells its parent. A report with a lower seq is out of date. */
export const childReportSchema = outcomeSchema.extend({
  seq: z.int(),
  percentage: z.number().nullable(),
  /** Used by the child and all below it, over all attempts. */
  used: amountsSchema,
  /** Generations of open tasks below it. */
  height: z.int(),
  /** Whether it, or an open task below it, is in its end phases; absent means no. */
  is_ending: z.boolean().optional(),
  /** Whether it ended because whatever is above it did; absent means no. */
  is_stopped: z.boolean().optional(),
});
export type ChildReport = z.infer<typeof childReportSchema>;

/** What a parent must know of a child before it can adopt it. */
const childOfferSchema = z.strictObject({
  task_id: taskIdSchema,
  weight: z.number(),
  max_retries: z.int(),
  max_cost_usd: z.number().optional(),
  max_tokens: z.number().optional(),
  max_attempts: z.int().optional(),
  max_children: z.int().optional(),
  max_depth: z.int().optional(),
});
export type ChildOffer = z.infer<typeof childOfferSchema>;

/**
 * What families and those that look for circles ask of a task's object. One call for all of them: a door of its own
 * would be a stub that keeps the object in memory.
 */
export const kinCallSchema = z.discriminatedUnion("call", [
  /** Takes children on, all or none, or only says whether it could. `token` is the holder's, who hands out work. */
  z.strictObject({
    call: z.literal("adopt"),
    offers: z.array(childOfferSchema),
    token: z.string().nullable().optional(),
    is_trial: z.boolean(),
  }),
  /** A child may not have come to be: it is asked, and forgotten when there is none. */
  z.strictObject({ call: z.literal("disown"), task_id: taskIdSchema }),
  /** A child says how it stands; the answer is whether it is one of this task's. */
  z.strictObject({ call: z.literal("hear"), report: childReportSchema }),
  /** Whoever it belongs to is over: `from` is its parent or its batch, and nobody else is obeyed. */
  z.strictObject({
    call: z.literal("stop"),
    from: taskIdSchema,
    reason: endReasonSchema,
    message: z.string(),
  }),
  z.strictObject({ call: z.literal("ties"), token: z.string().nullable() }),
  z.strictObject({ call: z.literal("subtasks") }),
  /** What executors of the task and its children share; a patch is merged into it first. */
  z.strictObject({ call: z.literal("shared"), patch: jsonObjectSchema.nullable() }),
]);
export type KinCall = z.infer<typeof kinCallSchema>;

/** Whom a task waits for or belongs to: the edges by which a circle is found. */
export interface Ties {
  is_ended: boolean;
  body_hash: string;
  parent_task_id: string | null;
  /** Whether the token that came along is in force. */
  is_holder: boolean;
  /** Prerequisites and children. */
  waits_for: string[];
}
