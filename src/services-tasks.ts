import { assess } from "./dispatch/complexity.ts";
import { createTasks } from "./dispatch/tasks.ts";
import type { Tasks } from "./dispatch/tasks.ts";
import { randomId } from "./lib/ports.ts";
import { now, type Doors } from "./services-doors.ts";
import { addressFault } from "./services-executors.ts";
import { askKinOf } from "./services-kin.ts";
import { contractFaults } from "./task/machine/gates.ts";

/* What tasks' use cases are built of. */

/** The key that an executor is bound to, or null. */
export async function keyOfAgent(
  { agentStore }: Doors,
  tenant: string,
  agent_id: string,
): Promise<string | null> {
  return (await agentStore.get(tenant, agent_id))?.key_id ?? null;
}

/** Those of these webhooks that do not exist. */
export async function unknownWebhooks(
  store: Doors["webhookStore"],
  tenant: string,
  webhook_ids: readonly string[],
): Promise<string[]> {
  const known = await store.versions(tenant, webhook_ids);
  return webhook_ids.filter((webhook_id) => !known.has(webhook_id));
}

/** The use cases of tasks. */
export function tasksOf(doors: Doors): Tasks {
  const { task, webhookStore, past } = doors;
  return createTasks({
    now,
    newId: randomId,
    task,
    askKin: askKinOf(doors),
    contractFaults,
    assess: async (tenant, asked) => assess(asked, await doors.typeHistories(tenant)),
    archive: past,
    formerOrNone: async (tenant, task_id) => {
      try {
        return await past.former(tenant, task_id);
      } catch {
        // The guard of the database has logged it. Tasks are submitted without history too: then only a task's own
        // object, which is not empty for days after the end, knows a repetition.
        return null;
      }
    },
    urlFault: addressFault(doors),
    unknownWebhooks: (tenant, webhook_ids) => unknownWebhooks(webhookStore, tenant, webhook_ids),
    keyOfAgent: (tenant, agent_id) => keyOfAgent(doors, tenant, agent_id),
  });
}
