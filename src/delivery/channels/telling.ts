import { derivedId } from "../../lib/ports.ts";
import type { AlertView, ChannelKind } from "../../protocol/alerts.ts";
import type { SystemAlert } from "../../protocol/webhook-operations.ts";
import { priorityOfSeverity } from "../alert.ts";
import type { EnqueueItem } from "../endpoint-config.ts";
import { tellingFactsSchema, type AlertChange } from "../format/message.ts";
import { cut } from "../format/text.ts";
import { addItem, handOver, missedBy, type Batches, type HandOverPorts } from "../hand-over.ts";
import { outboundOf } from "../outbound-check.ts";
import type { LiveChannel } from "./channel.ts";

/** What telling channels needs. */
export interface TellingPorts extends HandOverPorts {
  /** All channels of a tenant. */
  channels(tenant: string): Promise<LiveChannel[]>;
  /** Whether a channel is to be told of it. */
  isRouted(live: LiveChannel, alert: AlertView, change: AlertChange): boolean;
}

/** Something that happened to an alert. */
export interface Told {
  tenant: string;
  alert: AlertView;
  change: AlertChange;
}

/** Ids of channels. */
interface Reached {
  told: readonly string[];
  missed: readonly string[];
}

/** Characters of the notification's fields (protocol/webhook-operations.ts). */
const LONGEST_TITLE = 200;
const LONGEST_DETAIL = 10_000;

/** An id of news without a task has 200 characters at most (endpoint-config.ts): the rest is for what follows. */
const LONGEST_ALERT_ID = 150;

/**
 * Hands a change of an alert to each channel that it is routed to: one delivery for each, and of an SMS one for each
 * number. Safe to repeat: an endpoint stores each once.
 *
 * @returns the ids of the channels that have it, and of those whose endpoints could not be reached: tell them again
 */
export async function tellRouted(ports: TellingPorts, told: Told): Promise<Reached> {
  const { tenant, alert, change } = told;
  const channels = await ports.channels(tenant);
  const routed = channels.filter((live) => ports.isRouted(live, alert, change));
  const batches: Batches = new Map();
  for (const { webhook_id, version, channel } of routed) {
    const recipients = channel.kind === "sms" ? [...new Set(channel.to)] : [null];
    for (const recipient of recipients) {
      // One after the other: there are twenty at most.
      // oxlint-disable-next-line no-await-in-loop
      const item = await itemOf(ports, told, { recipient, kind: channel.kind });
      addItem(batches, { webhook_id, version }, item);
    }
  }
  const lost = await missedBy(handOver(ports, tenant, batches));
  const idsOf = (isLost: boolean) =>
    routed.flatMap(({ channel_id, webhook_id }) =>
      lost.includes(webhook_id) === isLost ? [channel_id] : [],
    );
  return { told: idsOf(false), missed: idsOf(true) };
}

/** Whom one delivery is for. */
interface For {
  kind: ChannelKind;
  /** The number that an SMS goes to. */
  recipient: string | null;
}

async function itemOf(
  ports: Pick<TellingPorts, "log">,
  told: Told,
  { kind, recipient }: For,
): Promise<EnqueueItem> {
  const { alert, change } = told;
  const event_id = [await nameOf(alert), change, ...(recipient?.match(/\d+/) ?? [])].join("_");
  const at = change === "resolved" ? (alert.resolved_at ?? alert.fired_at) : alert.fired_at;
  const { notification, faults } = outboundOf("system_alert", {
    event_id,
    at,
    data: kind === "webhook" ? signedNews(told) : newsOf(told, recipient),
    source: null,
  });
  if (faults.length > 0) {
    const pointers = faults.map(({ pointer }) => pointer).join(" ");
    ports.log("error", "notification_invalid", { event_id, pointers });
  }
  return {
    task_id: null,
    seq: null,
    event_id,
    type: "system_alert",
    priority: priorityOfSeverity(alert.severity),
    at,
    correlation_id: "",
    notification: JSON.stringify(notification),
  };
}

/** The notification of type system_alert: its shape is closed, so what rule it was and what happened is evidence. */
function newsOf({ alert, change }: Told, recipient: string | null): SystemAlert {
  const { alert_id, rule_id, subject, severity, title, detail, evidence } = alert;
  const { fired_at, resolved_at } = alert;
  const facts = tellingFactsSchema.parse({ change, rule_id, subject, recipient });
  return {
    alert_id,
    severity,
    title: cut(title, LONGEST_TITLE) || rule_id,
    detail: cut(detail, LONGEST_DETAIL) || title,
    evidence: { ...evidence, alert_id, ...facts, fired_at, resolved_at },
  };
}

/**
 * The same for who reads notifications: the end of an alert has an id and a title of its own there, as it has at the
 * endpoints that subscribe to system_alert. `evidence.alert_id` names the alert in both.
 */
function signedNews(told: Told): SystemAlert {
  const news = newsOf(told, null);
  if (told.change !== "resolved") return news;
  const alert_id = `${news.alert_id}_resolved`;
  return { ...news, alert_id, title: cut(`Resolved: ${news.title}`, LONGEST_TITLE) };
}

/** The same for the beginning and the end: that is how they are known to be of one alert (endpoint/story.ts). */
async function nameOf({ alert_id }: AlertView): Promise<string> {
  return alert_id.length > LONGEST_ALERT_ID ? derivedId(alert_id) : alert_id;
}
