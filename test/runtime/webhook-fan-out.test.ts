import { describe, expect, it } from "vitest";

import { deliveryViewSchema } from "../../src/protocol/webhook.ts";
import { newReceiver } from "./receiver.ts";
import {
  announce,
  arrivals,
  callbackIdOf,
  mutedWebhooks,
  newTenant,
  ORIGIN,
  register,
  registration,
  webhooks,
} from "./webhook-world.ts";

describe("fan-out to several endpoints", () => {
  it("delivers to two while the third fails and is tried again", async () => {
    const by = newTenant();
    const receivers = [newReceiver(), newReceiver(), newReceiver()];
    await receivers[1]?.script([{ status: 500 }]);
    const hooks = await Promise.all(receivers.map((receiver) => register(by, receiver)));

    await announce(by, "t", 1);
    await Promise.all(receivers.map((receiver) => arrivals(receiver, 1)));

    const states = async () => {
      const pages = hooks.map(({ webhook_id }) =>
        webhooks.deliveries(by.tenant, webhook_id, { limit: 5 }),
      );
      return (await Promise.all(pages)).map((page) => page.ok && page.value.items[0]?.state);
    };
    await expect.poll(states).toEqual(["delivered", "retrying", "delivered"]);
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
    await mutedWebhooks.create(by, registration(receiver), ORIGIN);

    await announce(by, "t", 1);

    expect(await arrivals(receiver, 1)).toEqual(["t:1"]);
  });

  it("holds what comes after the receiver answered 410, until the webhook is resumed", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    await receiver.script([{ status: 410 }, { status: 200 }]);
    const { webhook_id } = await register(by, receiver);
    await announce(by, "t", 1);
    const state = async () => {
      const webhook = await webhooks.get(by.tenant, webhook_id);
      return webhook.ok && webhook.value.state;
    };
    await expect.poll(state).toBe("disabled");

    await announce(by, "t", 2);
    const page = await webhooks.deliveries(by.tenant, webhook_id, { limit: 5 });
    await webhooks.setPaused(by, webhook_id, false);

    expect(page.ok && page.value.items.map((delivery) => delivery.state)).toEqual([
      "cancelled",
      "held",
    ]);
    expect(await arrivals(receiver, 2)).toEqual(["t:1", "t:2"]);
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

    const read = async () => {
      const one = await webhooks.delivery(by.tenant, id);
      return one.ok && deliveryViewSchema.parse(one.value);
    };
    await expect.poll(read).toMatchObject({ state: "delivered" });
    await webhooks.replay(by, id);

    await expect.poll(read).toMatchObject({ state: "delivered", attempts: [{}, {}] });
    expect(await receiver.log()).toHaveLength(2);
  });

  it("of a callback are read by their id alone", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    await announce(by, "t", 1, { callback_url: receiver.url });
    await arrivals(receiver, 1);
    const webhook_id = await callbackIdOf(by.tenant, receiver.url);
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
