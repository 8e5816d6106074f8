import * as z from "zod";

import { agentEndTaskSchema } from "./agent-end-task.ts";
import { claimAnswerSchema, heartbeatAnswerSchema, heartbeatSchema } from "./agent.ts";
import { noteKeySchema, noteListSchema, noteSchema, noteWriteSchema } from "./notes.ts";
import { notificationSchema } from "./notification.ts";
import { agentIdSchema, instantSchema, taskIdSchema, textSchema } from "./primitives.ts";
import { problemSchema } from "./problem.ts";
import { endReceiptSchema, notificationReceiptSchema } from "./task-view.ts";

/* How tasks come to executors that do not ask for each one: by a push, or over a WebSocket. */

const assignedSchema = claimAnswerSchema.shape.tasks.element;

/** What an executor with a `url` is sent for each task (protocol.md §4, Shapes of answers). */
export const taskPushSchema = z
  .strictObject({
    type: z.literal("task_execution"),
    timestamp: instantSchema,
    data: assignedSchema,
  })
  .meta({ id: "TaskPush", title: "A task as it is pushed to its executor" });

const [appliedSchema, heldSchema] = notificationReceiptSchema.options;

const nextSchema = claimAnswerSchema.optional().meta({
  description: "What `claim_next` brought, when the message has ended the attempt.",
});

/** The answer to a notification: its receipt, and the next tasks if they were asked for. */
export const notificationAnswerSchema = z
  .union([z.strictObject({ ...appliedSchema.shape, next: nextSchema }), heldSchema])
  .meta({ id: "NotificationAnswer", title: "What became of a notification, and what comes next" });

/** The answer to agent_end_task: the verdict, and the next tasks if they were asked for. */
export const endAnswerSchema = z
  .strictObject({ ...endReceiptSchema.shape, next: nextSchema })
  .meta({ id: "EndAnswer", title: "The frozen verdict of a task, and what comes next" });

const frameIdSchema = z
  .string()
  .min(1)
  .max(100)
  .meta({ description: "Chosen by the sender; the answer has the same one." });

const underLease = {
  id: frameIdSchema,
  task_id: taskIdSchema,
  lease_token: z.string().min(1).max(500),
};

/** What an executor says on its WebSocket. */
export const channelFrameSchema = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("ready"),
      id: frameIdSchema.optional(),
      max_tasks: z
        .int()
        .min(0)
        .max(10)
        .meta({ description: "How many tasks it takes from now on; takes the place of the last." }),
    }),
    z.strictObject({
      type: z.literal("heartbeat"),
      ...underLease,
      heartbeat: heartbeatSchema.optional(),
    }),
    z.strictObject({
      type: z.literal("notify"),
      id: frameIdSchema,
      lease_token: underLease.lease_token,
      notification: notificationSchema,
    }),
    z.strictObject({ type: z.literal("end"), ...underLease, end: agentEndTaskSchema }),
    z.strictObject({ type: z.literal("decline"), ...underLease, reason: textSchema }),
    z.strictObject({ type: z.literal("list_notes"), ...underLease }),
    z.strictObject({
      type: z.literal("put_note"),
      ...underLease,
      key: noteKeySchema,
      value: noteWriteSchema.shape.value,
    }),
    z.strictObject({ type: z.literal("delete_note"), ...underLease, key: noteKeySchema }),
    z.strictObject({ type: z.literal("pong") }),
  ])
  .meta({ id: "ChannelFrame", title: "What an executor says on its WebSocket" });
export type ChannelFrame = z.infer<typeof channelFrameSchema>;

/** What an executor hears on its WebSocket. */
export const channelAnswerSchema = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("welcome"),
      agent_id: agentIdSchema,
      ping_seconds: z.int().meta({ description: "A ping comes so often and wants a pong." }),
    }),
    z.strictObject({ type: z.literal("tasks"), tasks: z.array(assignedSchema) }),
    z.strictObject({
      type: z.literal("answer"),
      id: frameIdSchema,
      status: z.int().meta({ description: "As the same call over HTTP has it." }),
      body: z.union([
        heartbeatAnswerSchema,
        notificationReceiptSchema,
        endReceiptSchema,
        noteSchema,
        noteListSchema,
        z.strictObject({ task_id: taskIdSchema }),
        z.strictObject({ max_tasks: z.int() }),
      ]),
      warnings: z
        .array(z.string())
        .optional()
        .meta({ description: "What of the frame is deprecated, and what to send instead." }),
    }),
    z.strictObject({
      type: z.literal("problem"),
      id: frameIdSchema.nullable(),
      problem: problemSchema,
    }),
    z.strictObject({ type: z.literal("ping") }),
  ])
  .meta({ id: "ChannelAnswer", title: "What an executor hears on its WebSocket" });
export type ChannelAnswer = z.infer<typeof channelAnswerSchema>;
