import * as z from "zod";

import { checkRule } from "./alert-rule-check.ts";
import { severitySchema, taskTypeSchema } from "./enums.ts";
import {
  agentIdSchema,
  instantSchema,
  jsonObjectSchema,
  schemaVersionSchema,
} from "./primitives.ts";
import { cursorSchema, wholeNumber } from "./queries.ts";

/* Rules that watch figures, what they have found, whom it is told to, and when it is not. */

/** Ids that people choose: of rules and channels. */
export const alertNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,99}$/,
    "must be 1-100 characters of a-z 0-9 _ - and begin with a letter or digit",
  );

/** What a rule looks at, over its window. */
export const alertMetricSchema = z
  .enum([
    "task_failure_rate",
    "task_duration_p95_s",
    "task_duration_mean_s",
    "tasks_created",
    "tasks_ended",
    "cost_usd",
    "tokens",
    "quality_mean",
    "escalations",
    "delivery_failure_rate",
    "delivery_latency_p95_s",
    "delivery_oldest_age_s",
    "http_error_rate",
    "http_latency_p95_s",
    "agents_online",
    "slots_free",
    "escalations_open",
    "cleanup_debts_open",
    "slo_burn_rate",
  ])
  .meta({
    description:
      "Rates and quality_mean are 0-1. Those without a window of their own (agents_online, slots_free, delivery_oldest_age_s and the open counts) are what holds at the moment of judging.",
  });
export type AlertMetric = z.infer<typeof alertMetricSchema>;

const ruleFields = {
  schema_version: schemaVersionSchema,
  title: z.string().min(1).max(200),
  metric: alertMetricSchema,
  task_type: taskTypeSchema.optional(),
  agent_id: agentIdSchema.optional(),
  slo_id: alertNameSchema
    .optional()
    .meta({ description: "Of which objective, for slo_burn_rate." }),
  window_s: z.int().min(60).max(86_400).default(300),
  comparison: z.enum(["above", "below", "anomaly"]).meta({
    description:
      "anomaly: the distance from the usual at this hour of the week, in robust z-scores, in either direction; for figures of tasks.",
  }),
  threshold: z.number().meta({ description: "For anomaly the z-score, e.g. 4." }),
  clear_threshold: z.number().optional().meta({
    description:
      "Where it is well again (hysteresis): not above, or below, this; the threshold when absent.",
  }),
  for_s: z
    .int()
    .min(0)
    .max(86_400)
    .default(120)
    .meta({ description: "How long it must hold before the alert fires." }),
  resolve_after_s: z
    .int()
    .min(0)
    .max(86_400)
    .default(300)
    .meta({ description: "How long it must be well before the alert resolves." }),
  min_samples: z.int().min(0).max(1_000_000).default(10).meta({
    description:
      "Fewer observations in the window say nothing: neither bad nor well. For shares, means and percentiles; a count says all by itself. For an anomaly of cost_usd or tokens: tasks that ended in the window, or usually do.",
  }),
  severity: severitySchema.default("warning"),
  is_enabled: z.boolean().default(true),
};

/** An alert rule as PUT. */
export const alertRuleRequestSchema = z
  .strictObject(ruleFields)
  .superRefine(checkRule)
  .meta({ id: "AlertRuleRequest", title: "A rule that watches a figure" });
export type AlertRuleRequest = z.infer<z.ZodObject<typeof ruleFields>>;

export const alertRuleSchema = z
  .strictObject({
    ...ruleFields,
    schema_version: z.string(),
    rule_id: alertNameSchema,
    source: z
      .enum(["default", "tenant"])
      .meta({ description: "default: comes with Batuta, until a PUT under its id replaces it." }),
    updated_at: instantSchema.nullable(),
  })
  .meta({ id: "AlertRule", title: "A rule that watches a figure, as kept" });
export type AlertRule = z.infer<typeof alertRuleSchema>;

const alertStateSchema = z.enum(["firing", "resolved"]);

/** One alert: a rule that held for long enough, until it was well again. */
export const alertViewSchema = z
  .strictObject({
    alert_id: z.string().regex(/^[A-Za-z0-9_-]{1,200}$/),
    rule_id: z.string(),
    severity: severitySchema,
    state: alertStateSchema,
    title: z.string(),
    detail: z.string(),
    evidence: jsonObjectSchema.meta({
      description: "The numbers: value, threshold, samples, baseline, window.",
    }),
    subject: z.string().meta({
      description:
        "What it is about, e.g. a task type, an agent, a webhook; the rule's own when it is about all.",
    }),
    pending_since: instantSchema.meta({ description: "Since when the rule holds." }),
    fired_at: instantSchema,
    resolved_at: instantSchema.nullable(),
    acknowledged_at: instantSchema.nullable(),
    acknowledged_by: z.string().nullable().meta({ description: "Id of the key." }),
    note: z.string().nullable(),
    silenced_by: z
      .string()
      .nullable()
      .meta({ description: "The silence for which nobody was told." }),
    told: z.array(alertNameSchema).meta({ description: "The channels that it was handed to." }),
  })
  .meta({ id: "Alert", title: "A rule that held for long enough" });
