import { severitySchema, type NotificationType } from "../../protocol/enums.ts";
import type { WebhookEvent, WebhookFilters } from "../../protocol/webhook.ts";
import type { FilterFacts } from "./filters.ts";
import { subscribedTypes, TASK_NEWS } from "./subscriptions.ts";

/** A key of the index by which the endpoints for a notification are found. */
export interface Facet {
  type: NotificationType;
  /** `*`, which every notification shows, or what it must show, e.g. `agent:x`. */
  facet: string;
}

/** What a registration says of what it wants. */
export interface Wishes {
  events: readonly WebhookEvent[];
  filters?: WebhookFilters | undefined;
}

/** The same text for the same facet of the same type, and for no other. */
export const facetKey = ({ type, facet }: Facet): string => `${type} ${facet}`;

/** Each facet once. */
export function distinctFacets(facets: readonly Facet[]): Facet[] {
  return [...new Map(facets.map((each) => [facetKey(each), each])).values()];
}

const ANY = "*";

/**
 * Under which keys an endpoint is found: for each of its types the values of its most selective filter, or `*`.
 *
 * A key finds at least who wants the notification, and spares the others a look; the filters decide. Agents come
 * first, because fewest tasks share one; then tags, task types and priorities.
 */
export function wantedFacets({ events, filters = {} }: Wishes): Facet[] {
  return subscribedTypes(events).flatMap((type) =>
    [...new Set(facetsOfType(type, events, filters))].map((facet) => ({ type, facet })),
  );
}

function facetsOfType(
  type: NotificationType,
  events: readonly WebhookEvent[],
  filters: WebhookFilters,
): string[] {
  const ofAgents = filters.agent_ids?.map(agentFacet);
  const ofTask = taskFacets(filters);
  if (TASK_NEWS.includes(type)) return ofAgents ?? ofTask ?? [ANY];
  // What has no task meets no filter that asks about one.
  if (ofTask !== undefined) return [];
  if (type === "agent_status") return ofAgents ?? [ANY];
  return ofAgents === undefined ? alertFacets(events) : [];
}

function taskFacets({ tags, task_types, priorities }: WebhookFilters): string[] | undefined {
  return tags?.map(tagFacet) ?? task_types?.map(taskTypeFacet) ?? priorities?.map(priorityFacet);
}

/** error_event alone means alerts of error and critical; the others mean all of them (protocol.md §7, Webhooks). */
function alertFacets(events: readonly WebhookEvent[]): string[] {
  const isAll = subscribedTypes(events.filter((event) => event !== "error_event")).includes(
    "system_alert",
  );
  return isAll ? [ANY] : ["error", "critical"].map(severityFacet);
}

/** Every key under which an endpoint that wants this notification may be found. */
export function shownFacets(facts: FilterFacts): Facet[] {
  const { type, agent_id, tags, task_type, priority, notification } = facts;
  const severity = severitySchema.safeParse(notification["severity"]);
  const shown = [
    ANY,
    ...(agent_id === null ? [] : [agentFacet(agent_id)]),
    ...tags.map(tagFacet),
    ...(task_type === null ? [] : [taskTypeFacet(task_type)]),
    ...(priority === null ? [] : [priorityFacet(priority)]),
    ...(type === "system_alert" && severity.success ? [severityFacet(severity.data)] : []),
  ];
  return [...new Set(shown)].map((facet) => ({ type, facet }));
}

const agentFacet = (agent_id: string): string => `agent:${agent_id}`;
const tagFacet = (tag: string): string => `tag:${tag}`;
const taskTypeFacet = (task_type: string): string => `task_type:${task_type}`;
const priorityFacet = (priority: string): string => `priority:${priority}`;
const severityFacet = (severity: string): string => `severity:${severity}`;
