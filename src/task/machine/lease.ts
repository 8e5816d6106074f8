import { refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import { ok } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Holder, TaskState } from "./state.ts";

/** The refusal of whatever comes after the task's end. */
export function endedRefusal(state: TaskState): Refusal {
  return {
    code: "task_ended",
    detail:
      state.phase === "ended"
        ? `The task ended with reason ${state.verdict?.reason ?? "unknown"}; it accepts nothing more.`
        : `The verdict ${state.verdict?.reason ?? ""} is frozen; the task is being finalised.`,
    extra: { end_reason: state.verdict?.reason ?? null },
  };
}

/** The refusal of a writer who does not hold the lease. */
function leaseLostRefusal(detail: string): Refusal {
  return { code: "lease_lost", detail };
}

/**
 * Lets only the holder of the lease pass: its token fences every write of the attempt.
 *
 * @param agent_id who claims to write; null when the message does not say
 */
export function fence(
  state: TaskState,
  token: string | null,
  agent_id: string | null,
): Result<Holder, Refusal> {
  const { holder } = state;
  const everHeld = agent_id === null || state.holders.includes(agent_id);
  if (!everHeld) {
    return refuse({
      code: "wrong_agent",
      detail: `Agent ${agent_id} never held this task; only the executor that it is assigned to may write.`,
    });
  }
  if (holder === null) {
    return refuse(
      leaseLostRefusal("Nobody holds this task at present; claim it to get a lease token."),
    );
  }
  if (token === null) {
    return refuse(
      leaseLostRefusal("The Lease-Token header is missing; send the token of the claim."),
    );
  }
  if (token !== holder.token || (agent_id !== null && agent_id !== holder.agent_id)) {
    return refuse(
      leaseLostRefusal(
        "The lease token is stale: the lease expired or was given to another attempt.",
      ),
    );
  }
  return ok(holder);
}
