import { noticeOf } from "../protocol/end-notice.ts";
import { prioritySchema, type NotificationType, type Priority } from "../protocol/enums.ts";
import type { JsonObject } from "../protocol/primitives.ts";

/** The priority that a type has by itself (protocol.md §7, Webhooks); that of an end is its reason's. */
const PRIORITY_OF_TYPE: Readonly<Record<NotificationType, Priority>> = {
  task_started: "normal",
  task_progress: "low",
  task_completed: "normal",
  task_failed: "high",
  task_escalated: "high",
  agent_end_task: "normal",
  agent_status: "normal",
  system_alert: "normal",
};

/**
 * The priority of a delivery: the higher of the task's and the notification's own.
 *
 * @param news the notification; the end of a task is as urgent as its reason
 */
export function deliveryPriority(
  task: Priority,
  { type, data }: { type: NotificationType; data: JsonObject },
): Priority {
  const rank = (priority: Priority) => prioritySchema.options.indexOf(priority);
  const notice = type === "agent_end_task" ? noticeOf(data) : null;
  const own = notice?.priority ?? PRIORITY_OF_TYPE[type];
  return rank(own) > rank(task) ? own : task;
}
