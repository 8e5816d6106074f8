import { ok, refuse } from "../../lib/result.ts";
import type { CommandName } from "../../protocol/enums.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Fault, Refusal } from "../../protocol/refusal.ts";
import type { Actor } from "../../protocol/task-view.ts";
import { openChildren } from "../kin/family.ts";
import { onward } from "../kin/gates.ts";
import { attemptRefusal, grantRefusal } from "../kin/tree-budget.ts";
import type { Command, Decision } from "./commands.ts";
import { escalationIdOf } from "./evolve-escalation.ts";
import { valueAt } from "./gates.ts";
import { endedRefusal } from "./lease.ts";
import { mergedFaults } from "./patch.ts";
import type { DraftEvent, TaskState } from "./state.ts";
import { SYSTEM, hasVerdict, usageOf } from "./state.ts";
import {
  closedCancels,
  closedEscalation,
  openCancels,
  readyEvent,
  verdictEvent,
} from "./verdict.ts";

type Order = Extract<Command, { type: "order" }>;
type Resolve = Extract<Command, { type: "resolve" }>;

/** What a patch may not touch: identity, and what was decided when the task came in. */
const FIXED_FIELDS = [
  "task_id",
  "task_type",
  "parent_task_id",
  "pool",
  "orchestrator_info",
  "stakeholders",
  "subtasks",
  "weight",
];

const FIXED_PARAMETERS = ["dependencies", "on_failed_dependency"];

function patchRefusal(errors: Fault[]): Refusal {
  return {
    code: "patch_rejected",
    detail: "The patch does not give a valid task_execution.",
    errors,
  };
}

/** Whether a merge patch keeps the task valid: judged by the same schema as a submission. */
function patchFault(state: TaskState, patch: JsonObject): Refusal | null {
  const fixed = [
    ...FIXED_FIELDS.filter((field) => Object.hasOwn(patch, field)),
    // Prerequisites and how they are judged: what came in without them can never wait in a circle.
    ...FIXED_PARAMETERS.filter((field) => valueAt(patch, `parameters.${field}`) !== undefined).map(
      (field) => `parameters/${field}`,
    ),
  ];
  if (fixed.length > 0) {
    return patchRefusal(
      fixed.map((field) => ({
        pointer: `/patch/${field}`,
        code: "fixed",
        detail: `${field} cannot be changed after the submission`,
      })),
    );
  }
  const faults = mergedFaults(state.task, patch);
  return faults.length === 0
    ? null
    : patchRefusal(faults.map((fault) => ({ ...fault, pointer: `/patch${fault.pointer}` })));
}

function issued(order: Order, isConfirmed: boolean, more: JsonObject = {}): DraftEvent {
  const { request } = order;
  return {
    type: "command_issued",
    actor: order.actor,
    data: {
      command_id: order.command_id,
      command: request.command,
      reason: request.reason ?? null,
      state: isConfirmed ? "confirmed" : "requested",
      ...(request.priority !== undefined && {
        priority: request.priority === "urgent" ? "critical" : request.priority,
      }),
      ...(request.grant !== undefined && { grant: request.grant }),
      ...more,
    },
  };
}

const BEING_CANCELLED = "the task is being cancelled";

function refused(state: TaskState, command: CommandName | "change", rule: string): Decision {
  return refuse({
    code: "command_refused",
    detail: `${command} is not possible in phase ${state.phase}: ${rule}`,
    extra: { phase: state.phase },
  });
}

/** With an executor the command travels in the heartbeat's answer; without one there is nobody to ask. */
function forExecutor(state: TaskState, order: Order): Decision {
  return state.holder === null
    ? refused(state, order.request.command, "no executor holds the task")
    : ok({ events: [issued(order, false)] });
}

function cancel(state: TaskState, order: Order): Decision {
  if (state.holder !== null) {
    return ok({ events: [issued(order, false, { used_before: usageOf(state) })] });
  }
  // A tree is cancelled leaf first: the children hear of it at once, and their end confirms this one.
  if (openChildren(state.family).length > 0) {
    return ok({ events: [issued(order, false), ...closedEscalation(state, order.actor)] });
  }
  return ok({
    events: [issued(order, true), verdictEvent(state, { reason: "cancelled", actor: order.actor })],
  });
}

function retry(state: TaskState, order: Order, now: number): Decision {
  const { patch } = order.request;
  if (openCancels(state).length > 0) return refused(state, "retry", BEING_CANCELLED);
  const fault = patch === undefined ? null : patchFault(state, patch);
  if (fault !== null) return refuse(fault);
  if (state.phase === "awaiting_input") return resolveAs(state, order, "change");
  if (state.phase !== "retry_wait") {
    return refused(state, "retry", "it brings forward a planned retry or answers an escalation");
  }
  return ok({
    events: [
      issued(order, true),
      {
        type: "retry_scheduled",
        actor: order.actor,
        data: {
          cause: "command",
          attempt: state.attempt + 1,
          delay_s: 0,
          due_at: new Date(now).toISOString(),
          costs_retry: false,
          ...(patch !== undefined && { patch }),
        },
      },
      readyEvent("retry", order.actor),
    ],
  });
}

