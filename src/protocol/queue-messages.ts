import * as z from "zod";

import { eventTypeSchema, taskTypeSchema } from "./enums.ts";
import { agentIdSchema, taskIdSchema, webhookIdSchema } from "./primitives.ts";
import { taskEventSchema } from "./task-view.ts";

/* Bodies of queue messages. They are parsed on arrival like everything else that crosses a boundary. */

const tenantSchema = z.string().min(1).max(100);

/** What the log of a task has up to its view, counted: the same for all news of that view, whichever events they bring. */
export const taskTallySchema = z.strictObject({
  task_type: taskTypeSchema.meta({ description: "That it was submitted with" }),
  notifications: z.partialRecord(eventTypeSchema, z.int().min(0)),
});
export type TaskTally = z.infer<typeof taskTallySchema>;

/**
 * News of one task for history. Small news travel whole; large ones as a reference that the consumer
 * resolves at the task's object, because a message holds at most 128 KB (facts/platform.md §4).
 */
export const historyMessageSchema = z.discriminatedUnion("form", [
  z.strictObject({
    form: z.literal("whole"),
    tenant: tenantSchema,
    task_id: taskIdSchema,
    view: z.string().meta({ description: "The task view as JSON text" }),
    events: z.array(taskEventSchema),
    escalation: z
      .string()
      .optional()
      .meta({ description: "As JSON text, the escalation that these events opened or closed" }),
    earlier: z
      .array(z.string())
      .optional()
      .meta({ description: "Escalations that they closed before the latest one was opened" }),
    body_hash: z
      .string()
      .max(100)
      .optional()
      .meta({ description: "Of the request; goes with the first event" }),
    tally: taskTallySchema.optional(),
  }),
  z.strictObject({
    form: z.literal("reference"),
    tenant: tenantSchema,
    task_id: taskIdSchema,
    after: z.int().min(0),
    rebuild: z
      .boolean()
      .optional()
      .meta({ description: "Whether the rows of the task are written anew; goes with after 0" }),
  }),
]);
export type HistoryMessage = z.infer<typeof historyMessageSchema>;

/**
 * Has the removal of old tasks go on that had more to do than one run may. `until` is epoch milliseconds: after that it
 * waits for the next sweep.
 */
export const removalMessageSchema = z.strictObject({
  form: z.literal("removal"),
  until: z.int().min(0),
});

/** Wakes an endpoint, or a shard of one, whose retry has come due. `due` is epoch milliseconds. */
export const retryMessageSchema = z.strictObject({
  webhook_id: webhookIdSchema,
  shard: z.int().min(0).default(0),
  tenant: tenantSchema,
  due: z.int().min(0),
});
export type RetryMessage = z.infer<typeof retryMessageSchema>;

/** Hands a task to the built-in executor. */
export const executionMessageSchema = z.strictObject({
  tenant: tenantSchema,
  pool: z.string().min(1).max(100),
  task_id: taskIdSchema,
});
export type ExecutionMessage = z.infer<typeof executionMessageSchema>;

/** Has a task pushed to the executor that its pool has reserved it for. */
export const pushMessageSchema = z.strictObject({
  ...executionMessageSchema.shape,
  agent_id: agentIdSchema,
});
export type PushMessage = z.infer<typeof pushMessageSchema>;

/** A message that this system itself gave up on. `body` is the message as JSON text, cut if it is long. */
export const deadLetterMessageSchema = z.strictObject({
  queue: z.string().min(1).max(100),
  reason: z.string().min(1).max(1_000),
  body: z.string(),
});
