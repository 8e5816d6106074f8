import * as z from "zod";

import { endReasonSchema } from "../../protocol/enums.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import { jsonObjectSchema } from "../../protocol/primitives.ts";
import { waitingPlace } from "../kin/gates.ts";
import { patched } from "./patch.ts";
import type { EscalationRecord } from "./records.ts";
import type { LoggedEvent, TaskState } from "./state.ts";

const escalatedSchema = z.object({
  escalation_level: z.enum(["agent", "orchestrator", "human"]),
  attempted_solutions: z.array(z.string()).optional(),
  recommended_actions: z.array(z.string()).optional(),
  escalation_reason: z.string(),
  question: z.string(),
  urgency: z.enum(["low", "medium", "high", "critical"]),
  context: z.unknown().optional(),
  options: z.array(z.string()).optional(),
  deadline: z.iso.datetime({ offset: true }).optional(),
  default_option: z.string().optional(),
});

const sentSchema = z.object({ agent_id: z.string(), data: escalatedSchema });

/** What the system adds when it asks; see handover.ts. */
const termsSchema = z.object({
  escalation_kind: z.enum(["question", "approval", "handover"]),
  on_silence: z
    .object({
      reason: endReasonSchema,
      error: z.object({
        type: z.string(),
        message: z.string(),
        root_cause: jsonObjectSchema.nullable(),
      }),
    })
    .nullable()
    .default(null),
  suggestion: jsonObjectSchema.nullable().default(null),
  after_attempt: z.boolean().default(false),
});
type Terms = z.infer<typeof termsSchema>;

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
function termsOf(event: LoggedEvent): Terms {
  return termsSchema.parse(
    event.actor.kind === "executor" ? { escalation_kind: "question" } : event.data["metadata"],
  );
}

/** What whoever answers can go by. What the message does not say is left out. */
function evidenceOf(data: z.infer<typeof escalatedSchema>): JsonObject {
  const { context, attempted_solutions, recommended_actions, escalation_level: level } = data;
  return {
    ...(context !== undefined && { context }),
    ...(attempted_solutions !== undefined && { attempted_solutions }),
    ...(recommended_actions !== undefined && { recommended_actions }),
    level,
  };
}

/** How many escalations before the latest one are remembered. */
const REMEMBERED_ESCALATIONS = 50;

function remembered({ escalation, past_escalations }: TaskState): EscalationRecord[] {
  return escalation === null
    ? past_escalations
    : [...past_escalations, escalation].slice(-REMEMBERED_ESCALATIONS);
}

/** The task waits for an answer. */
export function openEscalation(state: TaskState, event: LoggedEvent): TaskState {
  const { data, agent_id } = sentSchema.parse(event.data);
  const number = state.escalation_count + 1;
  const { escalation_kind: kind, on_silence, suggestion, after_attempt } = termsOf(event);
  const escalation: EscalationRecord = {
    escalation_id: escalationIdOf(state.origin.task_id, number),
    kind,
    state: "open",
    question: data.question,
    options: data.options ?? data.recommended_actions ?? [],
    evidence: evidenceOf(data),
    urgency: data.urgency,
    deadline: data.deadline === undefined ? null : Date.parse(data.deadline),
    default_option: data.default_option ?? null,
    created_at: event.at,
    resolved_at: null,
    decision: null,
    answer: null,
    actor: null,
    level: data.escalation_level,
    asked_by: agent_id,
    on_silence,
    suggestion,
  };
  return {
    ...state,
    status: "escalated",
    phase: kind === "approval" ? "awaiting_approval" : "awaiting_input",
    queued_at: null,
    waiting_since: null,
    retry_at: null,
    escalation,
    past_escalations: remembered(state),
    escalation_count: number,
    uncounted_attempts:
      state.uncounted_attempts + (state.holder === null && !after_attempt ? 0 : 1),
    asked_attempts: state.asked_attempts + (after_attempt ? 1 : 0),
  };
}

/** The answer came, or will not come any more. */
export function closeEscalation(state: TaskState, event: LoggedEvent): TaskState {
  if (state.escalation === null) return state;
  const resolved = resolvedSchema.parse(event.data);
  const { question } = state.escalation;
  const goesOn = resolved.state === "resolved" && resolved.decision !== "cancel";
  return {
    ...state,
    ...patched(state, resolved.patch),
    ...(goesOn && waitingPlace(state)),
    ...(state.excuse === "asked" && { excuse: goesOn ? "granted" : "none" }),
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
