import type { AskKin } from "./dispatch/kinship.ts";
import { readView } from "./history/task-log-store.ts";
import { outcomeSchema } from "./protocol/kin.ts";
import type { Outcome } from "./protocol/kin.ts";
import type { TaskView } from "./protocol/task-view.ts";
import type { Doors } from "./services-doors.ts";
import type { KinPorts } from "./task/ports.ts";

/* How tasks reach each other, and the batches they belong to. */

/** How families ask something of a task's object. */
export function askKinOf({ task }: Doors): AskKin {
  return (tenant, task_id, call) => task(tenant, task_id).kin(JSON.stringify(call));
}

function archivedOutcome(view: TaskView | null): Outcome | null {
  return view === null
    ? null
    : {
        task_id: view.task_id,
        task_type: view.task_type,
        phase: view.phase,
        is_ended: view.phase === "ended",
        status: view.status,
        end_reason: view.end_reason,
        completion_status: view.completion_status,
        result: view.result,
        quality: view.quality_assessment,
        agent_id: view.agent_id,
        parent_task_id: view.parent_task_id,
      };
}

/** The other tasks and the batch that a task has to do with. */
export function kinPortsOf(env: Env, doors: Doors): KinPorts {
  const ask = askKinOf(doors);
  return {
    async outcomeOf(tenant, task_id, waiter) {
      const found = await doors.task(tenant, task_id).outcome(waiter);
      if (found.ok) return outcomeSchema.parse(JSON.parse(found.value));
      return archivedOutcome(await readView(env.DB, tenant, task_id));
    },
    poke: (tenant, task_id) => doors.task(tenant, task_id).poke(),
    async tellParent(tenant, parent, report) {
      const heard = await ask(tenant, parent, { call: "hear", report });
      return heard.ok && heard.value === "true";
    },
    async stop(tenant, task_id, stop) {
      await ask(tenant, task_id, { call: "stop", ...stop });
    },
    gateOfBatch: (tenant, batch_id, task_id) => doors.batch(tenant, batch_id).gate(task_id),
    tellBatch: (tenant, batch_id, outcome) =>
      doors.batch(tenant, batch_id).ended(JSON.stringify(outcome)),
  };
}
