import { ok, refuse } from "../../lib/result.ts";
import type { Notification } from "../../protocol/notification.ts";
import { STATUS_OF_NOTIFICATION } from "../../protocol/notification.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Decision } from "./commands.ts";
import { resultFaults } from "./gates.ts";
import { endedRefusal, fence } from "./lease.ts";
import type { DraftEvent, Holder, TaskState } from "./state.ts";
import { hasVerdict } from "./state.ts";
import { hasRetryLeft, retryEvent, verdictEvent } from "./verdict.ts";

/** How far the executor's clock may be ahead (protocol.md §7, Notifications). */
const CLOCK_TOLERANCE_MS = 300_000;

/** A notification as an event; `status` is filled in, so that everyone sees the same form. */
function notificationEvent(notification: Notification): DraftEvent {
  const { schema_version: _version, ...content } = notification;
  const data: JsonObject = {
    ...content,
    status: STATUS_OF_NOTIFICATION[notification.notification_type],
  };
  return {
    type: notification.notification_type,
    actor: { kind: "executor", id: notification.agent_id },
    data,
  };
}

/** The seq under which the log has this notification already, or null. */
function repeatedSeq(state: TaskState, notification: Notification): number | null {
  const { notification_id: id, sequence } = notification;
  const known = state.recent.find(
    (entry) =>
      entry.id === id ||
      (sequence !== undefined &&
        entry.sequence === sequence &&
        entry.attempt === state.holder?.attempt &&
        notification.agent_id === state.holder.agent_id),
  );
  return known?.seq ?? null;
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

function futureFault(notification: Notification, now: number): Refusal | null {
  return Date.parse(notification.timestamp) > now + CLOCK_TOLERANCE_MS
    ? {
        code: "timestamp_in_future",
        detail: `timestamp is more than ${CLOCK_TOLERANCE_MS / 1_000} s ahead; check the executor's clock`,
      }
    : null;
}

/** What follows from a notification beside its own event. */
function consequences(state: TaskState, notification: Notification, now: number): DraftEvent[] {
  const actor = { kind: "executor", id: notification.agent_id } as const;
  if (notification.notification_type === "task_completed") {
    const { result, quality_assessment: quality } = notification.data;
    return [
      ...overtakenOrders(state),
      verdictEvent(state, { reason: "success", actor, result, quality }),
    ];
  }
  if (notification.notification_type !== "task_failed") return [];
  const { data } = notification;
  if (isCancelling(state)) {
    return [verdictEvent(state, { reason: "cancelled", actor })];
  }
  if (hasRetryLeft(state) && data.retry_recommended !== false) {
    return [retryEvent(state, data.error_type, now)];
  }
  return [
    verdictEvent(state, {
      reason: "failure",
      actor,
      error: { type: data.error_type, message: data.error_message, root_cause: data.root_cause },
      hasPartialResults: data.partial_results !== undefined,
    }),
  ];
}

/** Whether a cancellation waits for the executor. */
export function isCancelling(state: TaskState): boolean {
  return state.commands.some(
    ({ command, state: at }) =>
      command === "cancel" && (at === "requested" || at === "acknowledged"),
  );
}

/** A cancellation that the completion has overtaken is rejected: the work is done. */
function overtakenOrders(state: TaskState): DraftEvent[] {
  return state.commands
    .filter(
      ({ command, state: at }) =>
        command === "cancel" && (at === "requested" || at === "acknowledged"),
    )
    .map(({ command_id }) => ({
      type: "command_acknowledged",
      actor: { kind: "system", id: "batuta" },
      data: { command_id, command: "cancel", state: "rejected" },
    }));
}

/** An open request for an update is confirmed by the news it asked for. */
function answeredRequests(state: TaskState): DraftEvent[] {
  return state.commands
    .filter(
      ({ command, state: at }) =>
        command === "request_update" && (at === "requested" || at === "acknowledged"),
    )
    .map(({ command_id }) => ({
      type: "command_acknowledged",
      actor: { kind: "system", id: "batuta" },
      data: { command_id, command: "request_update", state: "confirmed" },
    }));
}

/** Applies a notification whose turn it is. */
function accept(state: TaskState, notification: Notification, now: number): DraftEvent[] {
  return [
    notificationEvent(notification),
    ...(notification.notification_type === "task_progress" ? answeredRequests(state) : []),
    ...consequences(state, notification, now),
  ];
}

/**
 * The executor says something about its task.
 *
 * A repeated notification changes nothing. One that comes before its turn is held. Refused with
 * task_ended, wrong_agent, lease_lost, timestamp_in_future, task_mismatch, transition_refused,
 * progress_regressed or result_rejected.
 */
export function decideNotify(
  state: TaskState,
  command: { token: string | null; notification: Notification },
  now: number,
): Decision {
  const { notification, token } = command;
  const repeated = repeatedSeq(state, notification);
  if (repeated !== null) return ok({ events: [], repeated_seq: repeated });
  if (hasVerdict(state)) return refuse(endedRefusal(state));
  const fenced = fence(state, token, notification.agent_id);
  if (!fenced.ok) return fenced;
  const early = futureFault(notification, now);
  if (early !== null) return refuse(early);
  const { sequence } = notification;
  if (sequence !== undefined && sequence > fenced.value.next_sequence) {
    return ok({ events: [], hold: notification });
  }
  const fault =
    transitionFault(state, fenced.value, notification) ??
    progressFault(state, notification) ??
    gateFault(state, notification);
  return fault === null ? ok({ events: accept(state, notification, now) }) : refuse(fault);
}
