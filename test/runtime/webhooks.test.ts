import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { publish } from "../../src/delivery/fan-out.ts";
import { CallbackSecretStore } from "../../src/delivery/registry/callback-secret-store.ts";
import { WebhookStore } from "../../src/delivery/registry/webhook-store.ts";
import { Webhooks } from "../../src/delivery/registry/webhooks.ts";
import { newSecret } from "../../src/delivery/signature.ts";
import { randomId } from "../../src/lib/ports.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { NotificationType } from "../../src/protocol/enums.ts";
import {
  deliveryViewSchema,
  webhookRegistrationSchema,
  webhookViewSchema,
} from "../../src/protocol/webhook.ts";
import { placeOf } from "./endpoints.ts";
import { newReceiver, type Receiver } from "./receiver.ts";

const endpoint = (tenant: string, webhook_id: string) =>
  env.ENDPOINT.getByName(`${tenant}/${webhook_id}`);

const webhooks = new Webhooks({
  store: new WebhookStore(env.DB),
  secrets: new CallbackSecretStore(env.DB),
  endpoint,
  newId: randomId,
  newSecret,
  now: () => Date.now(),
  urlPolicy: { isLocalAllowed: false },
});

/** A tenant that no other test knows. */
function newTenant(): Principal {
  return { key_id: "k", tenant: `t${randomId()}`, scopes: ["orchestrate"], isBootstrap: false };
}

function registration(receiver: Receiver, fields: Record<string, unknown> = {}) {
  return webhookRegistrationSchema.parse({ url: receiver.url, ...fields });
}

async function register(by: Principal, receiver: Receiver, fields: Record<string, unknown> = {}) {
  const answer = await webhooks.create(by, registration(receiver, fields));
  if (!answer.ok) throw new Error(answer.refusal.detail);
  return answer.value;
}

/** Publishes one event of a task, as the task's object does. */
async function announce(
  by: Principal,
  task_id: string,
  seq: number,
  more: { type?: NotificationType; callback_url?: string; stakeholders?: string[] } = {},
) {
  const { type = "task_progress", callback_url = null, stakeholders = [] } = more;
  await publish(
    { registry: webhooks, endpoint, log: () => {} },
    {
      tenant: by.tenant,
      task: {
        task_id,
        task_type: "general",
        priority: "normal",
        agent_id: null,
        tags: [],
        stakeholders,
        callback_url,
      },
      events: [
        {
          seq,
          event_id: `${task_id}-${seq}`,
          type,
          at: "2026-11-22T10:00:00.000Z",
          actor: { kind: "executor", id: "a" },
          correlation_id: "",
          data: {},
        },
      ],
    },
  );
}

async function arrivals(receiver: Receiver, count: number): Promise<string[]> {
  await vi.waitUntil(async () => (await receiver.log()).length >= count);
  return (await receiver.log()).map((request) => placeOf(request));
}

