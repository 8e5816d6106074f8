import { assess } from "./dispatch/complexity.ts";
import { createTasks } from "./dispatch/tasks.ts";
import type { Tasks } from "./dispatch/tasks.ts";
import { readEvents, readReport, readView } from "./history/task-log-store.ts";
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
export function tasksOf(env: Env, doors: Doors): Tasks {
  const { task, webhookStore, guard } = doors;
  return createTasks({
    now,
    newId: randomId,
    task,
    askKin: askKinOf(doors),
    contractFaults,
    assess: async (tenant, asked) => assess(asked, await doors.typeHistories(tenant)),
    archive: {
      view: (tenant, task_id) => guard.get(() => readView(env.DB, tenant, task_id)),
      events: (tenant, task_id, page) => guard.get(() => readEvents(env.DB, tenant, task_id, page)),
      report: (tenant, task_id) => guard.get(() => readReport(env.DB, tenant, task_id)),
    },
    urlFault: addressFault(doors),
    unknownWebhooks: (tenant, webhook_ids) => unknownWebhooks(webhookStore, tenant, webhook_ids),
    keyOfAgent: (tenant, agent_id) => keyOfAgent(doors, tenant, agent_id),
  });
}
