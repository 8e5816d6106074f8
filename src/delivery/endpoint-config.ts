import * as z from "zod";

import { SEALED_FORM } from "../lib/seal.ts";
import { notificationTypeSchema, prioritySchema } from "../protocol/enums.ts";
import { instantSchema, taskIdSchema, webhookIdSchema } from "../protocol/primitives.ts";
import {
  batchingSchema,
  breakerOptionsSchema,
  lanePolicySchema,
  orderingSchema,
  rateLimitSchema,
  webhookRetryPolicySchema,
} from "../protocol/webhook-options.ts";
import { webhookSecretSchema } from "../protocol/webhook.ts";
import { formatSchema, STANDARD } from "./format/target.ts";

/**
 * A secret that signs until `expires_at`; the newest one of an endpoint never expires. It is stored sealed, in clear
 * only where an earlier version stored it.
 */
export const signingSecretSchema = z.strictObject({
  secret: z.union([z.string().regex(SEALED_FORM), webhookSecretSchema]),
  expires_at: instantSchema.nullable(),
});
export type SigningSecret = z.infer<typeof signingSecretSchema>;

/** What an endpoint's object has to know of its registration. A higher `version` replaces a lower one. */
export const endpointConfigSchema = z.strictObject({
  tenant: z.string().min(1),
  webhook_id: webhookIdSchema,
  url: z.string().min(1),
  secrets: z.array(signingSecretSchema).min(1),
  headers: z.record(z.string(), z.string()),
  timeout: z.int().min(1).max(30).meta({ description: "Seconds" }),
  retry_policy: webhookRetryPolicySchema.nullable(),
  final_statuses: z.array(z.int()),
  ordering: orderingSchema,
  // What has a default here is missing in configurations that objects stored before it existed.
  lane_policy: lanePolicySchema.default("block"),
  rate_limit: rateLimitSchema.nullable().default(null),
  batching: batchingSchema.nullable().default(null),
  breaker: breakerOptionsSchema.nullable().default(null),
  compression: z.enum(["none", "gzip"]).default("none"),
  /** In which form it is told. No registration of a webhook can say another one: those of alert channels do. */
  format: formatSchema.default(STANDARD),
  /** Which of the objects that share the lanes of this endpoint this one is, from 0. */
  shard: z.int().min(0).default(0),
  shards: z.int().min(1).default(1),
  state: z.enum(["active", "paused", "disabled", "deleted"]),
  version: z.int().min(1),
});
export type EndpointConfig = z.infer<typeof endpointConfigSchema>;

/** One notification for an endpoint. `task_id` and `seq` are both null for news without a task. */
export const enqueueItemSchema = z
  .strictObject({
    task_id: taskIdSchema.nullable(),
    seq: z.int().min(1).nullable(),
    event_id: z.string().min(1),
    type: notificationTypeSchema,
    priority: prioritySchema,
    at: instantSchema,
    correlation_id: z.string(),
    notification: z.string().meta({ description: "JSON text" }),
  })
  .refine(
    (item) => (item.task_id === null) === (item.seq === null),
    "a task has a seq, and only a task",
  )
  // Without a task it is part of the webhook-id, which must not contain a full stop.
  .refine(
    (item) => item.task_id !== null || /^[A-Za-z0-9_-]{1,200}$/.test(item.event_id),
    "must be letters, digits, _ and - where there is no task",
  );
export type EnqueueItem = z.infer<typeof enqueueItemSchema>;

/**
 * Notifications for one endpoint, those of one task in order of seq.
 *
 * `config_version` is what the caller read in the registry; `callback` is the configuration as JSON for an endpoint
 * that nobody registered.
 */
export const enqueueBatchSchema = z.strictObject({
  config_version: z.int().min(1),
  callback: z.string().nullable(),
  items: z.array(enqueueItemSchema),
});
export type EnqueueBatch = z.infer<typeof enqueueBatchSchema>;

/** `known` is false when the object has no configuration as new as the caller's: nothing was stored then. */
export interface EnqueueReceipt {
  stored: number;
  known: boolean;
}

/** The part of an endpoint's object that fan-out needs. */
export interface EndpointInbox {
  configure(config: string): Promise<void>;
  enqueue(batch: EnqueueBatch): Promise<EnqueueReceipt>;
}
