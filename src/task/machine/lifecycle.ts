import { instant } from "../../lib/ports.ts";
import { ok, refuse } from "../../lib/result.ts";
import { onward } from "../kin/gates.ts";
import { approvalEvent } from "./autonomy.ts";
import type { Command, Decision } from "./commands.ts";
import { contractFaults } from "./gates.ts";
import { memoOf } from "./heartbeat.ts";
import { endedRefusal, fence } from "./lease.ts";
import { remembered } from "./replay.ts";
import type { DraftEvent, TaskState } from "./state.ts";
import { SYSTEM, hasVerdict } from "./state.ts";
import { closedCancels, openCancels, readyEvent, verdictEvent } from "./verdict.ts";

type Of<Type extends Command["type"]> = Extract<Command, { type: Type }>;

/** The request as a span, kept in the event because no row is written for it: the trace of the task begins with it. */
function requestOf({ hop }: Of<"submit">) {
  return hop === undefined ? {} : { request: { ...hop, received_at: instant(hop.received_at) } };
}

/** How complex the task was judged to be, with the caller's own word beside it. */
function complexityOf({ origin, task }: Of<"submit">) {
  const { assessment } = origin;
  if (assessment === undefined) return {};
  return { complexity: { ...assessment, caller: task.complexity ?? null } };
}

/**
 * A task comes in: it is queued, or waits for approval, then for its prerequisites or children. A repetition of the
 * same request changes nothing.
 */
export function decideSubmit(
  state: TaskState | null,
  command: Of<"submit">,
  now: number,
): Decision {
  if (state !== null) {
    return state.origin.body_hash === command.origin.body_hash
      ? ok({ events: [], repeated_seq: 1 })
      : refuse({
          code: "idempotency_conflict",
          detail: "A different request was submitted under this task id or idempotency key.",
          extra: { existing_task_id: state.origin.task_id },
        });
  }
  const faults = contractFaults(command.task);
  if (faults.length > 0) {
    return refuse({
      code: "validation_failed",
      detail: "The task's contract cannot be checked.",
      errors: faults,
    });
  }
  const { task } = command;
  const submitted: DraftEvent = {
    type: "task_submitted",
    actor: command.actor,
    data: {
      task_type: task.task_type,
      priority: task.priority,
      pool: task.pool,
      timeout: task.timeout,
      tags: task.tags ?? [],
      ...complexityOf(command),
      ...requestOf(command),
    },
  };
  const approval = approvalEvent(command, now);
  const { origin } = command;
  const follows = onward({ origin, task, prerequisites: null }, "submitted");
  return ok({ events: [submitted, ...(approval === null ? follows : [approval])] });
}

/** An executor takes the task. Refused unless the task is queued for exactly this attempt. */
export function decideAssign(state: TaskState, command: Of<"assign">, now: number): Decision {
  if (hasVerdict(state)) return refuse(endedRefusal(state));
  // A parent that is being cancelled waits for its children, and starts no further attempt.
  const isCancelling = openCancels(state).length > 0;
  if (state.phase !== "queued" || isCancelling || command.attempt !== state.attempt + 1) {
    return refuse({
      code: "transition_refused",
      detail: `The task cannot be assigned in phase ${state.phase}`,
      extra: { phase: state.phase },
    });
  }
  return ok({
    events: [
      { type: "task_routed", actor: SYSTEM, data: command.decision },
      {
        type: "task_assigned",
        actor: { kind: "executor", id: command.agent_id },
        data: {
          agent_id: command.agent_id,
          attempt: command.attempt,
          lease_expires_at: instant(now + state.task.heartbeat_timeout * 1_000),
        },
        token: command.token,
      },
    ],
  });
}

/** The executor gives the task back, which costs no retry. */
export function decideDecline(state: TaskState, command: Of<"decline">, now: number): Decision {
  if (hasVerdict(state)) return refuse(endedRefusal(state));
  const fenced = fence(state, command.token, command.signer?.agent_id ?? null);
  if (!fenced.ok) return fenced;
  const memory = remembered(memoOf(state, fenced.value, now), command.signer, now);
  if (!memory.ok) return memory;
  const { agent_id, attempt } = fenced.value;
  const declined: DraftEvent = {
    type: "task_declined",
    actor: { kind: "executor", id: agent_id },
    data: { agent_id, attempt, reason: command.reason },
  };
  const isCancelling = openCancels(state).length > 0;
  return ok({
    // Without a signature there is nothing to remember, and no row to write.
    ...(command.signer != null && { memo: memory.value }),
    events: isCancelling
      ? [
          declined,
          ...closedCancels(state, "confirmed", declined.actor, now),
          verdictEvent(state, { reason: "cancelled" }),
        ]
      : [declined, readyEvent("declined")],
  });
}
