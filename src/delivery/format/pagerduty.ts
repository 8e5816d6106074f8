import { derivedId } from "../../lib/ports.ts";
import type { AlertChange, FormatInput, ProviderRequest } from "./message.ts";
import { addressOf, cut, evidenceOf, lines, oneLine } from "./text.ts";

/** Where events go unless a channel says otherwise; the service region EU has events.eu.pagerduty.com. */
export const PAGERDUTY_URL = "https://events.pagerduty.com";

const PATH = "/v2/enqueue";

/** The actions of Events API v2 (PagerDuty/api-schema, reference/events-v2). */
const ACTIONS = {
  fired: "trigger",
  resolved: "resolve",
  acknowledged: "acknowledge",
} as const satisfies Record<AlertChange, string>;

/** Limits of the API (PagerDuty/developer-docs, events-API-v2): of a summary, and of a deduplication key. */
const LONGEST_SUMMARY = 1_024;
const LONGEST_KEY = 255;

/** Well within an event's 512 KB. */
const LONGEST_DETAIL = 4_000;

/**
 * `POST /v2/enqueue` of PagerDuty's Events API v2: the routing key stands in the body, an alert is one incident by its
 * `dedup_key`, and its end resolves that. The severities are the same four words there as here.
 */
export async function pagerdutyRequest({
  message,
  config,
  secret,
}: FormatInput): Promise<ProviderRequest> {
  const { alert, facts, at } = message;
  const name = `${config.tenant}/${alert.alert_id}`;
  const body = {
    routing_key: secret,
    event_action: ACTIONS[facts.change],
    dedup_key: name.length > LONGEST_KEY ? await derivedId(name) : name,
    client: "Batuta",
    payload: {
      // A title of controls alone would leave nothing, and a summary is required.
      summary: cut(oneLine(alert.title) || alert.alert_id, LONGEST_SUMMARY),
      source: cut(oneLine(facts.subject ?? "") || `batuta/${config.tenant}`, LONGEST_KEY),
      severity: alert.severity,
      timestamp: at,
      ...(facts.rule_id !== null && { class: cut(oneLine(facts.rule_id), LONGEST_KEY) }),
      custom_details: {
        detail: cut(lines(alert.detail), LONGEST_DETAIL),
        ...Object.fromEntries(evidenceOf(message)),
      },
    },
  };
  return {
    url: addressOf(config.url, PATH),
    headers: { "user-agent": "Batuta", "content-type": "application/json" },
    body: JSON.stringify(body),
    hidden: [secret],
  };
}
