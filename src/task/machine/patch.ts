import { mergePatch } from "../../lib/merge-patch.ts";
import { faultsOf } from "../../protocol/faults.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Fault } from "../../protocol/refusal.ts";
import { parseStored } from "../../protocol/stored.ts";
import { taskExecutionSchema } from "../../protocol/task-execution.ts";
import { contractFaults } from "./gates.ts";
import type { SettledTask, TaskState } from "./state.ts";

/** What a patch changes of the state. */
type Patched = Pick<TaskState, "task" | "priority">;

/** What is wrong with the request that a merge patch gives: judged by the same schema as a submission. */
export function mergedFaults(task: SettledTask, patch: JsonObject): Fault[] {
  const merged = mergePatch(task, patch);
  const parsed = taskExecutionSchema.safeParse(merged);
  return parsed.success ? contractFaults(parsed.data) : faultsOf(parsed.error, merged);
}

/**
 * The request after a merge patch: what the patch removes has its default again.
 *
 * @throws ZodError when the patch does not give a valid request; it was judged when it was accepted
 */
export function patched(state: TaskState, patch: JsonObject | undefined): Patched {
  if (patch === undefined) return { task: state.task, priority: state.priority };
  const parsed = parseStored(taskExecutionSchema, structuredClone(mergePatch(state.task, patch)));
  const task: SettledTask = { ...parsed, task_id: state.task.task_id };
  return { task, priority: Object.hasOwn(patch, "priority") ? task.priority : state.priority };
}