/** A command that answers the open escalation instead of going to an executor. */
function resolveAs(state: TaskState, order: Order, decision: "resume" | "change"): Decision {
  const { patch, reason } = order.request;
  const spent = attemptRefusal(state);
  if (spent !== null) return refuse(spent);
  return ok({
    events: [
      issued(order, true),
      ...resolution(state, order.actor, { decision, answer: reason ?? null, patch }),
    ],
  });
}

function escalate(state: TaskState, order: Order, now: number): Decision {
  if (state.escalation?.state === "open") {
    return refused(state, "escalate", "an escalation is open already");
  }
  if (openCancels(state).length > 0) {
    return refused(state, "escalate", BEING_CANCELLED);
  }
  const reason = order.request.reason ?? "The orchestrator asks for a decision";
  const opened: DraftEvent = {
    type: "task_escalated",
    actor: order.actor,
    data: {
      notification_id: order.command_id,
      notification_type: "task_escalated",
      task_id: state.origin.task_id,
      agent_id: SYSTEM.id,
      timestamp: new Date(now).toISOString(),
      status: "escalated",
      data: {
        escalation_reason: reason,
        escalation_level: "orchestrator",
        question: reason,
        urgency: "medium",
      },
      metadata: { escalation_kind: "handover" },
    },
  };
  return ok({ events: [issued(order, true), opened] });
}

/** An orchestrator or operator wants something of the task. Refused once the verdict is frozen. */
export function decideOrder(state: TaskState, order: Order, now: number): Decision {
  if (hasVerdict(state)) return refuse(endedRefusal(state));
  const { command } = order.request;
  const isApproving =
    command === "resume" && state.escalation?.state === "open" && openCancels(state).length === 0;
  switch (command) {
    case "cancel":
      return cancel(state, order);
    case "retry":
      return retry(state, order, now);
    case "escalate":
      return escalate(state, order, now);
    case "resume":
      return isApproving ? resolveAs(state, order, "resume") : forExecutor(state, order);
    case "request_update":
    case "pause":
      return forExecutor(state, order);
    // The system itself carries these out; an executor learns of them in its next heartbeat.
    case "set_priority":
    case "grant_resources":
    case "acknowledge": {
      const beyond = grantRefusal(state, order.request.grant ?? {});
      return beyond === null
        ? ok({ events: [issued(order, state.holder === null)] })
        : refuse(beyond);
    }
  }
}

/** The decision change without a patch takes over what was suggested. */
function suggestedPatch({ escalation }: TaskState, decision: string): JsonObject | undefined {
  return (decision === "change" ? escalation?.suggestion : null) ?? undefined;
}

function resolution(
  state: TaskState,
  actor: Actor,
  answer: {
    decision: "resume" | "change" | "cancel";
    answer: string | null;
    patch?: JsonObject | undefined;
  },
): DraftEvent[] {
  const isApproval = state.escalation?.kind === "approval" && answer.decision !== "cancel";
  const patch = answer.patch ?? suggestedPatch(state, answer.decision);
  const resolved: DraftEvent = {
    type: isApproval ? "task_approved" : "escalation_resolved",
    actor,
    data: {
      escalation_id: state.escalation?.escalation_id ?? "",
      state: "resolved",
      decision: answer.decision,
      answer: answer.answer,
      ...(patch !== undefined && { patch }),
    },
  };
  return answer.decision === "cancel"
    ? [
        resolved,
        ...closedCancels(state, "confirmed", actor),
        verdictEvent(state, { reason: "cancelled", actor }),
      ]
    : [resolved, ...onward(state, isApproval ? "approved" : "escalation resolved", actor)];
}

function hadEscalation(state: TaskState, escalation_id: string): boolean {
  const number = Number(/^esc_(\d{1,9})_/.exec(escalation_id)?.[1] ?? "0");
  const isPast = number >= 1 && number < state.escalation_count;
  return isPast && escalation_id === escalationIdOf(state.origin.task_id, number);
}

/**
 * The answer to an escalation: single use. Only a cancellation is left while the task is being cancelled, and once
 * the attempts of its budget are used up.
 */
export function decideResolve(state: TaskState, command: Resolve): Decision {
  if (state.escalation?.escalation_id !== command.escalation_id) {
    return hadEscalation(state, command.escalation_id)
      ? refuse({ code: "escalation_closed", detail: "A later escalation has taken its place." })
      : refuse({ code: "escalation_not_found", detail: "This task has no such escalation." });
  }
  if (state.escalation.state !== "open") {
    return refuse({
      code: "escalation_closed",
      detail: `The escalation is ${state.escalation.state}; it can be answered once.`,
    });
  }
  if (hasVerdict(state)) return refuse(endedRefusal(state));
  const { decision, answer, patch } = command.resolution;
  if (decision !== "cancel") {
    if (openCancels(state).length > 0) return refused(state, decision, BEING_CANCELLED);
    const spent = attemptRefusal(state);
    if (spent !== null) return refuse(spent);
  }
  const fault = patch === undefined ? null : patchFault(state, patch);
  return fault === null
    ? ok({ events: resolution(state, command.actor, { decision, answer: answer ?? null, patch }) })
    : refuse(fault);
}
