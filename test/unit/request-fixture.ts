import { assess } from "../../src/dispatch/complexity.ts";
import type { TypeHistory } from "../../src/dispatch/complexity.ts";
import { analyse } from "../../src/dispatch/request/analyse.ts";
import { stepsOf } from "../../src/dispatch/request/find-steps.ts";
import { tasksOf } from "../../src/dispatch/request/plan-tasks.ts";
import type { RosterEntry } from "../../src/dispatch/request/roster.ts";
import { taskTypeSchema } from "../../src/protocol/enums.ts";
import { requestSchema } from "../../src/protocol/request.ts";
import type { PlanRecord, Request } from "../../src/protocol/request.ts";
import type { TaskExecution } from "../../src/protocol/task-execution.ts";

/** When these requests are planned. */
export const NOW = Date.parse("2026-11-22T10:00:00Z");

/** An executor of every task type with two slots. */
export function executorOf(agent_id: string, fields: Partial<RosterEntry> = {}): RosterEntry {
  return {
    agent: {
      agent_id,
      capabilities: [],
      task_types: [...taskTypeSchema.options],
      labels: {},
      slots: 2,
      weight: 1,
      isBuiltin: false,
      isPush: false,
      isDraining: false,
    },
    state: "online",
    slots_in_use: 0,
    ...fields,
  };
}

/** A request with its defaults. */
export function requestOf(fields: Record<string, unknown> = {}): Request {
  return requestSchema.parse({ goal: "Research the market for bicycles", ...fields });
}

/** What is planned for a request. */
export function planned(
  request: Request,
  facts: { roster?: RosterEntry[]; history?: TypeHistory } = {},
): { plan: PlanRecord; tasks: TaskExecution[] } {
  const { roster = [executorOf("ann")], history = new Map() } = facts;
  const steps = stepsOf(request);
  if (!steps.ok) throw new Error(steps.refusal.detail);
  const found = steps.value;
  const tasks = tasksOf(found.steps, {
    request,
    request_id: "req_1",
    task_ids: found.steps.map((_, index) => `task_${index}`),
    now: NOW,
    isEscalated: false,
  });
  const snapshot = {
    snapshot_id: "snap_1",
    at: new Date(NOW).toISOString(),
    pool: "default",
    executors: [],
  };
  return {
    plan: analyse({ request, found, tasks, history, roster, snapshot, now: NOW }),
    tasks: tasks.map((task) => ({ ...task, complexity: assess(task, history).band })),
  };
}
