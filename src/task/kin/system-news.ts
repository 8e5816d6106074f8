import { instant } from "../../lib/ports.ts";
import { STATUS_OF_NOTIFICATION } from "../../protocol/notification.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { DraftEvent, TaskState } from "../machine/state.ts";
import { SYSTEM } from "../machine/state.ts";

/** What the system itself says of a task that its children do, in the form of an executor's notification. */
export function systemNews(
  state: TaskState,
  type: "task_started" | "task_progress" | "task_completed",
  data: JsonObject,
  now: number,
): DraftEvent {
  return {
    type,
    actor: SYSTEM,
    data: {
      // Several in one go are of different types; later ones come at a later seq.
      notification_id: `batuta-${state.origin.uid}-${state.seq}-${type}`,
      notification_type: type,
      task_id: state.origin.task_id,
      agent_id: SYSTEM.id,
      timestamp: instant(now),
      status: STATUS_OF_NOTIFICATION[type],
      data,
    },
  };
}
