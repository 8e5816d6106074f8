import { instant } from "../../lib/ports.ts";
import type { CompletionStatus, EndReason } from "../../protocol/enums.ts";
import type { QualityAssessment } from "../../protocol/notification.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Actor } from "../../protocol/task-view.ts";
import { hasAttemptLeft } from "../kin/tree-budget.ts";
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

/** A cancellation by the parent says what the end is called: why the parent is over. */
function stopOf(state: TaskState): Partial<Finding> | null {
  const stop = state.commands.find(
    (command) => command.end_reason !== undefined && isOpenCancel(command),
  );
  if (stop?.end_reason === undefined) return null;
  const message = stop.reason ?? "The parent is over";
  return { reason: stop.end_reason, error: { type: "stopped", message, root_cause: null } };
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
export function verdictEvent(state: TaskState, found: Finding): DraftEvent {
  const finding = found.reason === "cancelled" ? { ...found, ...stopOf(state) } : found;
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

/** Nobody answers the open escalation of a task that is being ended. */
export function closedEscalation(state: TaskState, actor: Actor = SYSTEM): DraftEvent[] {
  return state.escalation?.state === "open"
    ? [
        {
          type: "escalation_resolved",
          actor,
          data: {
            escalation_id: state.escalation.escalation_id,
            state: "cancelled",
            decision: "cancel",
            answer: null,
          },
        },
      ]
    : [];
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

/** Whether the retry policy has another attempt, and the budget of its tree too. */
export function hasRetryLeft(state: TaskState): boolean {
  const { max_retries } = state.task.execution_options.retry_policy;
  return state.retries_used < max_retries && hasAttemptLeft(state);
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
