import { env } from "cloudflare:workers";
import { vi } from "vitest";

import { AuditStore } from "../../src/audit/audit-store.ts";
import { publish, type FanOutPorts, type Publication } from "../../src/delivery/fan-out.ts";
import { AuditReads } from "../../src/delivery/registry/audit-reads.ts";
import { CallbackSecretStore } from "../../src/delivery/registry/callback-secret-store.ts";
import { callbackConfig } from "../../src/delivery/registry/callbacks.ts";
import { configOf } from "../../src/delivery/registry/registration.ts";
import { WebhookStore } from "../../src/delivery/registry/webhook-store.ts";
import { Webhooks, type WebhookPorts } from "../../src/delivery/registry/webhooks.ts";
import { newSecret } from "../../src/delivery/signature.ts";
import { randomId } from "../../src/lib/ports.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { AuditEntry } from "../../src/protocol/audit.ts";
import type { NotificationType } from "../../src/protocol/enums.ts";
import { webhookRegistrationSchema } from "../../src/protocol/webhook.ts";
import { endpointDoor } from "../../src/services-doors.ts";
import { sealer } from "../sealer.ts";
import { placeOf } from "./endpoints.ts";
import type { Receiver } from "./receiver.ts";

/** The one object of a webhook without shards. */
export const stubOf = (tenant: string, webhook_id: string) =>
  env.ENDPOINT.getByName(`${tenant}/${webhook_id}`);

/** A webhook's endpoint. */
export const endpoint = (tenant: string, webhook_id: string) =>
  endpointDoor(env, tenant, webhook_id);

const store = new WebhookStore(env.DB);
const secrets = new CallbackSecretStore(env.DB);

/** What befell the webhooks. */
export const auditStore = new AuditStore(env.DB);

/** Pages of an export. */
export async function auditPages(pages: AsyncIterable<AuditEntry[]>): Promise<AuditEntry[][]> {
  const found: AuditEntry[][] = [];
  for await (const page of pages) found.push(page);
  return found;
}

/** All that befell a subject, oldest first. */
export async function auditOf(tenant: string, subject: string): Promise<AuditEntry[]> {
  return (await auditPages(auditStore.all(tenant, { subject }))).flat();
}

/** The use cases that show it. */
export const auditReads = new AuditReads(auditStore, store);

/** The real registry and real objects. */
export const ports: WebhookPorts = {
  store,
  audit: auditStore,
  secrets,
  endpoint,
  newId: randomId,
  newSecret,
  sealer,
  now: () => Date.now(),
  urlPolicy: { isLocalAllowed: false },
  hostFault: async () => null,
};

/** The use cases on the real registry and real objects. */
export const webhooks = new Webhooks(ports);

/** The same, but its objects never hear of a configuration. */
export const mutedWebhooks = new Webhooks({
  ...ports,
  endpoint: (tenant, webhook_id) => {
    const door = endpoint(tenant, webhook_id);
    return {
      configure: async () => {},
      enqueue: (batch) => door.enqueue(batch),
      deliveries: (query) => door.deliveries(query),
      delivery: (id) => door.delivery(id),
      replay: (id) => door.replay(id),
      sendTest: () => door.sendTest(),
      resume: () => door.resume(),
      level: () => door.level(),
      figures: (window) => door.figures(window),
      poll: (query) => door.poll(query),
      recoverable: (range) => door.recoverable(range),
      recover: (id, range) => door.recover(id, range),
      recovery: (id) => door.recovery(id),
      cancelRecovery: (id) => door.cancelRecovery(id),
    };
  },
});

/** The registry as fan-out and alerts see it. */
export const registry: FanOutPorts["registry"] = {
  subscribers: (tenant, asked) => store.subscribers(tenant, asked),
  versions: (tenant, webhook_ids) => store.versions(tenant, webhook_ids),
  configOf: async (tenant, webhook_id) => {
    const webhook = await store.read(tenant, webhook_id);
    return webhook === null ? null : configOf(webhook);
  },
  callbackConfig: (tenant, url) => callbackConfig(ports, tenant, url),
};

/** The id of the endpoint that a callback address stands for. */
export async function callbackIdOf(tenant: string, url: string): Promise<string> {
  return (await callbackConfig(ports, tenant, url)).webhook_id;
}

/** A tenant that no other test knows. */
export function newTenant(): Principal {
  return { key_id: "k", tenant: `t${randomId()}`, scopes: ["orchestrate"], isBootstrap: false };
}

/** A request for an endpoint at this receiver. */
export function registration(receiver: Receiver, fields: Record<string, unknown> = {}) {
  return webhookRegistrationSchema.parse({ url: receiver.url, ...fields });
}

/** By which address requests of tests come. */
export const ORIGIN = "https://batuta.test";

/** Registers an endpoint at this receiver. */
export async function register(
  by: Principal,
  receiver: Receiver,
  fields: Record<string, unknown> = {},
) {
  const answer = await webhooks.create(by, registration(receiver, fields), ORIGIN);
  if (!answer.ok) throw new Error(answer.refusal.detail);
  return answer.value;
}

/** Publishes one event of a task, as the task's object does. */
export async function announce(
  by: Principal,
  task_id: string,
  seq: number,
  more: Partial<Publication["task"]> & {
    type?: NotificationType;
    data?: Record<string, unknown>;
    /** When it happened: now. */
    at?: string;
  } = {},
) {
  const { type = "task_progress", data = {}, at = new Date().toISOString(), ...task } = more;
  await publish(
    { registry, endpoint, log: () => {}, tellWithheld: async () => {} },
    {
      tenant: by.tenant,
      task: {
        task_id,
        task_type: "general",
        priority: "normal",
        agent_id: null,
        tags: [],
        stakeholders: [],
        callback_url: null,
        ...task,
      },
      events: [
        {
          seq,
          event_id: `${task_id}-${seq}`,
          type,
          at,
          actor: { kind: "executor", id: "a" },
          correlation_id: "",
          data,
        },
      ],
    },
  );
}

/** What has arrived, in order, as soon as it is so many. */
export async function arrivals(receiver: Receiver, count: number): Promise<string[]> {
  await vi.waitUntil(async () => (await receiver.log()).length >= count, { timeout: 15_000 });
  return (await receiver.log()).map((request) => placeOf(request));
}
