import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { deliveryViewSchema } from "../../src/protocol/webhook.ts";
import { item, newEndpoint } from "./endpoints.ts";

describe("a replay", () => {
  it("sends a delivered one again with the same id and the same bytes", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();
    const { delivery_id } = await endpoint.delivery("t", 1);

    const answer = await endpoint.stub.replay(delivery_id);
    await endpoint.send();

    expect(answer).toMatchObject({ ok: true, value: { state: "pending" } });
    const [first, second] = await endpoint.receiver.log();
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(second?.body_base64).toBe(first?.body_base64);
    expect(await endpoint.delivery("t", 1)).toMatchObject({
      state: "delivered",
      attempts: [{ trigger: "scheduled" }, { trigger: "manual", status_code: 200 }],
    });
  });

  it("delivers one that is held while the endpoint stays paused", async () => {
    const endpoint = await newEndpoint();
    await endpoint.change({ state: "paused" });
    await endpoint.enqueue(item("t", 1), item("t", 2));
    const first = await endpoint.delivery("t", 1);
    const second = await endpoint.delivery("t", 2);

    await endpoint.stub.replay(second.delivery_id);
    await endpoint.stub.replay(first.delivery_id);
    await endpoint.send();

    // The second one waits for the first, also where an operator asks for it.
    expect(await endpoint.arrived()).toEqual(["t:1"]);
    expect((await endpoint.delivery("t", 2)).state).toBe("held");
  });

  it("survives an eviction between the wish and the sending", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();
    const { delivery_id } = await endpoint.delivery("t", 1);

    await endpoint.stub.replay(delivery_id);
    await endpoint.evict();
    await endpoint.send();

    expect(await endpoint.arrived()).toEqual(["t:1", "t:1"]);
  });

  it("is one replay when it is asked for twice", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();
    const { delivery_id } = await endpoint.delivery("t", 1);

    await endpoint.stub.replay(delivery_id);
    await endpoint.stub.replay(delivery_id);
    await endpoint.send();

    expect(await endpoint.arrived()).toHaveLength(2);
  });

  it("is refused for a delivery that does not exist", async () => {
    const endpoint = await newEndpoint();

    const answer = await endpoint.stub.replay("dlv_wh0123456789ABCDEFGHIJkl_1_t");

    expect(answer).toMatchObject({ ok: false, refusal: { code: "delivery_not_found" } });
  });
});

describe("a test call", () => {
  it("sends a signed alert, also while the endpoint is paused", async () => {
    const endpoint = await newEndpoint();
    await endpoint.change({ state: "paused" });

    const answer = await endpoint.stub.sendTest();
    await endpoint.send();

    if (!answer.ok) throw new Error(answer.refusal.detail);
    expect(deliveryViewSchema.parse(answer.value)).toMatchObject({
      state: "pending",
      type: "system_alert",
      task_id: null,
    });
    const [request] = await endpoint.receiver.log();
    expect(request?.headers["webhook-id"]).toBe(answer.value.message_id);
    expect(request?.headers).not.toHaveProperty("x-task-id");
  });

  it("is not tried again when it fails", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([{ status: 500 }]);

    const answer = await endpoint.stub.sendTest();
    await endpoint.send();

    if (!answer.ok) throw new Error(answer.refusal.detail);
    const after = await endpoint.stub.delivery(answer.value.delivery_id);
    expect(after).toMatchObject({
      ok: true,
      value: { state: "exhausted", attempts: [{ trigger: "manual", status_code: 500 }] },
    });
    expect(await endpoint.send()).toBe(false);
  });

  it("is refused by an object that nobody configured", async () => {
    const answer = await env.ENDPOINT.getByName("default/wh_nobodyknowsthisone00001").sendTest();

    expect(answer).toMatchObject({ ok: false, refusal: { code: "webhook_not_found" } });
  });
});

describe("a replay of a delivery that is open", () => {
  it("is never sent beside its own retry, and names when it was due", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([{ status: 503 }, { status: 200 }]);
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();
    await endpoint.at(10_000);

    const { delivery_id } = await endpoint.delivery("t", 1);
    await endpoint.stub.replay(delivery_id);
    await endpoint.send();

    const attempts = (await endpoint.receiver.log()).map(({ headers }) => headers["x-attempt"]);
    expect(attempts).toEqual(["1", "2"]);
    expect(await endpoint.delivery("t", 1)).toMatchObject({
      state: "delivered",
      attempts: [{ trigger: "scheduled" }, { trigger: "manual" }],
    });
  });

  it("waits behind those of its lane", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([{ status: 503 }, { status: 200 }]);
    await endpoint.enqueue(item("t", 1), item("t", 2));
    await endpoint.send();

    const { delivery_id } = await endpoint.delivery("t", 2);
    const answer = await endpoint.stub.replay(delivery_id);
    await endpoint.send();

    expect(answer).toMatchObject({ ok: true, value: { delay_reason: "lane" } });
    expect(await endpoint.arrived()).toEqual(["t:1"]);
  });
});

describe("those behind a delivery that a replay has settled", () => {
  it("go on at once, and are found again by an object that was evicted", async () => {
    const endpoint = await newEndpoint({ retry_policy: { schedule: [86_400] } });
    await endpoint.receiver.script([{ status: 503 }, { status: 200 }]);
    await endpoint.enqueue(item("t", 1), item("t", 2), item("u", 1));
    await endpoint.send();
    const { delivery_id } = await endpoint.delivery("t", 1);
    await endpoint.evict();

    await endpoint.stub.replay(delivery_id);
    await endpoint.send();

    expect((await endpoint.arrived()).toSorted()).toEqual(["t:1", "t:1", "t:2", "u:1"]);
  });
});
