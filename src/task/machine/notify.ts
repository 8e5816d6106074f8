import { instant } from "../../lib/ports.ts";
import { ok, refuse } from "../../lib/result.ts";
import type { Notification } from "../../protocol/notification.ts";
import { STATUS_OF_NOTIFICATION } from "../../protocol/notification.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Actor } from "../../protocol/task-view.ts";
import { afterFailure } from "./after-failure.ts";
import type { Decision } from "./commands.ts";
import { escalationIdOf } from "./evolve-escalation.ts";
import { resultFaults } from "./gates.ts";
import { afterProgress, isOpenRequest } from "./interventions.ts";
import { endedRefusal, fence } from "./lease.ts";
import { repeatsProgress } from "./plan.ts";
import { futureFault } from "./punctuality.ts";
import type { DraftEvent, Holder, TaskState } from "./state.ts";
import { SYSTEM, hasVerdict } from "./state.ts";
import { closedCancels, openCancels, verdictEvent } from "./verdict.ts";

/** The least time that a question leaves for its answer: less is none for anybody. */
const LEAST_PATIENCE_MS = 5_000;

/** A notification as an event; `status` is filled in, so that everyone sees the same form. */
function notificationEvent(notification: Notification): DraftEvent {
  const { schema_version: _version, ...content } = notification;
  const data: JsonObject = {
    ...content,
    status: STATUS_OF_NOTIFICATION[notification.notification_type],
  };
  return {
    type: notification.notification_type,
    actor: executorOf(notification),
    data,
  };
}

/** The seq under which the log has this notification already, or null. */
function repeatedSeq(
  state: TaskState,
  { notification, token }: { notification: Notification; token: string | null },
): number | null {
  const { notification_id: id, sequence } = notification;
  // A count belongs to one attempt: an executor with a stale token counts in another one.
  const holder = token === state.holder?.token ? state.holder : null;
  const known = state.recent.find(
    (entry) =>
      entry.id === id ||
      (sequence !== undefined && entry.sequence === sequence && entry.attempt === holder?.attempt),
  );
  if (known !== undefined) return known.seq;
  const isPast = sequence !== undefined && sequence < (holder?.next_sequence ?? 0);
  // Repeated so late that nobody remembers its place.
  return isPast ? state.seq : null;
}

function transitionRefusal(state: TaskState, wanted: string, rule: string): Refusal {
  return {
    code: "transition_refused",
    detail: `${wanted} is not possible in phase ${state.phase}: ${rule}`,
    extra: { phase: state.phase },
  };
}

/** Whether the notification may come at this point of the attempt. */
function transitionFault(
  state: TaskState,
  holder: Holder,
  notification: Notification,
): Refusal | null {
  const type = notification.notification_type;
  if (type === "task_started") {
    if (holder.started_at !== null) {
      return transitionRefusal(state, type, "the attempt has started already");
    }
    return notification.data.task_type === state.task.task_type
      ? null
      : {
          code: "task_mismatch",
          detail: `task_type is ${notification.data.task_type}, the task's is ${state.task.task_type}`,
        };
  }
  return holder.started_at === null
    ? transitionRefusal(state, type, "task_started must come first")
    : null;
}

function progressFault(state: TaskState, notification: Notification): Refusal | null {
  if (notification.notification_type !== "task_progress") return null;
  const before = state.progress?.percentage ?? 0;
  const after = notification.data.progress_percentage;
  return after < before
    ? {
        code: "progress_regressed",
        detail: `progress_percentage fell from ${before} to ${after}; it never falls within an attempt`,
        errors: [
          {
            pointer: "/data/progress_percentage",
            code: "regressed",
            detail: "must not fall",
            expected: `at least ${before}`,
            received: String(after),
          },
        ],
      }
    : null;
}

function gateFault(state: TaskState, notification: Notification): Refusal | null {
  if (notification.notification_type !== "task_completed") return null;
  const errors = resultFaults(state.task, notification.data);
  return errors.length === 0
    ? null
    : {
        code: "result_rejected",
        detail:
          "The result does not meet the task's contract. A better one is welcome while the attempt lasts.",
        errors,
      };
}

/** Why the question of an executor can't be answered by when it wants; null when it can. */
function deadlineFault(notification: Notification, now: number): Refusal | null {
  if (notification.notification_type !== "task_escalated") return null;
  const { deadline } = notification.data;
  if (deadline === undefined || Date.parse(deadline) >= now + LEAST_PATIENCE_MS) return null;
  return {
    code: "deadline_too_near",
    detail:
      "An escalation that has run out when it comes would end the task unanswered; name a later deadline, or none.",
    errors: [
      {
        pointer: "/data/deadline",
        code: "too_early",
        detail: `must be at least ${LEAST_PATIENCE_MS / 1_000} s ahead`,
        expected: `${instant(now + LEAST_PATIENCE_MS)} or later`,
        received: deadline,
      },
    ],
  };
}

