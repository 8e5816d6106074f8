import { ok, refuse, type Result } from "../lib/result.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { taskExecutionSchema } from "../protocol/task-execution.ts";
import type { Submission } from "./ports.ts";
import type { TaskKeeper } from "./task-keeper.ts";
import { viewOf } from "./view.ts";

/**
 * Creates the task, or recognises the repetition of the same request; the view is JSON text.
 *
 * Refused: idempotency_conflict, validation_failed; task_not_found where history knows that the task has been, and it
 * is not here any more.
 */
export async function submitTo(
  keeper: Pick<TaskKeeper, "current" | "apply">,
  { origin, actor, task, hop, is_known }: Submission,
): Promise<Result<{ view: string; isNew: boolean }, Refusal>> {
  if (is_known && (await keeper.current()) === null) {
    return refuse({ code: "task_not_found", detail: "The task was here, and was emptied." });
  }
  const settled = { ...taskExecutionSchema.parse(JSON.parse(task)), task_id: origin.task_id };
  const done = await keeper.apply({ type: "submit", origin, task: settled, actor, hop });
  if (!done.ok) return done;
  const { state, change } = done.value;
  return ok({ view: JSON.stringify(viewOf(state)), isNew: change.repeated_seq === undefined });
}
