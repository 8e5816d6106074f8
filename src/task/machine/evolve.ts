import * as z from "zod";

import { endReasonSchema } from "../../protocol/enums.ts";
import { qualityAssessmentSchema } from "../../protocol/notification.ts";
import { jsonObjectSchema } from "../../protocol/primitives.ts";
import { endPhaseRecordSchema } from "../../protocol/task-view.ts";
import { asksForExcuse, released, waitingPlace } from "../kin/gates.ts";
import { applyCommand, applyCommandState } from "./evolve-commands.ts";
import { closeEscalation, openEscalation } from "./evolve-escalation.ts";
import { completed, failed, heardIfSent, progressed, started } from "./evolve-notifications.ts";
import { incidentsAfter } from "./incidents.ts";
import { patched } from "./patch.ts";
import type { LoggedEvent, Origin, SettledTask, TaskState } from "./state.ts";
import { projectionOf } from "./state.ts";

/** The task before its first event. */
export function blankTask(origin: Origin, task: SettledTask, at: number): TaskState {
  return {
    origin,
    task,
    seq: 0,
    notification_count: 0,
    notifications: {},
    submitted_type: task.task_type,
    created_at: at,
    updated_at: at,
    ended_at: null,
    phase: "queued",
    status: "pending",
    priority: task.priority,
    attempt: 0,
    retries_used: 0,
    uncounted_attempts: 0,
    asked_attempts: 0,
    queued_at: null,
    waiting_since: null,
    retry_at: null,
    started_at: null,
    holder: null,
    holders: [],
    declined_by: [],
    complexity: null,
    progress: null,
    recent: [],
    decision: null,
    granted: { cost_usd: 0, tokens: 0, duration_s: 0 },
    reported: { cost_usd: 0, tokens: 0 },
    warned_of: [],
    commands: [],
    escalation: null,
    past_escalations: [],
    escalation_count: 0,
    answers: [],
    mishaps: [],
    incidents: [],
    verdict: null,
    end_phases: [],
    memo: null,
    prerequisites: null,
    excuse: "none",
    family: null,
  };
}

const assignedSchema = z.object({ agent_id: z.string(), attempt: z.int() });
const lostSchema = z.object({ cause: z.string(), attempt: z.int(), agent_id: z.string() });
const retrySchema = z.object({
  due_at: z.iso.datetime(),
  costs_retry: z.boolean(),
  patch: jsonObjectSchema.optional(),
});
const verdictSchema = z.object({
  reason: endReasonSchema,
  partial: z.boolean(),
  result: z.unknown(),
  quality_assessment: qualityAssessmentSchema.nullable(),
  error: z
    .object({ type: z.string(), message: z.string(), root_cause: jsonObjectSchema.nullable() })
    .nullable(),
});

const warningSchema = z.object({ resource: z.string(), projected: z.number().optional() });

/** The attempt is over: the lease is void. */
function withoutHolder(state: TaskState): TaskState {
  return { ...state, holder: null };
}

function assigned(state: TaskState, event: LoggedEvent): TaskState {
  const { agent_id, attempt } = assignedSchema.parse(event.data);
  return {
    ...state,
    phase: "assigned",
    status: "running",
    attempt,
    queued_at: null,
    holders: [...new Set([...state.holders, agent_id])],
    progress: null,
    holder: {
      agent_id,
      attempt,
      token: event.token ?? "",
      assigned_at: event.at,
      started_at: null,
      heard_at: event.at,
      progressed_at: event.at,
      plan: null,
      paused_at: null,
      next_sequence: 1,
    },
  };
}

function leaseLost(state: TaskState, event: LoggedEvent): TaskState {
  const lost = lostSchema.parse(event.data);
  return withoutHolder({
    ...state,
    mishaps: [
      ...state.mishaps,
      {
        what: `Attempt ${lost.attempt} of ${lost.agent_id} lost its lease (${lost.cause})`,
        at: event.at,
        class: lost.cause,
        effect: "The work of the attempt since its last checkpoint is lost",
        action: "The lease was voided; later writes of that attempt are refused",
      },
    ],
  });
}

function retryScheduled(state: TaskState, event: LoggedEvent): TaskState {
  const retry = retrySchema.parse(event.data);
  return {
    ...withoutHolder(state),
    phase: "retry_wait",
    status: "pending",
    waiting_since: null,
    retry_at: Date.parse(retry.due_at),
    retries_used: state.retries_used + (retry.costs_retry ? 1 : 0),
    ...patched(state, retry.patch),
  };
}