export type AlertView = z.infer<typeof alertViewSchema>;

export const alertsQuerySchema = z.strictObject({
  state: alertStateSchema.optional(),
  severity: severitySchema.optional(),
  cursor: cursorSchema.optional(),
  limit: wholeNumber(1, 200).default(50),
});
export type AlertsQuery = z.infer<typeof alertsQuerySchema>;

export const acknowledgementSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    note: z.string().min(1).max(2_000).optional(),
  })
  .meta({ id: "Acknowledgement", title: "Somebody looks after an alert" });

/** Nobody is told of what a silence matches; alerts themselves go on. */
export const silenceRequestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    rule_id: alertNameSchema.optional().meta({ description: "All rules when absent." }),
    max_severity: severitySchema
      .default("critical")
      .meta({ description: "Graver alerts are told nevertheless." }),
    duration_s: z.int().min(60).max(2_592_000),
    reason: z.string().min(1).max(500),
  })
  .meta({ id: "SilenceRequest", title: "For how long nobody is to be told, and why" });
export type SilenceRequest = z.infer<typeof silenceRequestSchema>;

export const silenceSchema = z
  .strictObject({
    silence_id: z.string(),
    rule_id: alertNameSchema.nullable(),
    max_severity: severitySchema,
    reason: z.string(),
    created_at: instantSchema,
    created_by: z.string(),
    ends_at: instantSchema,
  })
  .meta({ id: "Silence", title: "What nobody is told of, and until when" });
export type Silence = z.infer<typeof silenceSchema>;

/** How a message looks: each kind is what its provider's API takes (facts in src/delivery/format/). */
export const channelKindSchema = z.enum(["webhook", "email", "sms", "paging", "chat"]);
export type ChannelKind = z.infer<typeof channelKindSchema>;

const channelFields = {
  schema_version: schemaVersionSchema,
  name: z.string().min(1).max(200),
  kind: channelKindSchema.meta({
    description:
      "webhook: a signed Standard Webhook; email: Resend; sms: Twilio; paging: PagerDuty Events v2; chat: a Slack incoming webhook.",
  }),
  url: z.string().min(1).max(2_000).optional().meta({
    description:
      "Required for webhook and chat; a chat's is its credential and shown up to its host. Of the others the base of the provider's API, such as https://events.eu.pagerduty.com; the usual one when absent.",
  }),
  to: z.array(z.string().min(1).max(320)).max(20).default([]).meta({
    description:
      "Addresses of email, numbers of sms (E.164); each number gets a message of its own.",
  }),
  from: z.string().min(1).max(320).optional().meta({ description: "Sender of email and sms." }),
  account: z.string().min(1).max(200).optional().meta({ description: "Twilio's account SID." }),
  severities: z
    .array(severitySchema)
    .min(1)
    .default(["error", "critical"])
    .meta({ description: "Which alerts go to it: the routing." }),
  rule_ids: z
    .array(alertNameSchema)
    .max(100)
    .optional()
    .meta({ description: "Of these rules only; all when absent." }),
  is_enabled: z.boolean().default(true),
  tells_resolved: z.boolean().default(true),
};

export const channelRequestSchema = z
  .strictObject({
    ...channelFields,
    secret: z.string().min(1).max(1_000).optional().meta({
      description:
        "API key (email), auth token (sms), routing key (paging) or whsec_ secret (webhook); kept sealed, never shown. Left out, the stored one stays while kind, url and account do.",
    }),
  })
  .meta({ id: "AlertChannelRequest", title: "Where alerts go" });
export type ChannelRequest = z.infer<typeof channelRequestSchema>;

export const channelViewSchema = z
  .strictObject({
    ...channelFields,
    schema_version: z.string(),
    channel_id: alertNameSchema,
    has_secret: z.boolean(),
    webhook_id: z.string().meta({
      description:
        "The endpoint that carries it: its deliveries, breaker and retries are those of /v1/webhooks.",
    }),
    updated_at: instantSchema,
  })
  .meta({ id: "AlertChannel", title: "Where alerts go, as kept" });
export type ChannelView = z.infer<typeof channelViewSchema>;
