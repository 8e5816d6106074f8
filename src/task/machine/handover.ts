import { instant } from "../../lib/ports.ts";
import type { EscalationTrigger } from "../../protocol/enums.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Actor } from "../../protocol/task-view.ts";
import { totalDeadline } from "./limits.ts";
import type { EscalationRecord, Failure, Silence } from "./records.ts";
import type { DraftEvent, TaskState } from "./state.ts";
import { SYSTEM } from "./state.ts";
import { verdictEvent } from "./verdict.ts";

/** How long the system waits for an answer before it does what it would have done without asking. Milliseconds. */
const PATIENCE_MS = 86_400_000;

/** So many of the last failures are evidence. */
const SHOWN_FAILURES = 10;

/** A text of a message holds at most so many characters (protocol.md §7, Notifications). */
const LONGEST_TEXT = 10_000;

/** What the system asks, in the words of task_escalated, and what follows from silence. */
export interface Question {
  /** Names the rule in the escalation's id: escalations of a task by the same cause have different numbers. */
  cause: string;
  kind: EscalationRecord["kind"];
  reason: string;
  question: string;
  level: EscalationRecord["level"];
  urgency: EscalationRecord["urgency"];
  context: JsonObject;
  /** What has just gone wrong and is not among the mishaps of the task yet. */
  latest?: string | undefined;
  recommended?: readonly string[] | undefined;
  /** Without one the question waits as long as the task lives. */
  on_silence?: Silence;
  suggestion?: JsonObject | null;
  /** Whether an attempt has come to nothing before it, instead of being given up to ask. */
  isAfterAttempt?: boolean;
}

const shortened = (text: string): string => text.slice(0, LONGEST_TEXT);

/** The event by which the system hands a decision over. The answer is resume, change or cancel. */
export function askedBySystem(state: TaskState, ask: Question, now: number): DraftEvent {
  const { origin, mishaps } = state;
  const latest = ask.latest === undefined ? [] : [ask.latest];
  const attempted = [...mishaps.map(({ what }) => what), ...latest]
    .slice(-SHOWN_FAILURES)
    .map(shortened);
  const recommended = ask.recommended ?? [];
  return {
    type: "task_escalated",
    actor: SYSTEM,
    data: {
      notification_id: `${ask.cause}-${origin.uid}-${state.seq}`,
      notification_type: "task_escalated",
      task_id: origin.task_id,
      agent_id: SYSTEM.id,
      timestamp: instant(now),
      status: "escalated",
      data: {
        escalation_reason: shortened(ask.reason),
        escalation_level: ask.level,
        question: shortened(ask.question),
        urgency: ask.urgency,
        context: ask.context,
        options: ["resume", "change", "cancel"],
        ...(attempted.length > 0 && { attempted_solutions: attempted }),
        ...(recommended.length > 0 && { recommended_actions: recommended }),
        ...(ask.on_silence !== undefined && {
          deadline: instant(Math.min(now + PATIENCE_MS, totalDeadline(state))),
        }),
      },
      metadata: {
        escalation_kind: ask.kind,
        ...(ask.on_silence !== undefined && { on_silence: ask.on_silence }),
        ...(ask.suggestion != null && { suggestion: ask.suggestion }),
        ...(ask.isAfterAttempt === true && { after_attempt: true }),
      },
    },
  };
}

/** Whether the task asks for an escalation in this case. */
export function escalatesOn(state: TaskState, trigger: EscalationTrigger): boolean {
  return state.task.execution_options.escalate_on?.includes(trigger) === true;
}

/** What brought a task to the point where its policy has nothing more. */
export interface LastFailure extends Silence {
  actor?: Actor;
  hasPartialResults?: boolean;
  latest?: string;
  recommended?: readonly string[] | undefined;
  isAfterAttempt?: boolean;
}

/** Evidence of what went wrong: the last failure in full, those before it in short. */
export function failureContext(state: TaskState, error: Failure): JsonObject {
  const earlier = state.mishaps.slice(-SHOWN_FAILURES).map(({ what, at, class: kind }) => ({
    what: shortened(what),
    at: instant(at),
    class: kind,
  }));
  return { last_error: error, earlier_failures: earlier };
}

/** The end of a task for which its policy has no further attempt, or the question for one where it asks for that. */
export function endOrAsk(
  state: TaskState,
  trigger: EscalationTrigger,
  last: LastFailure,
  now: number,
): DraftEvent {
  const { reason, error, actor, hasPartialResults, latest, recommended, isAfterAttempt } = last;
  if (!escalatesOn(state, trigger)) {
    return verdictEvent(state, {
      reason,
      error,
      ...(actor !== undefined && { actor }),
      ...(hasPartialResults !== undefined && { hasPartialResults }),
    });
  }
  const isWaiting = trigger === "queue_timeout";
  return askedBySystem(
    state,
    {
      cause: trigger,
      kind: "handover",
      reason: isWaiting ? error.message : `No retry is left: ${error.message}`,
      question: isWaiting
        ? "Wait again, change the task, or cancel it?"
        : "Try once more, change the task, or cancel it?",
      level: "human",
      urgency: state.priority === "critical" ? "critical" : "high",
      context: failureContext(state, error),
      latest,
      recommended,
      on_silence: { reason, error },
      isAfterAttempt: isAfterAttempt === true,
    },
    now,
  );
}
