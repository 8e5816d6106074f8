import type { z } from "zod";

import { agentViewSchema } from "../protocol/agent.ts";
import { placesOf } from "../protocol/declared-names.ts";
import type { NotificationType } from "../protocol/enums.ts";
import { notificationSchema } from "../protocol/notification.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import { reportSchema } from "../protocol/task-view.ts";
import type { ValidationRecord } from "../protocol/validation-record.ts";
import { systemAlertSchema } from "../protocol/webhook-operations.ts";

const finalSchema = reportSchema.omit({ timeline: true });
const agentStateSchema = agentViewSchema.omit({ secret: true });

/** The shape of what leaves, by type (protocol.md §7, Webhooks). */
function schemaOf(type: NotificationType): z.ZodType {
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
      return agentStateSchema;
    case "system_alert":
      return systemAlertSchema;
  }
}

/** What is about to leave. */
interface Departure {
  event_id: string;
  at: string;
  data: JsonObject;
  /** The event in its task's log; null for news without a task. */
  source: { task_id: string; seq: number } | null;
}

/** What may leave, and the places where it broke its schema. */
export interface Outbound {
  notification: JsonObject;
  faults: ValidationRecord["errors"];
}

/**
 * The notification as it may leave the system: as it is when it keeps its schema, otherwise a minimal
 * notice in its place, which says where to read the event if it can be read. Receivers never see a malformed one.
 */
export function outboundOf(type: NotificationType, departure: Departure): Outbound {
  const { event_id, at, data, source } = departure;
  const schema = schemaOf(type);
  const parsed = schema.safeParse(data);
  if (parsed.success) return { notification: data, faults: [] };
  const withheld = "The notification was withheld because it broke its schema";
  return {
    notification: {
      notification_id: event_id,
      notification_type: type,
      ...(source !== null && { task_id: source.task_id }),
      timestamp: at,
      notice:
        source === null
          ? `${withheld}.`
          : `${withheld}; see /v1/tasks/${source.task_id}/events?after=${source.seq - 1}`,
    },
    faults: placesOf(schema, parsed.error),
  };
}
