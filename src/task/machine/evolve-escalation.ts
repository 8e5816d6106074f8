import { z } from "zod";

import { jsonObjectSchema } from "../../protocol/primitives.ts";
import { patched } from "./patch.ts";
import type { EscalationRecord, LoggedEvent, TaskState } from "./state.ts";

const escalatedSchema = z.object({
  escalation_reason: z.string(),
  question: z.string(),
  urgency: z.enum(["low", "medium", "high", "critical"]),
  context: z.unknown().optional(),
  options: z.array(z.string()).default([]),
  deadline: z.iso.datetime({ offset: true }).optional(),
  default_option: z.string().optional(),
});

const sentSchema = z.object({ data: escalatedSchema });

const kindSchema = z.object({
  metadata: z.object({ escalation_kind: z.enum(["approval", "handover"]) }),
});

const resolvedSchema = z.object({
  decision: z.enum(["resume", "change", "cancel"]),
  answer: z.string().nullable(),
  state: z.enum(["resolved", "expired", "cancelled"]),
  patch: jsonObjectSchema.optional(),
});

/** The id of the n-th escalation of a task; it leads back to the task's object. */
export function escalationIdOf(task_id: string, number: number): string {
  return `esc_${number}_${task_id}`;
}

/** An executor asks; what else it says in its metadata is its own business. */
function kindOf(event: LoggedEvent): EscalationRecord["kind"] {
  return event.actor.kind === "executor"
    ? "question"
    : kindSchema.parse(event.data).metadata.escalation_kind;
}

/** The task waits for an answer. */
export function openEscalation(state: TaskState, event: LoggedEvent): TaskState {
  const sent = sentSchema.parse(event.data);
  const number = state.escalation_count + 1;
  const kind = kindOf(event);
  const escalation: EscalationRecord = {
    escalation_id: escalationIdOf(state.origin.task_id, number),
    kind,
    state: "open",
    question: sent.data.question,
    options: sent.data.options,
    evidence: sent.data.context ?? null,
    urgency: sent.data.urgency,
    deadline: sent.data.deadline === undefined ? null : Date.parse(sent.data.deadline),
    default_option: sent.data.default_option ?? null,
    created_at: event.at,
    resolved_at: null,
    decision: null,
    answer: null,
    actor: null,
  };
  return {
    ...state,
    status: "escalated",
    phase: kind === "approval" ? "awaiting_approval" : "awaiting_input",
    queued_at: null,
    retry_at: null,
    escalation,
    escalation_count: number,
    uncounted_attempts: state.uncounted_attempts + (state.holder === null ? 0 : 1),
  };
}

/** The answer came, or will not come any more. */
export function closeEscalation(state: TaskState, event: LoggedEvent): TaskState {
  if (state.escalation === null) return state;
  const resolved = resolvedSchema.parse(event.data);
  const { question } = state.escalation;
  return {
    ...state,
    ...patched(state, resolved.patch),
    escalation: {
      ...state.escalation,
      state: resolved.state,
      decision: resolved.state === "resolved" ? resolved.decision : null,
      answer: resolved.answer,
      resolved_at: event.at,
      actor: event.actor.id,
    },
    answers:
      resolved.answer === null
        ? state.answers
        : [...state.answers, { question, answer: resolved.answer, decision: resolved.decision }],
  };
}
