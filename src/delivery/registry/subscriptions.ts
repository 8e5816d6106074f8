import { notificationTypeSchema, type NotificationType } from "../../protocol/enums.ts";
import type { WebhookEvent } from "../../protocol/webhook.ts";

/** The six types of a task's life (protocol.md §7, Webhooks); the others belong to no task. */
export const TASK_NEWS: readonly NotificationType[] = [
  "task_started",
  "task_progress",
  "task_completed",
  "task_failed",
  "task_escalated",
  "agent_end_task",
];

/** What each word of a registration's `events` stands for (protocol.md §7, Webhooks). */
const MEANING: Readonly<Record<WebhookEvent, readonly NotificationType[]>> = {
  task_started: ["task_started"],
  task_progress: ["task_progress"],
  task_completed: ["task_completed"],
  task_failed: ["task_failed"],
  task_escalated: ["task_escalated"],
  agent_end_task: ["agent_end_task"],
  agent_status: ["agent_status"],
  system_alert: ["system_alert"],
  task_lifecycle: TASK_NEWS,
  system_event: ["system_alert"],
  error_event: ["task_failed", "task_escalated", "system_alert"],
  // Hourly figures have no notification type, so a registration of this group is refused.
  performance_metric: [],
  all: notificationTypeSchema.options,
};

/** The notification types that a list of types and groups asks for, each once, in the contract's order. */
export function subscribedTypes(events: readonly WebhookEvent[]): NotificationType[] {
  const wanted = new Set(events.flatMap((event) => MEANING[event]));
  return notificationTypeSchema.options.filter((type) => wanted.has(type));
}
