import type { z } from "zod";

import type { NotificationType } from "../protocol/enums.ts";
import { pointerOf } from "../protocol/faults.ts";
import { notificationSchema } from "../protocol/notification.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { TaskEvent } from "../protocol/task-view.ts";
import { reportSchema } from "../protocol/task-view.ts";

const finalSchema = reportSchema.omit({ timeline: true });

/** The shape of what leaves, by type; null for those that no room sends about a task yet. */
function schemaOf(type: NotificationType): z.ZodType | null {
  switch (type) {
    case "task_started":
    case "task_progress":
    case "task_completed":
    case "task_failed":
    case "task_escalated":
      return notificationSchema;
    case "agent_end_task":
      return finalSchema;
    case "agent_status":
    case "system_alert":
      return null;
  }
}

/** What may leave, and the places where it broke its schema. */
export interface Outbound {
  notification: JsonObject;
  faults: string[];
}

/**
 * The notification as it may leave the system: as it is when it keeps its schema, otherwise a minimal
 * notice in its place, which says where to read the event. Receivers never see a malformed one.
 */
export function outboundOf(type: NotificationType, event: TaskEvent, task_id: string): Outbound {
  const parsed = schemaOf(type)?.safeParse(event.data);
  if (parsed === undefined || parsed.success) return { notification: event.data, faults: [] };
  return {
    notification: {
      notification_id: event.event_id,
      notification_type: type,
      task_id,
      timestamp: event.at,
      notice: `The notification was withheld because it broke its schema; see /v1/tasks/${task_id}/events?after=${event.seq - 1}`,
    },
    faults: parsed.error.issues.map(({ path }) => pointerOf(path)),
  };
}
