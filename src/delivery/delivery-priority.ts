import { prioritySchema, type NotificationType, type Priority } from "../protocol/enums.ts";

/** The priority that a type has by itself (protocol.md §7, Webhooks). */
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

/** The priority of a delivery: the higher of the task's and the type's. */
export function deliveryPriority(task: Priority, type: NotificationType): Priority {
  const rank = (priority: Priority) => prioritySchema.options.indexOf(priority);
  const own = PRIORITY_OF_TYPE[type];
  return rank(own) > rank(task) ? own : task;
}
