import type { Log } from "../lib/log.ts";
import {
  notificationTypeSchema,
  type NotificationType,
  type Priority,
  type TaskType,
} from "../protocol/enums.ts";
import type { TaskEvent } from "../protocol/task-view.ts";
import { deliveryPriority } from "./delivery-priority.ts";
import type {
  EndpointConfig,
  EndpointInbox,
  EnqueueBatch,
  EnqueueItem,
} from "./endpoint-config.ts";
import { outboundOf } from "./outbound-check.ts";
import { isWanted } from "./registry/filters.ts";
import type { Subscriber } from "./registry/subscriptions.ts";

/** What fan-out has to know of a task. */
interface TaskFacts {
  task_id: string;
  task_type: TaskType;
  priority: Priority;
  agent_id: string | null;
  tags: readonly string[];
  /** Webhooks that get the final notification whatever their filters say. */
  stakeholders: readonly string[];
  callback_url: string | null;
}

/** News of one task, in order of seq. */
export interface Publication {
  tenant: string;
  task: TaskFacts;
  events: readonly TaskEvent[];
}

/** What fan-out asks of the registry of webhooks. */
interface Registry {
  /** Who wants these types. */
  subscribers(tenant: string, types: readonly NotificationType[]): Promise<Subscriber[]>;
  /** The versions of those webhooks that exist, by id. */
  versions(tenant: string, webhook_ids: readonly string[]): Promise<Map<string, number>>;
  /** The configuration of a webhook; null when it was deleted. */
  configOf(tenant: string, webhook_id: string): Promise<EndpointConfig | null>;
  /** The configuration of the endpoint that a callback URL stands for. */
  callbackConfig(tenant: string, url: string): Promise<EndpointConfig>;
}

/** What fan-out is given. */
export interface FanOutPorts {
  registry: Registry;
  endpoint: (tenant: string, webhook_id: string) => EndpointInbox;
  log: Log;
}

type Batches = Map<string, EnqueueBatch>;

/**
 * Hands the notifications among these events to every endpoint that is to get them. Safe to repeat: an endpoint
 * stores each once.
 *
 * @throws AggregateError when an endpoint could not be reached, after all others have got theirs: repeat all of it
 */
export async function publish(ports: FanOutPorts, publication: Publication): Promise<void> {
  const news = publication.events.flatMap((event) => newsOf(event, publication.task, ports.log));
  if (news.length === 0) return;
  const batches = await batchesOf(ports, publication, news);
  const outcomes = await Promise.allSettled(
    [...batches].map(([webhook_id, batch]) => hand(ports, publication.tenant, webhook_id, batch)),
  );
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason] : [],
  );
  if (failures.length === 0) return;
  throw new AggregateError(failures, `${failures.length} of ${batches.size} endpoints not reached`);
}

interface News {
  item: EnqueueItem;
  agent_id: string | null;
}

function newsOf(event: TaskEvent, task: TaskFacts, log: Log): News[] {
  const type = notificationTypeSchema.safeParse(event.type);
  if (!type.success) return [];
  const { agent_id } = event.data;
  const { notification, faults } = outboundOf(type.data, event, task.task_id);
  if (faults.length > 0) {
    log("error", "notification_invalid", {
      task_id: task.task_id,
      event_id: event.event_id,
      pointers: faults.join(" "),
    });
  }
  return [
    {
      // The event knows best whose it is: a later attempt may have another executor.
      agent_id: typeof agent_id === "string" ? agent_id : task.agent_id,
      item: {
        task_id: task.task_id,
        seq: event.seq,
        event_id: event.event_id,
        type: type.data,
        priority: deliveryPriority(task.priority, type.data),
        at: event.at,
        correlation_id: event.correlation_id,
        notification: JSON.stringify(notification),
      },
    },
  ];
}

async function batchesOf(
  ports: FanOutPorts,
  { tenant, task }: Publication,
  news: readonly News[],
): Promise<Batches> {
  const types = [...new Set(news.map(({ item }) => item.type))];
  const [subscribers, versions, callback] = await Promise.all([
    ports.registry.subscribers(tenant, types),
    stakeholdersOf(ports, tenant, task, types),
    task.callback_url === null ? null : ports.registry.callbackConfig(tenant, task.callback_url),
  ]);
  const batches: Batches = new Map();
  for (const { item, agent_id } of news) {
    const about = { ...task, agent_id };
    for (const { webhook_id, version, type, filters } of subscribers) {
      if (type === item.type && isWanted(filters, about)) add(batches, webhook_id, version, item);
    }
    if (item.type !== "agent_end_task") continue;
    for (const [webhook_id, version] of versions) add(batches, webhook_id, version, item);
  }
  if (callback !== null) {
    const items = news.map(({ item }) => item);
    const config = JSON.stringify(callback);
    batches.set(callback.webhook_id, {
      config_version: callback.version,
      callback: config,
      items,
    });
  }
  return batches;
}

async function stakeholdersOf(
  ports: FanOutPorts,
  tenant: string,
  { stakeholders }: TaskFacts,
  types: readonly NotificationType[],
): Promise<Map<string, number>> {
  const isAsked = stakeholders.length > 0 && types.includes("agent_end_task");
  return isAsked ? ports.registry.versions(tenant, stakeholders) : new Map();
}

function add(batches: Batches, webhook_id: string, version: number, item: EnqueueItem): void {
  const batch = batches.get(webhook_id) ?? { config_version: version, callback: null, items: [] };
  batches.set(webhook_id, batch);
  // A subscriber may be a stakeholder too.
  if (!batch.items.includes(item)) batch.items.push(item);
}

async function hand(
  ports: FanOutPorts,
  tenant: string,
  webhook_id: string,
  batch: EnqueueBatch,
): Promise<void> {
  const endpoint = ports.endpoint(tenant, webhook_id);
  const receipt = await endpoint.enqueue(batch);
  if (receipt.known) return;
  // The registry is ahead of the object: it was changed a moment ago, or the change did not get through.
  const config = await ports.registry.configOf(tenant, webhook_id);
  if (config === null) {
    ports.log("info", "webhook_deleted_before_delivery", { webhook_id });
    return;
  }
  await endpoint.configure(JSON.stringify(config));
  const second = await endpoint.enqueue({ ...batch, config_version: config.version });
  if (!second.known) throw new Error(`Endpoint ${webhook_id} does not take its configuration`);
}
