import * as z from "zod";

import { systemAlertSchema, type SystemAlert } from "../../protocol/webhook-operations.ts";
import type { EndpointConfig } from "../endpoint-config.ts";

/** What happened to an alert. PagerDuty has a word for each (pagerduty.ts). */
export const alertChangeSchema = z.enum(["fired", "resolved", "acknowledged"]);
export type AlertChange = z.infer<typeof alertChangeSchema>;

/** What an alert's evidence says of its telling; news that no rule made, such as a test, says none of it. */
export const tellingFactsSchema = z.object({
  change: alertChangeSchema.catch("fired"),
  rule_id: z.string().nullable().catch(null),
  subject: z.string().nullable().catch(null),
  /** Whom this very message is for, where each recipient gets one of its own. */
  recipient: z.string().nullable().catch(null),
});

/** An alert as a provider is to be told of it. */
export interface AlertMessage {
  alert: SystemAlert;
  facts: z.infer<typeof tellingFactsSchema>;
  /** RFC 3339 instant at which it happened. */
  at: string;
}

/** What a provider's request is made of. */
export interface FormatInput {
  message: AlertMessage;
  /** The same for every attempt at the same delivery, and for no other one. */
  message_id: string;
  config: Pick<EndpointConfig, "tenant" | "url">;
  /** The channel's secret in clear. */
  secret: string;
}

/** A provider's request. Header values are free of line breaks. */
export interface ProviderRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** What no record of the answer may repeat, beside the credentials among the headers. */
  hidden: readonly string[];
}

const storedSchema = z.object({
  timestamp: z.string(),
  data: z.object({ notification: systemAlertSchema }),
});

/** What is told when what was stored can't be read as an alert: that there is one, and where it can be read. */
function unreadable(message_id: string): AlertMessage {
  return {
    alert: {
      alert_id: message_id.replaceAll(/[^A-Za-z0-9_-]/g, "-").slice(-200),
      severity: "error",
      title: "An alert that could not be shown",
      detail: `See the delivery ${message_id.replace("msg_", "dlv_")} of this channel.`,
      evidence: {},
    },
    facts: tellingFactsSchema.parse({}),
    at: new Date(0).toISOString(),
  };
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Whatever it is, it is no alert: the caller says so in its place.
    return null;
  }
}

/** The alert in the body of a stored notification. Never throws: an attempt that throws would keep all others back. */
export function messageOf(body: string, message_id: string): AlertMessage {
  const stored = storedSchema.safeParse(jsonOf(body));
  if (!stored.success) return unreadable(message_id);
  const { notification } = stored.data.data;
  return {
    alert: notification,
    facts: tellingFactsSchema.parse(notification.evidence),
    at: stored.data.timestamp,
  };
}