describe("a webhook registered at run time", () => {
  it("gets the next event, and none from before", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    await announce(by, "t", 1);

    await register(by, receiver);
    await announce(by, "t", 2);

    expect(await arrivals(receiver, 1)).toEqual(["t:2"]);
  });

  it("gets nothing while it is paused, and all of that when it is resumed", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);

    await webhooks.setPaused(by, webhook_id, true);
    await announce(by, "t", 1);
    await announce(by, "t", 2);
    await runDurableObjectAlarm(endpoint(by.tenant, webhook_id));
    const meanwhile = await receiver.log();
    await webhooks.setPaused(by, webhook_id, false);

    expect(meanwhile).toEqual([]);
    expect(await arrivals(receiver, 2)).toEqual(["t:1", "t:2"]);
  });

  it("may start paused", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];

    const webhook = await register(by, receiver, { active: false });

    expect(webhook).toMatchObject({ state: "paused", active: false });
  });

  it("gets other events from the next one on when it is changed", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver, { events: ["task_started"] });

    await announce(by, "t", 1);
    const patched = await webhooks.patch(by, webhook_id, { events: ["task_progress"] });
    await announce(by, "t", 2);
    await announce(by, "t", 3, { type: "task_started" });

    expect(patched).toMatchObject({ ok: true, value: { events: ["task_progress"] } });
    expect(await arrivals(receiver, 1)).toEqual(["t:2"]);
  });

  it("gets nothing more when it is deleted, and its deliveries stay readable", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);
    await announce(by, "t", 1);
    await arrivals(receiver, 1);

    const removed = await webhooks.remove(by, webhook_id);
    await announce(by, "t", 2);

    const list = await webhooks.deliveries(by.tenant, webhook_id, { limit: 10 });
    expect(removed).toEqual({ ok: true, value: null });
    expect(await webhooks.get(by.tenant, webhook_id)).toMatchObject({ ok: false });
    expect(list.ok && list.value.items.map(({ seq }) => seq)).toEqual([1]);
    expect(await webhooks.remove(by, webhook_id)).toMatchObject({
      ok: false,
      refusal: { code: "webhook_not_found" },
    });
  });

  it("is refused with an address that is not public", async () => {
    const answer = await webhooks.create(
      newTenant(),
      webhookRegistrationSchema.parse({ url: "https://169.254.169.254/" }),
    );

    expect(answer).toMatchObject({
      ok: false,
      refusal: { code: "endpoint_refused", errors: [{ pointer: "/url" }] },
    });
  });

  it("keeps what it was when a change is refused", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);

    const answer = await webhooks.patch(by, webhook_id, { url: "http://127.0.0.1/" });

    expect(answer).toMatchObject({ ok: false, refusal: { code: "endpoint_refused" } });
    expect(await webhooks.get(by.tenant, webhook_id)).toMatchObject({
      value: { url: receiver.url },
    });
  });

  it("sends a test through its own path", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);

    const answer = await webhooks.test(by, webhook_id);
    await vi.waitUntil(async () => (await receiver.log()).length === 1);

    expect(answer).toMatchObject({ ok: true, value: { type: "system_alert" } });
  });
});

describe("fan-out to several endpoints", () => {
  it("delivers to two while the third fails and is tried again", async () => {
    const by = newTenant();
    const receivers = [newReceiver(), newReceiver(), newReceiver()];
    await receivers[1]?.script([{ status: 500 }]);
    const hooks = await Promise.all(receivers.map((receiver) => register(by, receiver)));

    await announce(by, "t", 1);
    await Promise.all(receivers.map((receiver) => arrivals(receiver, 1)));

    await vi.waitUntil(async () => {
      const states = await Promise.all(
        hooks.map(async ({ webhook_id }) => {
          const page = await webhooks.deliveries(by.tenant, webhook_id, { limit: 5 });
          return page.ok ? page.value.items.map(({ state }) => state).join() : "";
        }),
      );
      return states.join() === "delivered,retrying,delivered";
    });
  });

  it("stores each notification once when the same news come again", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);

    await announce(by, "t", 1);
    await announce(by, "t", 1);
    await announce(by, "t", 2);

    expect(await arrivals(receiver, 2)).toEqual(["t:1", "t:2"]);
    const page = await webhooks.deliveries(by.tenant, webhook_id, { limit: 5 });
    expect(page.ok && page.value.items).toHaveLength(2);
  });

  it("repairs an endpoint that missed its configuration", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const deaf = new Webhooks({
      store: new WebhookStore(env.DB),
      secrets: new CallbackSecretStore(env.DB),
      endpoint: (tenant, webhook_id) => {
        const stub = endpoint(tenant, webhook_id);
        return {
          configure: async () => {},
          deliveries: (query) => stub.deliveries(query),
          delivery: (id) => stub.delivery(id),
          replay: (id) => stub.replay(id),
          sendTest: () => stub.sendTest(),
        };
      },
      newId: randomId,
      newSecret,
      now: () => Date.now(),
      urlPolicy: { isLocalAllowed: false },
    });
    await deaf.create(by, registration(receiver));

    await announce(by, "t", 1);

    expect(await arrivals(receiver, 1)).toEqual(["t:1"]);
  });

  it("reaches a callback address and a stakeholder that subscribed to nothing of it", async () => {
    const by = newTenant();
    const [called, boss] = [newReceiver(), newReceiver()];
    const { webhook_id } = await register(by, boss, { events: ["task_failed"] });

    await announce(by, "t", 9, {
      type: "agent_end_task",
      callback_url: called.url,
      stakeholders: [webhook_id],
    });

    expect(await arrivals(called, 1)).toEqual(["t:9"]);
    expect(await arrivals(boss, 1)).toEqual(["t:9"]);
  });
});

