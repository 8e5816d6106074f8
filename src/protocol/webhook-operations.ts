import * as z from "zod";

import {
  notificationTypeSchema,
  priorityInputSchema,
  severitySchema,
  taskTypeSchema,
} from "./enums.ts";
import {
  agentIdSchema,
  instantSchema,
  jsonObjectSchema,
  schemaVersionSchema,
  tagsSchema,
  taskIdSchema,
  textSchema,
} from "./primitives.ts";
import {
  deliveryViewSchema,
  levelSchema,
  webhookDeliverySchema,
  webhookRegistrationSchema,
} from "./webhook.ts";

/* What an operator asks of an endpoint, and what it answers. */

/** How an endpoint has done over a window. Shares are 0-1; what there is no evidence for is null. */
export const webhookStatsSchema = z
  .strictObject({
    window_s: z.int(),
    attempts: z.int(),
    delivered: z.int(),
    failed: z.int(),
    retried: z.int().meta({ description: "Attempts beyond the first of their delivery" }),
    success_rate: z.number().nullable(),
    p50_ms: z.number().nullable(),
    p95_ms: z.number().nullable(),
    p99_ms: z.number().nullable(),
    throughput_per_s: z.number().meta({ description: "Deliveries that arrived, per second" }),
    oldest_due_age_s: z
      .number()
      .nullable()
      .meta({ description: "Since when the oldest delivery that is due waits, in seconds" }),
    level: levelSchema,
    last_error: z
      .strictObject({
        at: instantSchema,
        status_code: z.int().nullable(),
        error_class: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: "WebhookStats", title: "How an endpoint has done" });
export type WebhookStats = z.infer<typeof webhookStatsSchema>;

/** Outcomes that can be sent once more. */
export const recoverableStateSchema = z.enum(["exhausted", "cancelled", "delivered"]);
export type RecoverableState = z.infer<typeof recoverableStateSchema>;

/** Asks for many deliveries to be sent again. */
export const recoveryRequestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    since: instantSchema.meta({ description: "Created at this instant or later" }),
    until: instantSchema.optional().meta({ description: "Created before; now when absent" }),
    state: recoverableStateSchema.default("exhausted"),
    dry_run: z.boolean().default(false),
  })
  .refine(({ since, until }) => until === undefined || Date.parse(since) < Date.parse(until), {
    path: ["until"],
    message: "must be after since",
  })
  .meta({ id: "RecoveryRequest", title: "Which deliveries to send again" });
export type RecoveryRequest = z.infer<typeof recoveryRequestSchema>;

/** How far a recovery has come. */
export const recoverySchema = z
  .strictObject({
    recovery_id: z.string(),
    state: z.enum(["running", "done", "cancelled"]),
    matched: z.int(),
    replayed: z.int(),
  })
  .meta({ id: "Recovery", title: "Deliveries that are sent again" });
export type Recovery = z.infer<typeof recoverySchema>;

/** What a dry run of a recovery finds. */
export const recoveryMatchSchema = z
  .strictObject({ matched: z.int() })
  .meta({ id: "RecoveryMatch", title: "How many deliveries a recovery would send again" });

export type RecoveryMatch = z.infer<typeof recoveryMatchSchema>;

/** Something is wrong with the system itself; the notification of type system_alert (protocol.md §7, Webhooks). */
export const systemAlertSchema = z
  .strictObject({
    alert_id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,200}$/, "must be 1-200 characters of A-Z a-z 0-9 _ -")
      .meta({ description: "The same each time the alert is told." }),
    severity: severitySchema,
    title: z.string().min(1).max(200),
    detail: textSchema,
    evidence: jsonObjectSchema,
  })
  .meta({ id: "SystemAlert", title: "Something is wrong with the system itself" });
export type SystemAlert = z.infer<typeof systemAlertSchema>;

/** A notification as it could come, to try filters on. */
const filterSampleSchema = z.strictObject({
  type: notificationTypeSchema,
  task_type: taskTypeSchema.default("general"),
  priority: priorityInputSchema.default("normal"),
  agent_id: agentIdSchema.nullable().default(null),
  tags: tagsSchema.default([]),
  notification: jsonObjectSchema.default({}),
});

/** Asks whether an endpoint would get a notification, without registering anything. */
export const filterTestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    events: webhookRegistrationSchema.shape.events,
    filters: webhookRegistrationSchema.shape.filters,
    sample: filterSampleSchema,
  })
  .meta({ id: "FilterTest", title: "Filters and a notification to try them on" });
export type FilterTest = z.infer<typeof filterTestSchema>;

export const filterVerdictSchema = z
  .strictObject({
    wanted: z.boolean(),
    refused_by: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).meta({
      description: "The filters that do not let it pass, each by its place in the request",
    }),
  })
  .meta({ id: "FilterVerdict", title: "Whether the notification would be sent" });
export type FilterVerdict = z.infer<typeof filterVerdictSchema>;

/** One notification as a poll reads it: what a request would carry, its id and its place. */
const polledEventSchema = z
  .strictObject({
    message_id: z.string(),
    position: z.int().meta({ description: "Grows with each notification of the endpoint" }),
    body: webhookDeliverySchema,
  })
  .meta({ id: "PolledEvent", title: "A notification that is read instead of sent" });

/** What a poll gets. `next_after` is the `after` of the next one. */
export const pollSchema = z
  .strictObject({ items: z.array(polledEventSchema), next_after: z.int() })
  .meta({ id: "Poll", title: "Notifications behind a place" });
export type Poll = z.infer<typeof pollSchema>;

/** One notification of a task with its deliveries to all endpoints. */
export const taskDeliveriesSchema = z
  .strictObject({
    task_id: taskIdSchema,
    items: z.array(
      z.strictObject({
        seq: z.int(),
        type: notificationTypeSchema,
        state: z
          .enum(["pending", "partial", "delivered", "failed"])
          .meta({ description: "delivered only when every endpoint has it" }),
        deliveries: z.array(deliveryViewSchema),
      }),
    ),
    next_after: z
      .int()
      .nullable()
      .meta({ description: "The `after` of the next page; null when this is the last" }),
  })
  .meta({
    id: "TaskDeliveries",
    title: "What became of a task's notifications, endpoint by endpoint",
  });
export type TaskDeliveries = z.infer<typeof taskDeliveriesSchema>;
