import type { Priority } from "../protocol/enums.ts";
import { systemAlertSchema, type SystemAlert } from "../protocol/webhook-operations.ts";
import type { EnqueueItem } from "./endpoint-config.ts";
import { addItem, handOver, type Batches, type HandOverPorts } from "./hand-over.ts";
import { outboundOf } from "./outbound-check.ts";
import { shownFacets, type Facet } from "./registry/facets.ts";
import { factsOf } from "./registry/filters.ts";
import { isRouted, type Subscriber } from "./registry/routing.ts";

/** What alerts need. */
export interface AlertPorts extends HandOverPorts {
  registry: HandOverPorts["registry"] & {
    /** Who may want what shows one of these facets. */
    subscribers(tenant: string, asked: readonly Facet[]): Promise<Subscriber[]>;
  };
}

/** An alert that is to be told to a tenant. */
export interface AlertNews {
  tenant: string;
  alert: SystemAlert;
  /** RFC 3339 instant. */
  at: string;
  /** Endpoints that are not told, such as the one that the alert is about. */
  except: readonly string[];
}

const PRIORITY_OF_SEVERITY: Readonly<Record<SystemAlert["severity"], Priority>> = {
  info: "normal",
  warning: "normal",
  error: "high",
  critical: "critical",
};

/** How urgent an alert's deliveries are. */
export function priorityOfSeverity(severity: SystemAlert["severity"]): Priority {
  return PRIORITY_OF_SEVERITY[severity];
}

/** An alert has no task, executor or tags to filter by. */
const NOBODY = { task_type: null, priority: null, agent_id: null, tags: [] };

/**
 * Tells every endpoint of a tenant that wants it of an alert. Safe to repeat: an endpoint stores each `alert_id`
 * once.
 *
 * @throws ZodError for an `alert_id` that can't be part of a delivery's id
 * @throws AggregateError when an endpoint could not be reached, after all others have got theirs: repeat all of it
 */
export async function publishAlert(ports: AlertPorts, news: AlertNews): Promise<void> {
  const { tenant, alert, at, except } = news;
  const event_id = systemAlertSchema.shape.alert_id.parse(alert.alert_id);
  const { notification, faults } = outboundOf("system_alert", {
    event_id,
    at,
    data: { ...alert },
    source: null,
  });
  if (faults.length > 0) {
    // Of an alert there is no alert: it would be broken too.
    const pointers = faults.map(({ pointer }) => pointer).join(" ");
    ports.log("error", "notification_invalid", { event_id, pointers });
  }
  const item: EnqueueItem = {
    task_id: null,
    seq: null,
    event_id,
    type: "system_alert",
    priority: priorityOfSeverity(alert.severity),
    at,
    correlation_id: "",
    notification: JSON.stringify(notification),
  };
  const facts = factsOf("system_alert", NOBODY, notification);
  const batches: Batches = new Map();
  for (const subscriber of await ports.registry.subscribers(tenant, shownFacets(facts))) {
    const isMeant = !except.includes(subscriber.webhook_id) && isRouted(subscriber, facts, at);
    if (isMeant) addItem(batches, subscriber, item);
  }
  await handOver(ports, tenant, batches);
}
