import * as z from "zod";

/* How an endpoint wants to be served: the options of a registration that shape delivery. */

/** Seven days, the longest wait between two retries (facts/webhooks.md §6.5). */
export const LONGEST_RETRY_WAIT_S = 604_800;

const scheduleSchema = z.strictObject({
  schedule: z
    .array(z.int().min(1).max(LONGEST_RETRY_WAIT_S))
    .max(20)
    .meta({ description: "Seconds before each retry; the first attempt is at once." }),
});

const exponentialSchema = z.strictObject({
  base: z
    .int()
    .min(1)
    .max(LONGEST_RETRY_WAIT_S)
    .meta({ description: "Seconds before the first retry" }),
  multiplier: z.number().min(1).max(10),
  cap: z.int().min(1).max(LONGEST_RETRY_WAIT_S).meta({ description: "Longest wait in seconds" }),
  max_retries: z.int().min(0).max(20),
});

export const webhookRetryPolicySchema = z
  .union([scheduleSchema, exponentialSchema])
  .meta({ id: "WebhookRetryPolicy", title: "When a failed delivery is tried again" });
export type WebhookRetryPolicy = z.infer<typeof webhookRetryPolicySchema>;

export const orderingSchema = z.enum(["task", "endpoint", "none"]);
/** What keeps deliveries in order with each other: their task, the endpoint, or nothing. */
export type Ordering = z.infer<typeof orderingSchema>;

/** What a failed delivery does to those behind it in its lane (facts/webhooks.md §6.3). */
export const lanePolicySchema = z
  .union([
    z.enum(["block", "skip"]),
    z.strictObject({
      block_for: z
        .int()
        .min(1)
        .max(LONGEST_RETRY_WAIT_S)
        .meta({ description: "Seconds from its first failure until the others go on" }),
    }),
  ])
  .meta({
    id: "LanePolicy",
    title: "Whether those behind a failed delivery wait for it",
    description: "What goes on without it leaves a gap that prev_seq shows; it comes late itself.",
  });
export type LanePolicy = z.infer<typeof lanePolicySchema>;

export const rateLimitSchema = z.strictObject({
  rate: z.number().min(0.01).max(10_000).meta({ description: "Requests per second" }),
  burst: z
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .meta({ description: "Requests that may come on top of the rate in one second" }),
});
export type RateLimit = z.infer<typeof rateLimitSchema>;

export const batchingSchema = z.strictObject({
  max_items: z.int().min(1).max(100),
  max_wait_ms: z
    .int()
    .min(0)
    .max(60_000)
    .optional()
    .meta({ description: "How long the first one may wait for others; 1,000 when absent" }),
  max_bytes: z.int().min(1_024).max(1_048_576).optional().meta({
    description: "Bytes of one request's body; 262,144 when absent. One item may be larger.",
  }),
  adaptive: z
    .boolean()
    .optional()
    .meta({ description: "Wait only as long as the receiver's latency and the backlog justify." }),
});
export type Batching = z.infer<typeof batchingSchema>;

const shareSchema = z.number().gt(0).max(1);

/** Thresholds of the breaker; what is absent keeps its default (facts/webhooks.md §6.6). */
export const breakerOptionsSchema = z
  .strictObject({
    enabled: z.boolean().optional().meta({ description: "false leaves the level at 0" }),
    min_results: z.int().min(1).max(1_000).optional(),
    degraded_share: shareSchema.optional(),
    restricted_share: shareSchema.optional(),
    open_share: shareSchema.optional(),
    open_after: z
      .int()
      .min(1)
      .max(1_000)
      .optional()
      .meta({ description: "Failures in a row that open it" }),
    slow_ms: z
      .int()
      .min(1)
      .max(30_000)
      .optional()
      .meta({ description: "A 95th percentile above this many milliseconds degrades" }),
    probe_s: z.int().min(1).max(900).optional().meta({ description: "Seconds to the first probe" }),
    disable_after_s: z
      .int()
      .min(60)
      .max(2_592_000)
      .optional()
      .meta({ description: "Seconds of failure alone after which the endpoint is disabled" }),
  })
  .meta({ id: "BreakerOptions", title: "When a sick endpoint gets less" });
export type BreakerOptions = z.infer<typeof breakerOptionsSchema>;

/** Objects that share a hot endpoint's lanes (facts/webhooks.md §6.4). */
export const shardsSchema = z.literal([1, 2, 4, 8, 16]);
