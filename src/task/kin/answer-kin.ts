import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { KinCall } from "../../protocol/kin.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { TaskState } from "../machine/state.ts";
import type { TaskKeeper } from "../task-keeper.ts";
import { tiesOf } from "./family-keeper.ts";
import { newCommandId } from "./stop-order.ts";

type Answer = Promise<Result<unknown, Refusal>>;

async function answerOf(keeper: TaskKeeper, state: TaskState, call: KinCall): Answer {
  switch (call.call) {
    case "adopt":
      return keeper.kin.family.adopt(call.offers, { token: call.token, isTrial: call.is_trial });
    case "disown":
      await keeper.kin.verify(call.task_id);
      return ok(null);
    case "hear":
      return ok(await keeper.kin.family.hear(call.report));
    case "stop": {
      const { from, reason, message } = call;
      const { lineage, batch_id } = state.origin;
      if (from !== lineage?.parent_task_id && from !== batch_id) return ok(null);
      await keeper.apply({ type: "stop", command_id: newCommandId(), reason, message });
      return ok(null);
    }
    case "ties":
      return ok(tiesOf(state, call.token));
    case "subtasks":
      return ok(keeper.kin.family.view());
    case "shared":
      return keeper.kin.family.share(call.patch);
  }
}

/** Answers what kin ask of a task, as JSON text. Refused as the call says, and with task_not_found. */
export async function answerKin(
  keeper: TaskKeeper,
  call: KinCall,
): Promise<Result<string, Refusal>> {
  const state = await keeper.current();
  if (state === null) {
    return refuse({ code: "task_not_found", detail: "There is no task with this id." });
  }
  const done = await answerOf(keeper, state, call);
  return done.ok ? ok(JSON.stringify(done.value ?? null)) : done;
}
