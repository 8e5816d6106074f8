import { ok, refuse } from "../../lib/result.ts";
import { decideFamily, decideStop } from "../kin/decide-family.ts";
import { decideGates } from "../kin/gates.ts";
import { ringing } from "./clocks.ts";
import type { Command, Decision } from "./commands.ts";
import { decideEnd, decideFinish } from "./end.ts";
import { decideHeartbeat } from "./heartbeat.ts";
import { decideAssign, decideDecline, decideSubmit } from "./lifecycle.ts";
import { decideNotify } from "./notify.ts";
import { decideOrder, decideResolve } from "./orders.ts";
import type { TaskState } from "./state.ts";

/**
 * What a command does to a task: the events to append, or a refusal that says why not.
 *
 * Pure: the same state, command and clock give the same decision. A task that does not exist refuses
 * everything but its submission with task_not_found.
 *
 * @param now epoch milliseconds
 */
export function decide(state: TaskState | null, command: Command, now: number): Decision {
  if (command.type === "submit") return decideSubmit(state, command, now);
  if (state === null) {
    return refuse({ code: "task_not_found", detail: "There is no task with this id." });
  }
  switch (command.type) {
    case "assign":
      return decideAssign(state, command, now);
    case "decline":
      return decideDecline(state, command, now);
    case "heartbeat":
      return decideHeartbeat(state, command, now);
    case "notify":
      return decideNotify(state, command, now);
    case "end":
      return decideEnd(state, command, now);
    case "order":
      return decideOrder(state, command, now);
    case "resolve":
      return decideResolve(state, command);
    case "gates":
      return decideGates(state, command, now);
    case "family":
      return decideFamily(state, command, now);
    case "stop":
      return decideStop(state, command);
    case "tick":
      return ok({ events: ringing(state, now) });
    case "finish":
      return decideFinish(state, command);
  }
}
