import { randomId } from "../../lib/ports.ts";
import type { EndReason } from "../../protocol/enums.ts";
import type { TaskState } from "../machine/state.ts";
import { hasVerdict } from "../machine/state.ts";
import { openCancels } from "../machine/verdict.ts";
import type { StopOrder } from "../ports.ts";

/** The id of a command that the system itself gives. */
export function newCommandId(): string {
  return `cmd_${randomId()}`;
}

/** What children are told when their parent is over or being cancelled. */
export function stopOrderOf(state: TaskState): StopOrder {
  if (!hasVerdict(state)) {
    const [cancel] = openCancels(state);
    return {
      reason: cancel?.end_reason ?? "cancelled",
      message: cancel?.reason ?? `Parent ${state.origin.task_id} is being cancelled`,
    };
  }
  const { reason } = state.verdict;
  const inherited: readonly EndReason[] = ["timeout", "resource_exhausted"];
  return {
    reason: inherited.includes(reason) ? reason : "cancelled",
    message: `Parent ${state.origin.task_id} ended with reason ${reason}`,
  };
}
