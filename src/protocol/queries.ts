import * as z from "zod";

import {
  deliveryStateSchema,
  priorityInputSchema,
  taskPhaseSchema,
  taskStatusSchema,
  taskTypeSchema,
} from "./enums.ts";
import { agentIdSchema, instantSchema, taskIdSchema } from "./primitives.ts";
import { escalationSchema } from "./task-view.ts";

/** A whole number as a query parameter: it arrives as text. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, "must be a whole number")
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** Where to go on in a list, as its last page said. */
export const cursorSchema = z.string().min(1).max(500);
const limitSchema = wholeNumber(1, 200).default(50);

/** Which tasks a status request asks for: the query of GET /v1/tasks. */
export const statusRequestSchema = z
  .strictObject({
    status: taskStatusSchema.optional(),
    phase: taskPhaseSchema.optional(),
    task_type: taskTypeSchema.optional(),
    agent_id: agentIdSchema.optional(),
    priority: priorityInputSchema.optional(),
    tag: z.string().min(1).max(100).optional(),
    created_after: instantSchema.optional(),
    cursor: cursorSchema.optional(),
    limit: limitSchema,
  })
  .meta({ id: "StatusRequest", title: "Which tasks to list" });
export type StatusRequest = z.infer<typeof statusRequestSchema>;

export const eventsQuerySchema = z.strictObject({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  limit: limitSchema,
});

export const pageQuerySchema = z.strictObject({
  cursor: cursorSchema.optional(),
  limit: limitSchema,
});

export const deliveriesQuerySchema = z.strictObject({
  state: deliveryStateSchema.optional(),
  task_id: taskIdSchema.optional(),
  cursor: cursorSchema.optional(),
  limit: limitSchema,
});

/** The last hour unless it says otherwise; at most the seven days for which settled deliveries are kept. */
export const statsQuerySchema = z.strictObject({
  window: wholeNumber(1, 604_800).default(3_600).meta({ description: "Seconds" }),
});

export const pollQuerySchema = z.strictObject({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  wait: wholeNumber(0, 25).default(0).meta({ description: "Seconds" }),
  limit: limitSchema,
});

export const streamQuerySchema = z.strictObject({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
});

/** Whether the message that ends an attempt claims the next tasks at once. */
export const claimNextQuerySchema = z
  .strictObject({
    claim_next: wholeNumber(1, 10)
      .optional()
      .meta({ description: "Tasks to claim for the agent when this message ends its attempt" }),
    wait_seconds: wholeNumber(0, 25)
      .optional()
      .meta({ description: "How long to wait for one of them; goes with claim_next; default 0" }),
  })
  .refine(
    ({ claim_next, wait_seconds }) => wait_seconds === undefined || claim_next !== undefined,
    {
      path: ["wait_seconds"],
      message: "goes with claim_next only",
    },
  );
export type ClaimNextQuery = z.infer<typeof claimNextQuerySchema>;

export const escalationsQuerySchema = z.strictObject({
  state: escalationSchema.shape.state.optional(),
  kind: escalationSchema.shape.kind.optional(),
  urgency: escalationSchema.shape.urgency.optional(),
  task_id: taskIdSchema.optional(),
  cursor: cursorSchema.optional(),
  limit: limitSchema,
});
export type EscalationsQuery = z.infer<typeof escalationsQuerySchema>;

/** A page of a list; `next_cursor` is null on the last one. */
export function pageOf<Item extends z.ZodType>(item: Item, id: string) {
  return z
    .strictObject({ items: z.array(item), next_cursor: z.string().nullable() })
    .meta({ id, title: `Page of ${id.replace(/Page$/, "").toLowerCase()}s` });
}
