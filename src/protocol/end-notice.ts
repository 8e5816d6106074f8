import type { EndReason, NotificationType, Priority, Severity } from "./enums.ts";
import { endReasonSchema } from "./enums.ts";

/** How the world hears of an end. */
export interface EndNotice {
  /** The final notification: one for each receiver, with the report. */
  type: Extract<NotificationType, "agent_end_task">;
  /** The type by which the lifecycle calls such an end, for those who count and route by it. */
  told_as: NotificationType;
  severity: Severity;
  /** Of the delivery, where the task's own is not higher (protocol.md §7, Webhooks: failed and escalated are high). */
  priority: Priority;
}

const FAILED = {
  type: "agent_end_task",
  told_as: "task_failed",
  severity: "error",
  priority: "high",
} as const;

/** The notice of every end reason. */
export const END_NOTICES: Readonly<Record<EndReason, EndNotice>> = {
  success: {
    type: "agent_end_task",
    told_as: "task_completed",
    severity: "info",
    priority: "normal",
  },
  failure: FAILED,
  timeout: FAILED,
  resource_exhausted: FAILED,
  escalated: {
    type: "agent_end_task",
    told_as: "task_escalated",
    severity: "warning",
    priority: "high",
  },
  cancelled: {
    type: "agent_end_task",
    told_as: "agent_end_task",
    severity: "info",
    priority: "normal",
  },
};

/** The notice that a report is, by its reason; null where it has none that is known. */
export function noticeOf(report: Readonly<Record<string, unknown>>): EndNotice | null {
  const reason = endReasonSchema.safeParse(report["reason"]);
  return reason.success ? END_NOTICES[reason.data] : null;
}
