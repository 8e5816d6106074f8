import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import { faultsOf } from "../../protocol/faults.ts";
import type { Fault, Refusal } from "../../protocol/refusal.ts";
import { MOST_STEPS, planSchema } from "../../protocol/request.ts";
import type { Plan, Request } from "../../protocol/request.ts";
import { taskExecutionSchema } from "../../protocol/task-execution.ts";
import type { TaskExecution } from "../../protocol/task-execution.ts";
import { secondsLeft } from "./plan-tasks.ts";

/** What an executor must be able to do to plan, unless the request says otherwise. */
const PLANNING = "planning";

const INSTRUCTION =
  "Plan the steps to the goal below. Answer with the steps as output_schema has them: each with a description that stands alone, and depends_on naming by index the steps whose results it needs. Goal: ";

/** The longest description of a task (protocol.md §3). */
const LONGEST_DESCRIPTION = 10_000;

/** The longest clock of a task (protocol.md §3), seconds. */
const LONGEST_TOTAL_S = 604_800;

/**
 * The task by which an executor plans. Its result must be a plan.
 *
 * @param output_schema JSON Schema of a plan
 */
export function planningTask(
  request: Request,
  { task_id, request_id, now }: { task_id: string; request_id: string; now: number },
  output_schema: Record<string, unknown>,
): TaskExecution {
  const { pool, priority } = request.constraints;
  const left = secondsLeft(request, now);
  return taskExecutionSchema.parse({
    task_id,
    task_type: "general",
    description: `${INSTRUCTION}${request.goal}`.slice(0, LONGEST_DESCRIPTION),
    ...(priority !== undefined && { priority }),
    ...(pool !== undefined && { pool }),
    ...(left !== null && left > 0 && { total_timeout: Math.min(LONGEST_TOTAL_S, left) }),
    requires: request.planner_requires ?? { capabilities: [PLANNING] },
    parameters: {
      input_data: {
        goal: request.goal,
        constraints: request.constraints,
        ...(request.input_data !== undefined && { input_data: request.input_data }),
        most_steps: MOST_STEPS,
      },
    },
    ...(request.context !== undefined && { context: request.context }),
    contract: { output_schema },
    metadata: { ...request.metadata, request_id, role: PLANNING },
    tags: request.tags ?? [],
  });
}

/** The refusal of a plan: where and why. */
export function planRejected(detail: string, errors: Fault[]): Refusal {
  return { code: "plan_rejected", detail, errors };
}

/** The plan that an executor gave, when it is one. Refused: plan_rejected with every fault. */
export function planIn(result: unknown): Result<Plan, Refusal> {
  const plan = planSchema.safeParse(result);
  if (plan.success) return ok(plan.data);
  const faults = faultsOf(plan.error, result);
  return refuse(planRejected("The executor's result is no plan.", faults));
}
