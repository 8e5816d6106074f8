import { instant } from "../lib/ports.ts";
import type { Explanation } from "../protocol/task-view.ts";
import { finishDueAt, runningClocks } from "./machine/clocks.ts";
import { planText } from "./machine/plan.ts";
import type { TaskState } from "./machine/state.ts";
import { leaseExpiresAt } from "./machine/state.ts";

type Wait = Pick<Explanation, "waiting_for" | "unblocked_by">;

function executorWait(state: TaskState): Wait {
  const requires = state.task.requires;
  const wanted = [
    `task type ${state.task.task_type}`,
    ...(requires?.capabilities ?? []).map((capability) => `capability ${capability}`),
    ...Object.entries(requires?.labels ?? {}).map(([name, value]) => `label ${name}=${value}`),
    ...(requires?.agent_id === undefined ? [] : [`agent ${requires.agent_id}`]),
  ];
  return {
    waiting_for: [
      {
        kind: "executor",
        detail: `an executor in pool ${state.task.pool} with a free slot and ${wanted.join(", ")}`,
      },
    ],
    unblocked_by: [
      `an executor that fits claims from pool ${state.task.pool}`,
      "a task that such an executor runs ends",
    ],
  };
}

function escalationWait(state: TaskState): Wait {
  const id = state.escalation?.escalation_id ?? "";
  return {
    waiting_for: [{ kind: "answer", detail: `${id}: ${state.escalation?.question ?? ""}` }],
    unblocked_by: [`POST /v1/escalations/${id}/resolve`],
  };
}

function waitOf(state: TaskState): Wait {
  switch (state.phase) {
    case "queued":
      return executorWait(state);
    case "awaiting_approval":
    case "awaiting_input":
      return escalationWait(state);
    case "retry_wait":
      return {
        waiting_for: [
          { kind: "retry", detail: `the next attempt at ${instant(state.retry_at ?? 0)}` },
        ],
        unblocked_by: ["the passing of time", "the command retry"],
      };
    case "assigned":
    case "executing": {
      const lease = state.holder === null ? "" : instant(leaseExpiresAt(state, state.holder));
      const plan = planText(state);
      return {
        waiting_for: [
          {
            kind: "executor",
            detail: `${state.holder?.agent_id ?? ""} works on it; its lease lasts until ${lease} unless renewed`,
          },
          ...(plan === null ? [] : [{ kind: "plan", detail: plan }]),
        ],
        unblocked_by: ["notifications of the executor"],
      };
    }
    case "finalizing":
      return {
        waiting_for: [
          { kind: "end_phases", detail: `they begin by ${instant(finishDueAt(state) ?? 0)}` },
        ],
        unblocked_by: ["POST /v1/tasks/{id}/end by the executor", "the end of its grace"],
      };
    case "waiting_dependencies":
    case "ended":
      return { waiting_for: [], unblocked_by: [] };
  }
}

/** Why a task is where it is, what it waits for, and what would move it on. */
export function explain(state: TaskState): Explanation {
  const next = runningClocks(state).toSorted((a, b) => a.due - b.due)[0];
  const { waiting_for, unblocked_by } = waitOf(state);
  return {
    task_id: state.origin.task_id,
    phase: state.phase,
    waiting_for:
      next === undefined
        ? waiting_for
        : [...waiting_for, { kind: "clock", detail: `the next limit is at ${instant(next.due)}` }],
    decision: state.decision,
    unblocked_by,
    estimated_start: state.phase === "retry_wait" ? instant(state.retry_at ?? 0) : null,
  };
}