/** The executor stops although it has not finished: that is what the cancellation asked for. */
function cancelled(state: TaskState, notification: Notification, now: number): DraftEvent[] {
  const actor = executorOf(notification);
  return [
    ...closedCancels(state, "confirmed", actor, now),
    verdictEvent(state, { reason: "cancelled", actor }),
  ];
}

/** What follows from a notification beside its own event. */
function consequences(state: TaskState, notification: Notification, now: number): DraftEvent[] {
  const isCancelling = openCancels(state).length > 0;
  switch (notification.notification_type) {
    case "task_started":
      return [];
    case "task_progress":
      return [
        ...answeredRequests(state, repeatsProgress(state, notification.data)),
        ...afterProgress(state, notification.data, now),
      ];
    case "task_completed": {
      const { result, quality_assessment: quality } = notification.data;
      const actor = executorOf(notification);
      return [
        // The completion has overtaken the cancellation: the work is done.
        ...closedCancels(state, "rejected"),
        verdictEvent(state, { reason: "success", actor, result, quality }),
      ];
    }
    case "task_failed":
      return isCancelling
        ? cancelled(state, notification, now)
        : afterFailure(state, notification, executorOf(notification), now);
    case "task_escalated":
      return isCancelling
        ? [unansweredEscalation(state), ...cancelled(state, notification, now)]
        : [];
  }
}

/** Nobody answers the question of a task that is being cancelled. */
function unansweredEscalation(state: TaskState): DraftEvent {
  return {
    type: "escalation_resolved",
    actor: SYSTEM,
    data: {
      escalation_id: escalationIdOf(state.origin.task_id, state.escalation_count + 1),
      state: "cancelled",
      decision: "cancel",
      answer: null,
    },
  };
}

function executorOf(notification: Notification): Actor {
  return { kind: "executor", id: notification.agent_id };
}

/**
 * An open request for an update is confirmed by the news it asked for. Nothing new answers whoever wants to hear
 * how it stands, but no rule that asks why it does not get on.
 */
function answeredRequests(state: TaskState, isRepeated: boolean): DraftEvent[] {
  const answered = state.commands.filter(
    (command) => isOpenRequest(command) && !(isRepeated && command.rule !== undefined),
  );
  return answered.map(({ command_id }) => ({
    type: "command_acknowledged",
    actor: SYSTEM,
    data: { command_id, command: "request_update", state: "confirmed" },
  }));
}

/** Applies a notification whose turn it is. */
function accept(state: TaskState, notification: Notification, now: number): DraftEvent[] {
  return [notificationEvent(notification), ...consequences(state, notification, now)];
}

/** Whether it came before its turn. The first one of an attempt sets the count: an executor may go on counting. */
function isEarly(holder: Holder, { notification_type, sequence }: Notification): boolean {
  if (sequence === undefined || notification_type === "task_started") return false;
  return sequence > holder.next_sequence;
}

/**
 * The executor says something about its task.
 *
 * A repeated notification changes nothing. One that comes before its turn is held. Refused with
 * task_ended, wrong_agent, lease_lost, timestamp_in_future, deadline_too_near, task_mismatch,
 * transition_refused, progress_regressed or result_rejected.
 */
export function decideNotify(
  state: TaskState,
  command: { token: string | null; notification: Notification; was_held?: boolean },
  now: number,
): Decision {
  const { notification, token } = command;
  const repeated = repeatedSeq(state, command);
  if (repeated !== null) return ok({ events: [], repeated_seq: repeated });
  if (hasVerdict(state)) return refuse(endedRefusal(state));
  const fenced = fence(state, token, notification.agent_id);
  if (!fenced.ok) return fenced;
  // Time that passed while it was held is not its executor's fault.
  const untimely =
    command.was_held === true
      ? null
      : (futureFault(notification, now) ?? deadlineFault(notification, now));
  if (untimely !== null) return refuse(untimely);
  if (isEarly(fenced.value, notification)) return ok({ events: [], hold: notification });
  const fault =
    transitionFault(state, fenced.value, notification) ??
    progressFault(state, notification) ??
    gateFault(state, notification);
  return fault === null ? ok({ events: accept(state, notification, now) }) : refuse(fault);
}
