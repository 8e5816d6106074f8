import { isDeepStrictEqual } from "node:util";

import { z } from "zod";

import { notificationTypeSchema } from "../../../src/protocol/enums.ts";
import type { Client } from "./client.ts";

/* What the API tells of a tenant. */

/** Tasks of another tenant that each asks for: enough to be sure, and no load. */
const MOST_FOREIGN = 3;

const agentSchema = z.object({ agent_id: z.string(), slots_in_use: z.int() });
const viewSchema = z.looseObject({
  task_id: z.string(),
  seq: z.int(),
  status: z.string(),
  phase: z.string(),
  end_reason: z.string().nullable(),
});
const eventSchema = z.object({
  seq: z.int(),
  type: z.string(),
  at: z.string(),
  actor: z.object({ kind: z.string(), id: z.string() }),
  data: z.record(z.string(), z.unknown()),
});
const deliverySchema = z.object({ task_id: z.string(), seq: z.int(), state: z.string() });

/** One task as the API tells of it when all is over. */
export interface Told {
  view: z.infer<typeof viewSchema>;
  log: z.infer<typeof eventSchema>[];
  /** Its row in the list of tasks, which is history's. */
  listed: z.infer<typeof viewSchema> | null;
}

/** One tenant as it is told of when all is over. */
export interface TenantSeen {
  tenant: string;
  /** What the server said it had accepted. */
  accepted_task_ids: string[];
  tasks: Told[];
  /** All that its lists name. */
  listed_ids: string[];
  /** `endpoint task_id seq` of every delivery that the server knows, and its state. */
  deliveries: Map<string, string>;
  slots_in_use: Record<string, number>;
  /** What it was shown of another tenant's task: the codes of the refusals. */
  foreign: string[];
}

/** A tenant, as whoever works for it knows it. */
export interface Tenant {
  client: Client;
  /** What the server said it had accepted. */
  task_ids: Set<string>;
  /** Its endpoints, by name. */
  webhooks: Map<string, string>;
}

/** Whether history has every task of a tenant as ended: one cheap question before all others. */
export async function seemsOver({ client, task_ids }: Tenant): Promise<boolean> {
  const listed = await client.all("/v1/tasks?limit=100", viewSchema);
  const ended = new Set(listed.flatMap(({ task_id, phase }) => (phase === "ended" ? task_id : [])));
  return [...task_ids].every((task_id) => ended.has(task_id));
}

/** Asks for everything that a tenant may know, and for tasks of others. */
export async function lookAt(
  { client, task_ids, webhooks }: Tenant,
  others: readonly Tenant[],
): Promise<TenantSeen> {
  const { tenant } = client;
  const listed = await client.all("/v1/tasks?limit=100", viewSchema);
  const tasks = await Promise.all(
    [...task_ids].map(async (task_id) => ({
      view: viewSchema.parse(await client.must("GET", `/v1/tasks/${task_id}`)),
      log: await client.all(`/v1/tasks/${task_id}/events?limit=100`, eventSchema, "after"),
      listed: listed.find((item) => item.task_id === task_id) ?? null,
    })),
  );
  const deliveries = new Map<string, string>();
  for (const [endpoint, webhook_id] of webhooks) {
    const path = `/v1/webhooks/${webhook_id}/deliveries?limit=100`;
    for (const { task_id, seq, state } of await client.all(path, deliverySchema)) {
      deliveries.set(`${tenant}/${endpoint} ${task_id} ${seq}`, state);
    }
  }
  const agents = await client.all("/v1/agents?limit=100", agentSchema);
  return {
    tenant,
    accepted_task_ids: [...task_ids],
    tasks,
    listed_ids: listed.map(({ task_id }) => task_id),
    deliveries,
    slots_in_use: Object.fromEntries(
      agents.map(({ agent_id, slots_in_use }) => [agent_id, slots_in_use]),
    ),
    foreign: await foreignTo(client, others),
  };
}

/** What a tenant is shown of the tasks of others: the codes of the refusals, or what it saw. */
function foreignTo(client: Client, others: readonly Tenant[]): Promise<string[]> {
  const ids = others.flatMap(({ task_ids }) => [...task_ids]);
  return Promise.all(
    ids.slice(0, MOST_FOREIGN).map(async (task_id) => {
      const reply = await client.ask("GET", `/v1/tasks/${task_id}`);
      return reply.ok ? `saw ${task_id}` : reply.code;
    }),
  );
}

/** `<tenant>/<endpoint> task_id seq` of every notification that the logs hold. */
export function placesOf(endpoint: string, { tenant, tasks }: TenantSeen): string[] {
  return tasks.flatMap(({ view, log }) =>
    log
      .filter(({ type }) => notificationTypeSchema.safeParse(type).success)
      .map(({ seq }) => `${tenant}/${endpoint} ${view.task_id} ${seq}`),
  );
}

/** Whether nothing is left to be done for a tenant. */
export function isTenantSettled(seen: TenantSeen, endpoints: readonly string[]): boolean {
  const places = endpoints.flatMap((endpoint) => placesOf(endpoint, seen));
  return (
    seen.tasks.every(
      ({ view, listed }) => view.phase === "ended" && isDeepStrictEqual(listed, view),
    ) &&
    places.every((place) => seen.deliveries.get(place) === "delivered") &&
    Object.values(seen.slots_in_use).every((slots) => slots === 0)
  );
}
