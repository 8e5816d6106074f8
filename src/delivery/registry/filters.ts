import type { Priority, TaskType } from "../../protocol/enums.ts";
import type { WebhookFilters } from "../../protocol/webhook.ts";

/** What filters look at. */
export interface FilterFacts {
  task_type: TaskType;
  priority: Priority;
  agent_id: string | null;
  tags: readonly string[];
}

/** Whether an endpoint with these filters wants news of such a task: every given filter must hold. */
export function isWanted(filters: WebhookFilters | null, facts: FilterFacts): boolean {
  return (
    holdsAny(filters?.task_types, [facts.task_type]) &&
    holdsAny(filters?.priorities, [facts.priority]) &&
    holdsAny(filters?.agent_ids, facts.agent_id === null ? [] : [facts.agent_id]) &&
    holdsAny(filters?.tags, facts.tags)
  );
}

function holdsAny(wanted: readonly string[] | undefined, given: readonly string[]): boolean {
  return wanted === undefined || given.some((value) => wanted.includes(value));
}