describe("deliveries", () => {
  it("are read with their attempts and replayed", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);
    await announce(by, "t", 1);
    await arrivals(receiver, 1);
    const page = await webhooks.deliveries(by.tenant, webhook_id, { limit: 5 });
    const id = page.ok ? (page.value.items[0]?.delivery_id ?? "") : "";

    await vi.waitUntil(async () => {
      const one = await webhooks.delivery(by.tenant, id);
      return one.ok && one.value.state === "delivered";
    });
    await webhooks.replay(by, id);
    await arrivals(receiver, 2);

    await vi.waitUntil(async () => {
      const one = await webhooks.delivery(by.tenant, id);
      return one.ok && deliveryViewSchema.parse(one.value).attempts?.length === 2;
    });
  });

  it("of a callback are read by their id alone", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    await announce(by, "t", 1, { callback_url: receiver.url });
    await arrivals(receiver, 1);
    const { webhook_id } = await webhooks.callbackConfig(by.tenant, receiver.url);
    const id = `dlv_${webhook_id.replace("_", "")}_1_t`;

    const answer = await webhooks.delivery(by.tenant, id);

    expect(answer).toMatchObject({ ok: true, value: { webhook_id, seq: 1 } });
  });

  it("are not found by another tenant, nor by an id that is none", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);
    await announce(by, "t", 1);
    const id = `dlv_${webhook_id.replace("_", "")}_1_t`;
    const other = newTenant();

    const answers = [
      await webhooks.delivery(other.tenant, id),
      await webhooks.replay(other, id),
      await webhooks.delivery(by.tenant, "nonsense"),
    ];

    for (const answer of answers) {
      expect(answer).toMatchObject({ ok: false, refusal: { code: "delivery_not_found" } });
    }
    expect(await webhooks.deliveries(other.tenant, webhook_id, { limit: 5 })).toMatchObject({
      ok: false,
      refusal: { code: "webhook_not_found" },
    });
  });
});

describe("the list of webhooks", () => {
  it("goes in pages without gap or overlap, and shows no secret", async () => {
    const by = newTenant();
    const made = await Promise.all([1, 2, 3, 4, 5].map(() => register(by, newReceiver())));

    const first = await webhooks.list(by.tenant, { limit: 3 });
    const second = await webhooks.list(by.tenant, {
      limit: 3,
      cursor: first.next_cursor ?? undefined,
    });

    const listed = [...first.items, ...second.items];
    expect(listed.map(({ webhook_id }) => webhook_id)).toEqual(
      made.map(({ webhook_id }) => webhook_id).toSorted(),
    );
    expect(second.next_cursor).toBeNull();
    expect(JSON.stringify(listed)).not.toContain("whsec_");
    for (const webhook of listed) webhookViewSchema.parse(webhook);
  });
});

describe("secrets", () => {
  it("are shown when they are made and by rotation, and never again", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const created = await register(by, receiver);

    const rotated = await webhooks.rotateSecret(by, created.webhook_id, 60);
    const read = await webhooks.get(by.tenant, created.webhook_id);

    expect(created.secret).toMatch(/^whsec_/);
    expect(rotated.ok && rotated.value.secret).toMatch(/^whsec_/);
    expect(rotated.ok && rotated.value.secret).not.toBe(created.secret);
    expect(read.ok && read.value).not.toHaveProperty("secret");
  });

  it("both sign during the overlap, the new one first", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);

    await webhooks.rotateSecret(by, webhook_id, 60);
    await announce(by, "t", 1);
    await arrivals(receiver, 1);

    const [request] = await receiver.log();
    expect(request?.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
  });

  it("of callbacks are one per tenant until they are rotated", async () => {
    const [by, other] = [newTenant(), newTenant()];

    const [first, again] = [
      await webhooks.callbackSecret(by.tenant),
      await webhooks.callbackSecret(by.tenant),
    ];
    const foreign = await webhooks.callbackSecret(other.tenant);
    const rotated = await webhooks.rotateCallbackSecret(by.tenant, 60);

    expect(again).toEqual(first);
    expect(foreign).not.toEqual(first);
    expect(rotated).not.toEqual(first);
    expect(await webhooks.callbackSecret(by.tenant)).toEqual(rotated);
  });
});
