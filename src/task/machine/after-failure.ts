import type { Notification } from "../../protocol/notification.ts";
import { PERMANENT_CLASSES } from "../../protocol/notification.ts";
import type { Actor } from "../../protocol/task-view.ts";
import { askedBySystem, endOrAsk, escalatesOn, failureContext } from "./handover.ts";
import { ruled } from "./interventions.ts";
import type { Failure } from "./records.ts";
import type { DraftEvent, TaskState } from "./state.ts";
import { judgeSuggestion } from "./suggestions.ts";
import type { Judgement } from "./suggestions.ts";
import { hasRetryLeft, retryEvent } from "./verdict.ts";

type Failed = Extract<Notification, { notification_type: "task_failed" }>;

const NOTHING_SUGGESTED: Judgement = { patch: null, ignored: [] };

const PERMANENT: ReadonlySet<string> = new Set(PERMANENT_CLASSES);

/** The failure in the words in which the task will remember it. */
function inShort(state: TaskState, { data }: Failed): string {
  return `Attempt ${state.attempt} failed: ${data.error_message}`;
}

/** Whether the policy has another attempt for a failure of this class. */
function mayRetry(state: TaskState, { data }: Failed): boolean {
  return (
    hasRetryLeft(state) && data.retry_recommended !== false && !PERMANENT.has(data.root_cause.class)
  );
}

/** The same cause as the time before: another attempt is not likely to end otherwise. */
function repeatedFailure(
  state: TaskState,
  failed: Failed,
  error: Failure,
  now: number,
): DraftEvent[] {
  const { root_cause, recovery_suggestions } = failed.data;
  const reason = `two attempts in a row failed with ${root_cause.class}`;
  return [
    ruled(state, "repeated_failure", { command: "escalate", because: reason }),
    askedBySystem(
      state,
      {
        cause: "repeated_failure",
        kind: "handover",
        reason,
        question: "Try once more, change the task, or cancel it?",
        level: "orchestrator",
        urgency: "high",
        context: failureContext(state, error),
        latest: inShort(state, failed),
        recommended: recovery_suggestions,
        on_silence: { reason: "failure", error },
        isAfterAttempt: true,
      },
      now,
    ),
  ];
}

/** With autonomy manual nothing is changed unasked: the decision change takes the suggestion over. */
function askAboutSuggestion(
  state: TaskState,
  failed: Failed,
  { error, patch, ignored }: Judgement & { error: Failure },
  now: number,
): DraftEvent {
  return askedBySystem(
    state,
    {
      cause: "suggestion",
      kind: "handover",
      reason: `The executor suggests a change after ${error.type}`,
      question:
        "Retry with the suggested modifications (change), without them (resume), or cancel?",
      level: "human",
      urgency: "medium",
      context: {
        ...failureContext(state, error),
        suggested_modifications: patch,
        ignored_suggestions: ignored,
      },
      latest: inShort(state, failed),
      recommended: failed.data.recovery_suggestions,
      on_silence: { reason: "failure", error },
      suggestion: patch,
      isAfterAttempt: true,
    },
    now,
  );
}

/**
 * What a failure leads to: a question when the same cause comes twice or nothing may be changed unasked,
 * another attempt with what the executor suggests, or the end.
 */
export function afterFailure(
  state: TaskState,
  failed: Failed,
  actor: Actor,
  now: number,
): DraftEvent[] {
  const { data } = failed;
  const error = {
    type: data.error_type,
    message: data.error_message,
    root_cause: data.root_cause,
  };
  const isRepeated = state.mishaps.at(-1)?.class === data.root_cause.class;
  if (isRepeated && escalatesOn(state, "repeated_failure")) {
    return repeatedFailure(state, failed, error, now);
  }
  if (!mayRetry(state, failed)) {
    const last = {
      reason: "failure",
      error,
      actor,
      hasPartialResults: data.partial_results !== undefined,
      latest: inShort(state, failed),
      recommended: data.recovery_suggestions,
      isAfterAttempt: true,
    } as const;
    return [endOrAsk(state, "retries_exhausted", last, now)];
  }
  const suggested =
    data.suggested_modifications === undefined
      ? NOTHING_SUGGESTED
      : judgeSuggestion(state.task, data.suggested_modifications);
  const { patch, ignored } = suggested;
  if (patch !== null && state.task.execution_options.autonomy_level === "manual") {
    return [askAboutSuggestion(state, failed, { ...suggested, error }, now)];
  }
  return [
    retryEvent(state, data.error_type, now, {
      ...(patch !== null && { patch }),
      ...(ignored.length > 0 && { ignored_suggestions: ignored }),
    }),
  ];
}
