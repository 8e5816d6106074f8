import type { NotificationType, Priority, TaskType } from "../../protocol/enums.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { WebhookFilters } from "../../protocol/webhook.ts";
import { matches } from "./match.ts";
import { TASK_NEWS } from "./subscriptions.ts";

/** What filters look at. What belongs to a task is null or empty for news without one. */
export interface FilterFacts {
  type: NotificationType;
  task_type: TaskType | null;
  priority: Priority | null;
  agent_id: string | null;
  tags: readonly string[];
  /** What is sent as `data.notification`. */
  notification: JsonObject;
}

/** What is known of a notification's task and executor, whether or not its type has them. */
export type Surroundings = Omit<FilterFacts, "type" | "notification">;

/** What filters may see of a notification: an alert has neither task nor executor, an executor's state no task. */
export function factsOf(
  type: NotificationType,
  around: Surroundings,
  notification: JsonObject,
): FilterFacts {
  const agent_id = type === "system_alert" ? null : around.agent_id;
  return TASK_NEWS.includes(type)
    ? { ...around, agent_id, type, notification }
    : { task_type: null, priority: null, tags: [], agent_id, type, notification };
}

export type FilterName = keyof WebhookFilters;

/** The filters that do not let a notification pass: every given one must hold. */
export function refusingFilters(filters: WebhookFilters | null, facts: FilterFacts): FilterName[] {
  const { task_type, priority, agent_id, tags } = facts;
  const match = filters?.match;
  const isRefusing: Record<FilterName, boolean> = {
    task_types: !holdsAny(filters?.task_types, task_type === null ? [] : [task_type]),
    priorities: !holdsAny(filters?.priorities, priority === null ? [] : [priority]),
    agent_ids: !holdsAny(filters?.agent_ids, agent_id === null ? [] : [agent_id]),
    tags: !holdsAny(filters?.tags, tags),
    match: match !== undefined && !matches(match, facts.notification),
  };
  return FILTER_NAMES.filter((name) => isRefusing[name]);
}

const FILTER_NAMES = ["task_types", "priorities", "agent_ids", "tags", "match"] as const;

/** Whether an endpoint with these filters wants such a notification. */
export function isWanted(filters: WebhookFilters | null, facts: FilterFacts): boolean {
  return refusingFilters(filters, facts).length === 0;
}

function holdsAny(wanted: readonly string[] | undefined, given: readonly string[]): boolean {
  return wanted === undefined || given.some((value) => wanted.includes(value));
}
