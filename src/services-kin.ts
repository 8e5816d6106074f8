import type { AskKin } from "./dispatch/kinship.ts";
import { outcomeSchema } from "./protocol/kin.ts";
import type { Doors } from "./services-doors.ts";
import type { KinPorts } from "./task/ports.ts";

/* How tasks reach each other, and the batches they belong to. */

/** How families ask something of a task's object. */
export function askKinOf({ task }: Doors): AskKin {
  return (tenant, task_id, call) => task(tenant, task_id).kin(JSON.stringify(call));
}

/** The other tasks and the batch that a task has to do with. */
export function kinPortsOf(doors: Doors): KinPorts {
  const ask = askKinOf(doors);
  return {
    async outcomeOf(tenant, task_id, waiter) {
      const found = await doors.task(tenant, task_id).outcome(waiter);
      if (found.ok) return outcomeSchema.parse(JSON.parse(found.value));
      return doors.past.outcome(tenant, task_id);
    },
    poke: (tenant, task_id) => doors.task(tenant, task_id).poke(),
    async tellParent(tenant, parent, report) {
      const heard = await ask(tenant, parent, { call: "hear", report });
      if (heard.ok) return heard.value === "true";
      // A parent that has ended and was emptied has nothing to say of its children any more.
      return (await doors.past.former(tenant, parent)) !== null;
    },
    async stop(tenant, task_id, stop) {
      await ask(tenant, task_id, { call: "stop", ...stop });
    },
    gateOfBatch: (tenant, batch_id, task_id) => doors.batch(tenant, batch_id).gate(task_id),
    tellBatch: (tenant, batch_id, outcome) =>
      doors.batch(tenant, batch_id).ended(JSON.stringify(outcome)),
  };
}