function verdict(state: TaskState, event: LoggedEvent): TaskState {
  const frozen = verdictSchema.parse(event.data);
  const status =
    frozen.reason === "success"
      ? "completed"
      : frozen.reason === "cancelled"
        ? "cancelled"
        : frozen.reason === "escalated"
          ? "escalated"
          : "failed";
  return {
    ...state,
    phase: "finalizing",
    status,
    queued_at: null,
    waiting_since: null,
    retry_at: null,
    verdict: {
      reason: frozen.reason,
      at: event.at,
      result: frozen.result ?? null,
      quality: frozen.quality_assessment,
      error: frozen.error,
      hasPartialResults: frozen.partial,
    },
  };
}

function declined(state: TaskState, event: LoggedEvent): TaskState {
  const agent = z.object({ agent_id: z.string() }).parse(event.data).agent_id;
  return {
    ...withoutHolder(state),
    declined_by: [...new Set([...state.declined_by, agent])],
    uncounted_attempts: state.uncounted_attempts + 1,
  };
}

function warned(state: TaskState, event: LoggedEvent): TaskState {
  const { resource, projected } = warningSchema.parse(event.data);
  const cause = projected === undefined ? resource : projectionOf(resource);
  return { ...state, warned_of: [...state.warned_of, cause] };
}

function submitted(state: TaskState): TaskState {
  return { ...state, phase: "queued", status: "pending", ...waitingPlace(state) };
}

function ready(state: TaskState, event: LoggedEvent): TaskState {
  const next = { ...state, ...released(state, event), retry_at: null };
  const place = waitingPlace(next);
  if (place !== null) return { ...next, ...place };
  const waiting_since = state.waiting_since ?? event.at;
  return { ...next, phase: "queued", status: "pending", queued_at: event.at, waiting_since };
}

function escalated(state: TaskState, event: LoggedEvent): TaskState {
  const next = withoutHolder(openEscalation(heardIfSent(state, event), event));
  return asksForExcuse(event) ? { ...next, excuse: "asked" } : next;
}

function endPhase(state: TaskState, event: LoggedEvent): TaskState {
  return { ...state, end_phases: [...state.end_phases, endPhaseRecordSchema.parse(event.data)] };
}

/** The effect of one kind of event, before the bookkeeping that all share. */
function effect(state: TaskState, event: LoggedEvent): TaskState {
  switch (event.type) {
    case "task_submitted":
      return submitted(state);
    case "task_approved":
    case "escalation_resolved":
      return closeEscalation(state, event);
    case "task_ready":
      return ready(state, event);
    case "task_routed":
      return { ...state, decision: event.data };
    case "task_assigned":
      return assigned(state, event);
    case "task_declined":
      return declined(state, event);
    case "lease_expired":
      return leaseLost(state, event);
    case "retry_scheduled":
      return retryScheduled(state, event);
    case "command_issued":
      return applyCommand(state, event);
    case "command_acknowledged":
      return applyCommandState(state, event);
    case "budget_warning":
      return warned(state, event);
    case "verdict":
      return verdict(state, event);
    case "finalization_phase":
      return endPhase(state, event);
    case "task_started":
      return started(state, event);
    case "task_progress":
      return progressed(state, event);
    case "task_completed":
      return completed(state, event);
    case "task_failed":
      return failed(state, event);
    case "task_escalated":
      return escalated(state, event);
    case "agent_end_task":
      return { ...withoutHolder(state), phase: "ended", ended_at: event.at };
    case "agent_status":
    case "system_alert":
      return state;
  }
}

const NOTIFICATIONS: ReadonlySet<string> = new Set([
  "task_started",
  "task_progress",
  "task_completed",
  "task_failed",
  "task_escalated",
  "agent_end_task",
]);

/**
 * The task after one event. The only way its state changes, live and when it is read back, so that the
 * snapshot is the fold of the log.
 *
 * @throws RangeError when the event is not the next one
 */
export function evolve(state: TaskState, event: LoggedEvent): TaskState {
  if (event.seq !== state.seq + 1) {
    throw new RangeError(`event ${event.seq} cannot follow ${state.seq}`);
  }
  const next = effect(state, event);
  return {
    ...next,
    seq: event.seq,
    updated_at: event.at,
    incidents: incidentsAfter(state, event),
    ...(NOTIFICATIONS.has(event.type) && {
      notification_count: next.notification_count + 1,
      notifications: {
        ...next.notifications,
        [event.type]: (next.notifications[event.type] ?? 0) + 1,
      },
    }),
  };
}
