import { instant } from "../lib/ports.ts";
import type { Outcome } from "../protocol/kin.ts";
import type { Explanation } from "../protocol/task-view.ts";
import { openChildren, isComposite, weightedProgress } from "./kin/family.ts";
import type { AskedGate } from "./kin/gates.ts";
import { isHeldBack } from "./kin/gates.ts";
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
    ...Object.entries(requires?.labels ?? {}).map(([name, value]) =>
      typeof value === "object"
        ? `label ${name} ${value.op} ${JSON.stringify(value.value ?? null)}`
        : `label ${name}=${value}`,
    ),
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

function parentLine(task_id: string, outcome: Outcome | null): Wait["waiting_for"][number] | null {
  const detail = `parent ${task_id}, which has not been let go itself`;
  return outcome?.is_held_back === false ? null : { kind: "parent", detail };
}

function gateLine({ gate, answer }: AskedGate): Wait["waiting_for"][number] | null {
  if (gate.kind === "batch") {
    const isOpen = answer.kind === "batch" && answer.is_open;
    return isOpen ? null : { kind: "batch", detail: `its turn in batch ${gate.batch_id}` };
  }
  const outcome = answer.kind === "task" ? answer.outcome : null;
  if (gate.kind === "parent") return parentLine(gate.task_id, outcome);
  const isOpen =
    outcome?.is_ended === true && (gate.needs === "end" || outcome.end_reason === "success");
  if (isOpen) return null;
  const stands = outcome === null ? "gone" : `in phase ${outcome.phase}`;
  return { kind: "dependency", detail: `task ${gate.task_id}, which is ${stands}` };
}

function gatesWait(state: TaskState, gates: readonly AskedGate[]): Wait {
  const waiting_for = gates.map(gateLine).filter((line) => line !== null);
  const needed = (state.origin.gates ?? []).flatMap((gate) =>
    gate.kind === "task" ? [`the ${gate.needs} of task ${gate.task_id}`] : [],
  );
  return { waiting_for, unblocked_by: needed };
}

function subtasksWait(state: TaskState): Wait {
  const expected = state.task.subtasks?.expected ?? 0;
  const children = state.family?.children ?? [];
  const open = openChildren(state.family).map(({ task_id, report }) => ({
    kind: "subtask",
    detail: `task ${task_id}, which is in phase ${report?.phase ?? "unknown"}`,
  }));
  const missing = expected - children.length;
  const percent = Math.floor(weightedProgress(state.family, expected));
  return {
    waiting_for: [
      { kind: "subtasks", detail: `${open.length} open, ${missing} to come, ${percent} % done` },
      ...open,
    ],
    unblocked_by: [
      ...(missing > 0 ? [`${missing} more tasks with this parent_task_id`] : []),
      ...(open.length > 0 ? ["the end of its subtasks"] : []),
    ],
  };
}

function endWait(state: TaskState): Wait {
  const open = state.commands.filter(
    (command) => command.command === "cleanup" && command.state === "requested",
  );
  if (open.length > 0) {
    return {
      waiting_for: open.map(({ command_id, action }) => ({
        kind: "cleanup_action",
        detail: `${state.holder?.agent_id ?? "the executor"} is to acknowledge ${command_id}: ${JSON.stringify(action)}`,
      })),
      unblocked_by: [
        "a heartbeat of the executor that acknowledges them",
        "the limit of the cleanup",
      ],
    };
  }
  return {
    waiting_for: [
      { kind: "end_phases", detail: `they begin by ${instant(finishDueAt(state) ?? 0)}` },
    ],
    unblocked_by: ["POST /v1/tasks/{id}/end by the executor", "the end of its grace"],
  };
}

function waitOf(state: TaskState, gates: readonly AskedGate[]): Wait {
  if (isHeldBack(state) && state.phase === "waiting_dependencies") return gatesWait(state, gates);
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
      if (isComposite(state.task)) return subtasksWait(state);
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
      return endWait(state);
    case "waiting_dependencies":
      return subtasksWait(state);
    case "ended":
      return { waiting_for: [], unblocked_by: [] };
  }
}

/**
 * Why a task is where it is, what it waits for, and what would move it on.
 *
 * @param gates its prerequisites as they stand, where it waits for some
 */
export function explain(state: TaskState, gates: readonly AskedGate[] = []): Explanation {
  const next = runningClocks(state).toSorted((a, b) => a.due - b.due)[0];
  const { waiting_for, unblocked_by } = waitOf(state, gates);
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
