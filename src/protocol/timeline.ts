import type { EventType } from "./enums.ts";
import { jsonObjectSchema } from "./primitives.ts";
import type { JsonObject } from "./primitives.ts";
import type { Report, TaskEvent } from "./task-view.ts";

/** The members of an event's data that a reader of the timeline wants to see, in their order. */
const TELLING_FIELDS = {
  task_started: ["estimated_duration", "complexity", "model_selected"],
  task_progress: ["progress_percentage", "current_step"],
  task_completed: ["execution_summary"],
  task_failed: ["error_type", "error_message"],
  task_escalated: ["escalation_reason", "question", "urgency"],
  agent_end_task: ["reason", "completion_status"],
  agent_status: ["agent_id", "state"],
  system_alert: ["severity", "title"],
  task_submitted: ["task_type", "priority", "pool"],
  task_approved: ["answer"],
  task_ready: ["reason"],
  task_routed: ["agent_id", "rule"],
  task_assigned: ["agent_id", "attempt"],
  task_declined: ["agent_id", "reason"],
  lease_expired: ["agent_id", "attempt", "cause"],
  retry_scheduled: ["attempt", "due_at", "cause"],
  command_issued: ["command", "reason"],
  command_acknowledged: ["command", "state"],
  escalation_resolved: ["decision", "answer"],
  budget_warning: ["resource", "used", "limit"],
  verdict: ["reason", "completion_status"],
  finalization_phase: ["name", "outcome"],
} as const satisfies Record<EventType, readonly string[]>;

/** Characters of one field: a line of the timeline is read at a glance, the event holds the rest. */
const SHOWN_LENGTH = 200;

function shown(value: unknown): string | null {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string" || value === "") return null;
  return value.length > SHOWN_LENGTH ? `${value.slice(0, SHOWN_LENGTH - 1)}…` : value;
}

/** An executor's notification is kept as it came: its facts are in the `data` of its own. */
function factsOf({ data }: TaskEvent): JsonObject {
  return jsonObjectSchema.safeParse(data["data"]).data ?? data;
}

function lineOf(event: TaskEvent): string {
  const source = factsOf(event);
  const facts = TELLING_FIELDS[event.type].flatMap((field) => {
    const value = shown(source[field]);
    return value === null ? [] : [`${field} ${value}`];
  });
  const actor = `${event.type} by ${event.actor.kind} ${event.actor.id}`;
  return facts.length === 0 ? actor : `${actor}: ${facts.join(", ")}`;
}

/**
 * What happened to a task, one line for each event, in order of seq.
 *
 * A pure function of the log, so that the report reads the same from the task's object and from history.
 */
export function timelineOf(events: readonly TaskEvent[]): Report["timeline"] {
  return events
    .toSorted((a, b) => a.seq - b.seq)
    .map((event) => ({ seq: event.seq, at: event.at, what: lineOf(event) }));
}
