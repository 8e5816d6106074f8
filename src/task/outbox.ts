import type { AttemptOutcome } from "../protocol/attempt-outcome.ts";
import type { HistoryMessage, TaskTally } from "../protocol/queue-messages.ts";
import type { TaskEvent } from "../protocol/task-view.ts";
import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { leaseExpiresAt } from "./machine/state.ts";
import { outcomeOf } from "./pool-outcome.ts";
import type { Announcement, Audience, News } from "./ports.ts";
import { escalationOf, eventOf, viewOf } from "./view.ts";

/** Events in one flush: one message, one call to each endpoint. */
export const EVENTS_PER_FLUSH = 50;

/** Larger news travel by reference: a queue message holds at most 128 KB (facts/platform.md §4). */
const LARGEST_MESSAGE = 100_000;

/** What endpoints learn of these events. */
export function newsOf(state: TaskState, events: readonly LoggedEvent[]): News {
  const { task } = state;
  return {
    tenant: state.origin.tenant,
    task: {
      task_id: state.origin.task_id,
      task_type: task.task_type,
      priority: state.priority,
      agent_id: state.holder?.agent_id ?? state.holders.at(-1) ?? null,
      tags: task.tags ?? [],
      stakeholders: task.stakeholders ?? [],
      callback_url: task.orchestrator_info?.callback_url ?? null,
    },
    events: events.map((event) => eventOf(state, event)),
  };
}

/** By what the endpoints of a task are found. */
export function audienceOf(state: TaskState): Audience {
  const { task_type, tags, stakeholders, callback_url } = newsOf(state, []).task;
  return { task_type, tags, stakeholders, callback_url, holders: state.holders };
}

/** Escalations that these events closed and that a later one has taken the place of. */
function supersededBy(state: TaskState, events: readonly LoggedEvent[]): string[] {
  const closed = new Set(events.map(({ data }) => data["escalation_id"]));
  return state.past_escalations
    .filter(({ escalation_id }) => closed.has(escalation_id))
    .map((past) => JSON.stringify(escalationOf(state, past)));
}

/** What history writes of a task. View and escalations are JSON text. */
interface TaskRecord {
  view: string;
  events: TaskEvent[];
  escalation: string | null;
  earlier?: string[];
  /** By which the same request is known again; goes with the first event. */
  body_hash?: string;
  tally: TaskTally;
}

/** The view, events and escalations of a task as texts, for a message or for whoever asks. */
export function recordOf(state: TaskState, events: readonly LoggedEvent[]): TaskRecord {
  const earlier = supersededBy(state, events);
  return {
    ...(events[0]?.seq === 1 && { body_hash: state.origin.body_hash }),
    ...(earlier.length > 0 && { earlier }),
    tally: { task_type: state.submitted_type, notifications: state.notifications },
    view: JSON.stringify(viewOf(state)),
    events: events.map((event) => eventOf(state, event)),
    escalation:
      state.escalation === null ? null : JSON.stringify(escalationOf(state, state.escalation)),
  };
}

/** The message for history: whole when it fits, by reference when it does not. */
export function historyMessageOf(
  state: TaskState,
  events: readonly LoggedEvent[],
  after: number,
): HistoryMessage {
  const { tenant, task_id } = state.origin;
  const { view, events: shown, escalation, earlier, body_hash, tally } = recordOf(state, events);
  const message: HistoryMessage = {
    form: "whole",
    tenant,
    task_id,
    view,
    events: shown,
    tally,
    ...(escalation !== null && { escalation }),
    ...(earlier !== undefined && { earlier }),
    ...(body_hash !== undefined && { body_hash }),
  };
  return new TextEncoder().encode(JSON.stringify(message)).length <= LARGEST_MESSAGE
    ? message
    : { form: "reference", tenant, task_id, after };
}

/** Slack of a slot beyond the attempt it is for: the grace of 30 s, a cleanup of 300 s at most, clock steps. Seconds. */
const SLOT_SLACK_S = 360;

/** What the task tells its pool while it is queued. */
export function announcementOf(state: TaskState): Announcement {
  const { task, queued_at } = state;
  const isFreeAgain = queued_at !== null && queued_at !== state.waiting_since;
  return {
    task_id: state.origin.task_id,
    attempt: state.attempt + 1,
    priority: state.priority,
    task_type: task.task_type,
    requires: task.requires ?? null,
    declined_by: state.declined_by,
    ready_at: state.waiting_since ?? state.created_at,
    ...(isFreeAgain && { free_again_at: queued_at }),
    slot_seconds: task.timeout + state.granted.duration_s + task.heartbeat_timeout + SLOT_SLACK_S,
    retry_delay: task.execution_options.retry_policy.retry_delay,
    objective: task.execution_options.objective,
    affinity: affinityOf(state),
  };
}

/** Of the tasks that a task belongs with, the first so many count: an announcement is a row of its pool. */
const MAX_AFFINITY = 20;

function affinityOf({ task }: TaskState): string[] {
  const session = task.orchestrator_info?.session_id;
  const previous = task.context?.previous_tasks ?? [];
  const related = [
    ...(session === undefined ? [] : [`session/${session}`]),
    ...(task.parent_task_id === undefined ? [] : [task.parent_task_id]),
    ...(task.parameters?.dependencies ?? []),
    ...previous.filter((one) => typeof one === "string"),
  ];
  return [...new Set(related)].slice(0, MAX_AFFINITY);
}

/** The attempt by which the pool knows the task: the one to come while nobody holds it. */
export function pooledAttempt(state: TaskState): number {
  return state.holder === null ? state.attempt + 1 : state.attempt;
}

/** What the pool must be told after a change of the task. */
export type PoolErrand =
  | { kind: "announce" }
  | { kind: "release"; attempt: number; outcome: AttemptOutcome | null };

/** What a change of the task means for its pool; null when it concerns nobody there. */
export function poolErrand(before: TaskState | null, after: TaskState): PoolErrand | null {
  if (after.phase === "queued") return isNewWish(before, after) ? { kind: "announce" } : null;
  // Once the verdict is frozen the slot is freed by the cleanup phase.
  const isLeft = after.holder === null && after.verdict === null;
  const wasInPool = before?.phase === "queued" || (before?.holder ?? null) !== null;
  return before !== null && wasInPool && isLeft
    ? { kind: "release", attempt: pooledAttempt(before), outcome: outcomeOf(before, after) }
    : null;
}

function isNewWish(before: TaskState | null, after: TaskState): boolean {
  return (
    before?.phase !== "queued" ||
    before.priority !== after.priority ||
    before.attempt !== after.attempt
  );
}

/** The lease of a task that is held, as its executor sees it. */
export function leaseOf(state: TaskState): { token: string; attempt: number; expires_at: string } {
  if (state.holder === null) throw new Error("a task that nobody holds has no lease");
  return {
    token: state.holder.token,
    attempt: state.holder.attempt,
    expires_at: new Date(leaseExpiresAt(state, state.holder)).toISOString(),
  };
}
