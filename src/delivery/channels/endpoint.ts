import type { ChannelKind } from "../../protocol/alerts.ts";
import type { RateLimit } from "../../protocol/webhook-options.ts";
import { PAGERDUTY_URL } from "../format/pagerduty.ts";
import { RESEND_URL } from "../format/resend.ts";
import { STANDARD, type Format } from "../format/target.ts";
import { TWILIO_URL } from "../format/twilio.ts";
import type { StoredRegistration } from "../registry/registration.ts";
import type { StoredChannel } from "./channel.ts";

/* The endpoint that carries a channel: how it is sent to. */

/** Where each kind is sent to unless a channel says otherwise. */
const PROVIDER_URL: Readonly<Partial<Record<ChannelKind, string>>> = {
  email: RESEND_URL,
  sms: TWILIO_URL,
  paging: PAGERDUTY_URL,
};

/**
 * Seconds before each retry at a provider: 21 hours with all jitter, within the 24 for which Resend knows a mail that it
 * was asked for before (resend.com/docs/dashboard/emails/idempotency-keys).
 */
const RETRY_SCHEDULE_S = [5, 30, 300, 1_800, 7_200, 18_000, 36_000];

/**
 * Answers after which a provider would say the same again: all of 400-451 in use but 408, 409, 410, 425 and 429. PagerDuty
 * says so itself (PagerDuty/api-schema, events-v2, Retry Logic); a 409 of Resend passes, 410 disables as everywhere.
 */
const FINAL_STATUSES = [
  400, 401, 402, 403, 404, 405, 406, 407, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423,
  424, 426, 428, 431, 451,
];

/**
 * Requests per second: two is what Resend grants a team (resend.com/docs/api-reference/rate-limit), one what Slack grants
 * a webhook (docs.slack.dev/apis/web-api/rate-limits). The others ask for patience by 429.
 */
const RATES: Readonly<Partial<Record<ChannelKind, RateLimit>>> = {
  email: { rate: 2, burst: 0 },
  chat: { rate: 1, burst: 0 },
};

/**
 * An end is never told before its beginning, however long that takes: a pager ignores the end of what it does not know,
 * and would ring later for what is over. Other alerts don't wait.
 */
const LANE = { ordering: "task", lane_policy: "block" } as const;

const TIMEOUT_S = 15;

/** The registration of the endpoint of a channel that keeps the rules (rules.ts). */
export function registrationOf(channel: StoredChannel["channel"]): StoredRegistration {
  const format = formatOf(channel);
  const rate_limit = RATES[channel.kind];
  return {
    url: channel.url ?? PROVIDER_URL[channel.kind] ?? "",
    name: channel.name,
    events: [],
    ...LANE,
    timeout: TIMEOUT_S,
    ...(format.api !== "standard" && {
      format,
      retry_policy: { schedule: RETRY_SCHEDULE_S },
      final_statuses: FINAL_STATUSES,
    }),
    ...(rate_limit !== undefined && { rate_limit }),
  };
}

/**
 * Whether a secret that was given for the one endpoint may stay with the other: a provider's goes to the address and the
 * account that it was given for, anywhere else it would leak. One that signs is never sent.
 */
export function keepsSecret(before: StoredRegistration, after: StoredRegistration): boolean {
  const [former, now] = [before.format ?? STANDARD, after.format ?? STANDARD];
  if (former.api !== now.api) return false;
  if (now.api === "standard") return true;
  return before.url === after.url && accountOf(former) === accountOf(now);
}

function accountOf(format: Format): string | null {
  return format.api === "twilio" ? format.account : null;
}

function formatOf({ kind, from = "", to, account = "" }: StoredChannel["channel"]): Format {
  switch (kind) {
    case "webhook":
      return STANDARD;
    case "email":
      return { api: "resend", from, to };
    case "sms":
      return { api: "twilio", account, from, to };
    case "paging":
      return { api: "pagerduty" };
    case "chat":
      return { api: "slack" };
  }
}
