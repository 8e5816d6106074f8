import * as z from "zod";

import {
  deliveryStateSchema,
  eventGroupSchema,
  notificationTypeSchema,
  priorityInputSchema,
  prioritySchema,
  taskTypeSchema,
} from "./enums.ts";
import {
  agentIdSchema,
  instantSchema,
  schemaVersionSchema,
  tagsSchema,
  webhookIdSchema,
} from "./primitives.ts";
import { webhookMatchSchema } from "./webhook-match.ts";
import {
  batchingSchema,
  breakerOptionsSchema,
  lanePolicySchema,
  LONGEST_RETRY_WAIT_S,
  orderingSchema,
  rateLimitSchema,
  shardsSchema,
  webhookRetryPolicySchema,
} from "./webhook-options.ts";

/** The breaker's level: normal, degraded, restricted, open, disabled (facts/webhooks.md §6.6). */
export const levelSchema = z.int().min(0).max(4);

/** Header names: the token of RFC 9110 §5.6.2. */
const headerNameSchema = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/);
/** Header values: visible ASCII, spaces and tabs, so that nothing can be injected. */
const headerValueSchema = z.string().regex(/^[\t\x20-\x7e]{0,1000}$/);

/** Groups and types as an endpoint asks for them. */
const webhookEventSchema = z.union([notificationTypeSchema, eventGroupSchema]);
export type WebhookEvent = z.infer<typeof webhookEventSchema>;

const filtersSchema = z.strictObject({
  task_types: z.array(taskTypeSchema).min(1).optional(),
  priorities: z.array(priorityInputSchema).min(1).optional(),
  agent_ids: z.array(agentIdSchema).min(1).max(100).optional(),
  tags: tagsSchema
    .min(1)
    .optional()
    .meta({ description: "A task with any of these tags matches." }),
  match: webhookMatchSchema.optional(),
});
export type WebhookFilters = z.infer<typeof filtersSchema>;

/** `whsec_` and 24-64 bytes of base64 (Standard Webhooks 1.0, Signature scheme). */
export const webhookSecretSchema = z
  .string()
  .regex(
    /^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/,
    "must be whsec_ and 24-64 bytes of base64",
  )
  .refine((secret) => {
    const bytes = Math.floor((secret.slice(6).replace(/=+$/, "").length * 3) / 4);
    return bytes >= 24 && bytes <= 64;
  }, "must hold 24-64 bytes");

const registrationFields = {
  schema_version: schemaVersionSchema,
  url: z.string().min(1).max(2_000),
  name: z.string().min(1).max(200).optional(),
  secret: webhookSecretSchema
    .optional()
    .meta({ description: "Generated when absent; shown once." }),
  events: z.array(webhookEventSchema).min(1).max(50).default(["all"]),
  filters: filtersSchema.optional(),
  ordering: orderingSchema.default("task"),
  lane_policy: lanePolicySchema.optional(),
  retry_policy: webhookRetryPolicySchema.optional(),
  final_statuses: z
    .array(z.int().min(300).max(599))
    .max(50)
    .optional()
    .meta({ description: "Status codes after which a delivery is not tried again." }),
  timeout: z.int().min(1).max(30).default(15).meta({ description: "Seconds" }),
  rate_limit: rateLimitSchema.optional(),
  batching: batchingSchema.optional(),
  breaker: breakerOptionsSchema.optional(),
  shards: shardsSchema.optional().meta({
    description: "Objects that share the lanes of a hot endpoint; fixed at registration.",
  }),
  headers: z
    .record(headerNameSchema, headerValueSchema)
    .refine((headers) => Object.keys(headers).length <= 20, "at most 20 headers")
    .optional(),
  compression: z.enum(["none", "gzip"]).optional(),
  challenge: z.boolean().optional().meta({
    description:
      "Whether the receiver has to prove that it wants this before anything is sent: it answers a webhook_challenge with 2xx and its text.",
  }),
  active: z.boolean().default(true),
};

/** Asks for signed notifications at a URL. */
export const webhookRegistrationSchema = z
  .strictObject(registrationFields)
  .meta({ id: "WebhookRegistration", title: "Registration of a webhook endpoint" });
export type WebhookRegistration = z.infer<typeof webhookRegistrationSchema>;

/**
 * A change to a registration: the given fields replace the old ones, and null takes an option back. The secret is
 * changed by rotation.
 */
export const webhookPatchSchema = z
  .strictObject({
    ...registrationFields,
    // Without a default, as all that a change may leave out.
    schema_version: schemaVersionSchema.unwrap().optional(),
    name: registrationFields.name.nullable(),
    filters: registrationFields.filters.nullable(),
    lane_policy: registrationFields.lane_policy.nullable(),
    retry_policy: registrationFields.retry_policy.nullable(),
    final_statuses: registrationFields.final_statuses.nullable(),
    rate_limit: registrationFields.rate_limit.nullable(),
    batching: registrationFields.batching.nullable(),
    breaker: registrationFields.breaker.nullable(),
    headers: registrationFields.headers.nullable(),
    compression: registrationFields.compression.nullable(),
    events: registrationFields.events.unwrap(),
    ordering: registrationFields.ordering.unwrap(),
    timeout: registrationFields.timeout.unwrap(),
    active: registrationFields.active.unwrap(),
  })
  .omit({ secret: true, challenge: true })
  .partial()
  .meta({ id: "WebhookPatch", title: "Change to a webhook endpoint" });
