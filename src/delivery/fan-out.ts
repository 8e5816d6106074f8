import type { Log } from "../lib/log.ts";
import {
  notificationTypeSchema,
  type NotificationType,
  type Priority,
  type TaskType,
} from "../protocol/enums.ts";
import type { TaskEvent } from "../protocol/task-view.ts";
import type { Withheld } from "../protocol/validation-record.ts";
import { deliveryPriority } from "./delivery-priority.ts";
import type { EndpointConfig, EnqueueItem } from "./endpoint-config.ts";
import { addItem, handOver, type Batches, type HandOverPorts } from "./hand-over.ts";
import { outboundOf, type Outbound } from "./outbound-check.ts";
import { distinctFacets, shownFacets, type Facet } from "./registry/facets.ts";
import { factsOf, type FilterFacts } from "./registry/filters.ts";
import { isRouted, type Subscriber } from "./registry/routing.ts";

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

/** What fan-out is given. */
export interface FanOutPorts extends HandOverPorts {
  registry: HandOverPorts["registry"] & {
    /** Who may want what shows one of these facets. */
    subscribers(tenant: string, asked: readonly Facet[]): Promise<Subscriber[]>;
    /** The versions of those webhooks that exist, by id. */
    versions(tenant: string, webhook_ids: readonly string[]): Promise<Map<string, number>>;
    /** The configuration of the endpoint that a callback URL stands for. */
    callbackConfig(tenant: string, url: string): Promise<EndpointConfig>;
  };
  /** Tells of a notification that was replaced because it broke its schema. Never fails. */
  tellWithheld: (withheld: Withheld) => Promise<void>;
}

/**
 * Hands the notifications among these events to every endpoint that is to get them. Safe to repeat: an endpoint
 * stores each once.
 *
 * @throws AggregateError when an endpoint could not be reached, after all others have got theirs: repeat all of it
 */
export async function publish(ports: FanOutPorts, publication: Publication): Promise<void> {
  const news = publication.events.flatMap((event) => newsOf(event, publication.task, ports.log));
  if (news.length === 0) return;
  await handOver(ports, publication.tenant, await batchesOf(ports, publication, news));
  for (const { item, faults } of news) {
    if (faults.length === 0) continue;
    const route = `webhook:${item.type}`;
    // One after the other: what is wrong with one is wrong with all of its type, and told once.
    // oxlint-disable-next-line no-await-in-loop
    await ports.tellWithheld({ tenant: publication.tenant, route, places: faults });
  }
}

interface News {
  item: EnqueueItem;
  facts: FilterFacts;
  faults: Outbound["faults"];
}

function newsOf(event: TaskEvent, task: TaskFacts, log: Log): News[] {
  const type = notificationTypeSchema.safeParse(event.type);
  if (!type.success) return [];
  const { event_id, at, data, seq } = event;
  const source = { task_id: task.task_id, seq };
  const { notification, faults } = outboundOf(type.data, { event_id, at, data, source });
  if (faults.length > 0) {
    log("error", "notification_invalid", {
      task_id: task.task_id,
      event_id: event.event_id,
      pointers: faults.map(({ pointer }) => pointer).join(" "),
    });
  }
  return [
    {
      faults,
      facts: factsOf(type.data, aroundOf(event, task), notification),
      item: {
        task_id: task.task_id,
        seq: event.seq,
        event_id: event.event_id,
        type: type.data,
        priority: deliveryPriority(task.priority, { type: type.data, data }),
        at: event.at,
        correlation_id: event.correlation_id,
        notification: JSON.stringify(notification),
      },
    },
  ];
}

function aroundOf(event: TaskEvent, { task_type, priority, agent_id, tags }: TaskFacts) {
  const own = event.data["agent_id"];
  // The event knows best whose it is: a later attempt may have another executor.
  return { task_type, priority, agent_id: typeof own === "string" ? own : agent_id, tags };
}

/** What the news show, each facet once. */
function facetsOf(news: readonly News[]): Facet[] {
  return distinctFacets(news.flatMap(({ facts }) => shownFacets(facts)));
}

async function batchesOf(
  ports: FanOutPorts,
  { tenant, task }: Publication,
  news: readonly News[],
): Promise<Batches> {
  const types = [...new Set(news.map(({ item }) => item.type))];
  const [subscribers, versions, callback] = await Promise.all([
    ports.registry.subscribers(tenant, facetsOf(news)),
    stakeholdersOf(ports, tenant, task, types),
    task.callback_url === null ? null : ports.registry.callbackConfig(tenant, task.callback_url),
  ]);
  const batches: Batches = new Map();
  for (const { item, facts } of news) {
    for (const subscriber of subscribers) {
      const isMeant = subscriber.type === item.type && isRouted(subscriber, facts, item.at);
      if (isMeant) addItem(batches, subscriber, item);
    }
    if (item.type !== "agent_end_task") continue;
    for (const [webhook_id, version] of versions) addItem(batches, { webhook_id, version }, item);
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
