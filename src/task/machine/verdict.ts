import { instant } from "../../lib/ports.ts";
import type { CompletionStatus, EndReason } from "../../protocol/enums.ts";
import type { QualityAssessment } from "../../protocol/notification.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Actor } from "../../protocol/task-view.ts";
import type { CommandRecord, Failure } from "./records.ts";
import type { DraftEvent, TaskState } from "./state.ts";
import { SYSTEM, usageOf } from "./state.ts";

/** Derives the completion status from the reason (protocol.md §2). */
export function completionStatusOf(
  reason: EndReason,
  hasPartialResults: boolean,
): CompletionStatus {
  if (reason === "success") return "success";
  if (reason === "cancelled") return "cancelled";
  return hasPartialResults ? "partial" : "failure";
}

/** What a verdict says beside its reason. */
export interface Finding {
  reason: EndReason;
  actor?: Actor;
  result?: unknown;
  quality?: QualityAssessment | null;
  error?: Failure | null;
  hasPartialResults?: boolean;
}

/** The event that freezes the outcome. Nothing changes it afterwards. */
export function verdictEvent(state: TaskState, finding: Finding): DraftEvent {
  const partial =
    finding.reason !== "success" &&
    (finding.hasPartialResults === true || (state.progress?.intermediate ?? null) !== null);
  return {
    type: "verdict",
    actor: finding.actor ?? SYSTEM,
    data: {
      reason: finding.reason,
      completion_status: completionStatusOf(finding.reason, partial),
      partial,
      result: finding.result ?? null,
      quality_assessment: finding.quality ?? null,
      error: finding.error ?? null,
    },
  };
}

/** Whether a command is a cancellation that nothing has come of yet. */
export function isOpenCancel({ command, state }: CommandRecord): boolean {
  return command === "cancel" && (state === "requested" || state === "acknowledged");
}

/** Cancellations that wait for the executor. There are none when nobody holds the task. */
export function openCancels(state: TaskState): CommandRecord[] {
  return state.commands.filter(isOpenCancel);
}

/** What was used between the request of a command and `now`: reported use, and seconds on the clock. */
function spentSince(state: TaskState, command: CommandRecord, now: number): JsonObject {
  const used = usageOf(state);
  const before = command.used_before ?? used;
  return {
    cost_usd: used.cost_usd - before.cost_usd,
    tokens: used.tokens - before.tokens,
    duration_s: (now - command.requested_at) / 1_000,
  };
}

/**
 * The events that close the open cancellations: a verdict leaves none open.
 *
 * @param now epoch milliseconds; with it they say what was spent since the request
 */
export function closedCancels(
  state: TaskState,
  outcome: "confirmed" | "rejected" | "unresponsive",
  actor: Actor = SYSTEM,
  now: number | null = null,
): DraftEvent[] {
  return openCancels(state).map((command) => ({
    type: "command_acknowledged",
    actor,
    data: {
      command_id: command.command_id,
      command: "cancel",
      state: outcome,
      ...(now !== null && { spent_since: spentSince(state, command, now) }),
    },
  }));
}

/** The event that makes the task claimable. */
export function readyEvent(reason: string, actor: Actor = SYSTEM): DraftEvent {
  return { type: "task_ready", actor, data: { reason } };
}

/** The event by which an attempt loses its lease. */
export function leaseExpiredEvent(state: TaskState, cause: string): DraftEvent {
  return {
    type: "lease_expired",
    actor: SYSTEM,
    data: {
      cause,
      agent_id: state.holder?.agent_id ?? "",
      attempt: state.attempt,
    },
  };
}

/** Seconds before the next attempt: retry_delay, multiplied once for each retry already used. */
function retryDelaySeconds(state: TaskState): number {
  const { retry_delay, backoff_multiplier } = state.task.execution_options.retry_policy;
  return retry_delay * backoff_multiplier ** state.retries_used;
}

/** Whether the retry policy has another attempt. */
export function hasRetryLeft(state: TaskState): boolean {
  return state.retries_used < state.task.execution_options.retry_policy.max_retries;
}

/**
 * The event that plans the next attempt, at the cost of one retry.
 *
 * @param more further members of its data, such as the patch that the next attempt is given
 */
export function retryEvent(
  state: TaskState,
  cause: string,
  now: number,
  more: JsonObject = {},
): DraftEvent {
  const delay_s = retryDelaySeconds(state);
  return {
    type: "retry_scheduled",
    actor: SYSTEM,
    data: {
      cause,
      attempt: state.attempt + 1,
      delay_s,
      due_at: instant(now + delay_s * 1_000),
      costs_retry: true,
      ...more,
    },
  };
}