export type WebhookPatch = z.infer<typeof webhookPatchSchema>;

/** A registered endpoint, less its secret; `secret` is there only in the answers that mint one. */
export const webhookViewSchema = z
  .strictObject({
    webhook_id: webhookIdSchema,
    url: z.string(),
    name: z.string().nullable(),
    events: z.array(webhookEventSchema),
    filters: filtersSchema.nullable(),
    ordering: orderingSchema,
    lane_policy: lanePolicySchema,
    retry_policy: webhookRetryPolicySchema.nullable(),
    final_statuses: z.array(z.int()),
    timeout: z.int(),
    rate_limit: rateLimitSchema.nullable(),
    batching: batchingSchema.nullable(),
    breaker: breakerOptionsSchema.nullable(),
    shards: z.int().min(1),
    headers: z.record(z.string(), z.string()),
    compression: z.enum(["none", "gzip"]),
    active: z.boolean(),
    state: z.enum(["active", "paused", "disabled"]),
    level: levelSchema,
    is_verified: z
      .boolean()
      .meta({ description: "false while the receiver has not met the challenge" }),
    created_at: instantSchema,
    secret: z.string().optional(),
  })
  .meta({ id: "Webhook", title: "Webhook endpoint" });
export type WebhookView = z.infer<typeof webhookViewSchema>;

export const attemptSchema = z
  .strictObject({
    attempt: z.int().min(1),
    trigger: z.enum(["scheduled", "retry", "probe", "manual", "recover"]),
    due_at: instantSchema,
    started_at: instantSchema,
    duration_ms: z.int().min(0),
    status_code: z.int().nullable(),
    error_class: z.string().nullable(),
    response_body: z.string().max(1_000).nullable(),
    level: levelSchema,
  })
  .meta({ id: "Attempt", title: "One POST of a delivery" });
export type Attempt = z.infer<typeof attemptSchema>;

/** One notification for one endpoint, and how far it has come. */
export const deliveryViewSchema = z
  .strictObject({
    delivery_id: z.string(),
    webhook_id: webhookIdSchema,
    message_id: z
      .string()
      .meta({ description: "The webhook-id header: stable over retries and replays." }),
    task_id: z.string().nullable(),
    seq: z.int().nullable(),
    prev_seq: z.int().nullable(),
    type: notificationTypeSchema,
    priority: prioritySchema,
    state: deliveryStateSchema,
    attempts_made: z.int().min(0),
    next_attempt_at: instantSchema.nullable(),
    created_at: instantSchema,
    delivered_at: instantSchema.nullable(),
    delay_reason: z.string().nullable(),
    attempts: z.array(attemptSchema).optional(),
  })
  .meta({ id: "Delivery", title: "Delivery of one notification to one endpoint" });
export type DeliveryView = z.infer<typeof deliveryViewSchema>;

/** The body of a webhook request (Standard Webhooks 1.0, Payload structure). */
export const webhookDeliverySchema = z
  .strictObject({
    type: notificationTypeSchema,
    timestamp: instantSchema.meta({ description: "When the event happened." }),
    data: z.strictObject({
      task_id: z.string().nullable(),
      seq: z.int().nullable(),
      prev_seq: z
        .int()
        .nullable()
        .meta({ description: "The previous notification of this task sent to this endpoint." }),
      notification: z.record(z.string(), z.unknown()),
    }),
  })
  .meta({ id: "WebhookDelivery", title: "Body of a webhook request" });

/** The body of the request by which a receiver proves that it wants what an endpoint sends. */
export const webhookChallengeSchema = z
  .strictObject({
    type: z.literal("webhook_challenge"),
    timestamp: instantSchema.meta({ description: "When it was sent." }),
    data: z.strictObject({
      challenge: z.string().meta({
        description:
          "What the answer, of status 2xx, has to contain in the first 1,000 characters of its body.",
      }),
    }),
  })
  .meta({ id: "WebhookChallenge", title: "Body of a webhook request that asks for a proof" });
export type WebhookChallenge = z.infer<typeof webhookChallengeSchema>;

/** The body of a request that carries several, in order (protocol.md §5); they stand or fall together. */
export const webhookBatchSchema = z
  .strictObject({
    type: z.literal("batch"),
    timestamp: instantSchema.meta({ description: "When the batch was made up." }),
    data: z.strictObject({ items: z.array(webhookDeliverySchema).min(1).max(100) }),
  })
  .meta({ id: "WebhookBatch", title: "Body of a webhook request with several notifications" });

export const rotationSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    overlap_seconds: z.int().min(0).max(LONGEST_RETRY_WAIT_S).default(86_400),
  })
  .meta({
    id: "SecretRotation",
    title: "How long the old secret keeps signing beside the new one",
  });

/** GET /v1/callback-secret and its rotation. */
export const secretViewSchema = z
  .strictObject({ secret: webhookSecretSchema })
  .meta({ id: "Secret", title: "A signing secret" });
