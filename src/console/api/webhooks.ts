import {
  flag,
  json,
  list,
  maybe,
  number,
  object,
  pageOf,
  table,
  text,
  type Read,
} from "../lib/shape.ts";

/** An endpoint (GET /v1/webhooks/{id}). */
export const webhook = object({
  webhook_id: text,
  url: text,
  name: maybe(text),
  events: list(text),
  filters: json,
  ordering: text,
  timeout: number,
  rate_limit: json,
  batching: json,
  retry_policy: json,
  shards: number,
  headers: table(text),
  compression: text,
  state: text,
  level: number,
  is_verified: flag,
  created_at: text,
});
export type Webhook = Read<typeof webhook>;

/** A page of GET /v1/webhooks. */
export const webhookPage = pageOf(webhook);

/** An answer that mints a secret: of a registration or a rotation. */
export const minted = object({ webhook_id: text, secret: text });

/** GET /v1/webhooks/{id}/stats */
export const webhookStats = object({
  window_s: number,
  attempts: number,
  delivered: number,
  failed: number,
  retried: number,
  success_rate: maybe(number),
  p50_ms: maybe(number),
  p95_ms: maybe(number),
  p99_ms: maybe(number),
  throughput_per_s: number,
  oldest_due_age_s: maybe(number),
  last_error: maybe(object({ at: text, status_code: maybe(number), error_class: maybe(text) })),
});
export type WebhookStats = Read<typeof webhookStats>;

/** A delivery (GET /v1/deliveries/{id}); lists leave its attempts out. */
export const delivery = object({
  delivery_id: text,
  webhook_id: text,
  message_id: text,
  task_id: maybe(text),
  seq: maybe(number),
  type: text,
  priority: text,
  state: text,
  attempts_made: number,
  next_attempt_at: maybe(text),
  created_at: text,
  delivered_at: maybe(text),
  delay_reason: maybe(text),
  attempts: list(
    object({
      attempt: number,
      trigger: text,
      started_at: text,
      duration_ms: number,
      status_code: maybe(number),
      error_class: maybe(text),
      response_body: maybe(text),
      level: number,
    }),
  ),
});
export type Delivery = Read<typeof delivery>;
export type Attempt = Delivery["attempts"][number];

/** A page of GET /v1/webhooks/{id}/deliveries. */
export const deliveryPage = pageOf(delivery);

/** A recovery; a dry run answers with `matched` alone. */
export const recovery = object({
  recovery_id: text,
  state: text,
  matched: number,
  replayed: number,
});
