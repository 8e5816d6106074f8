import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it, vi } from "vitest";

import { webhookDeliverySchema } from "../../src/protocol/webhook.ts";
import { item, newEndpoint, START } from "./endpoints.ts";
import { bodyText } from "./receiver.ts";

describe("an endpoint's object", () => {
  it("sends what it stored, signed so that the reference verifier accepts it", async () => {
    const endpoint = await newEndpoint();
    endpoint.sendAtOnce();
    await runInDurableObject(endpoint.stub, (instance) => {
      instance.now = () => Date.now();
    });

    await endpoint.enqueue(item("t", 3));
    const [request] = await vi.waitUntil(async () => {
      const log = await endpoint.receiver.log();
      return log.length > 0 ? log : null;
    }, 15_000);

    if (request === undefined) throw new Error("nothing arrived");
    const verified = new Webhook(endpoint.config.secrets[0]?.secret ?? "").verify(
      bodyText(request),
      request.headers,
    );
    expect(webhookDeliverySchema.parse(verified)).toEqual({
      type: "task_progress",
      timestamp: "2026-11-22T10:00:00.000Z",
      data: { task_id: "t", seq: 3, prev_seq: null, notification: { task_id: "t", seq: 3 } },
    });
    expect(request.headers).toMatchObject({
      "content-type": "application/json",
      "x-task-id": "t",
      "x-notification-type": "task_progress",
      "x-attempt": "1",
      traceparent: expect.stringMatching(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/),
    });
  });

  it("stores a notification once, however often it comes", async () => {
    const endpoint = await newEndpoint();

    const receipts = [
      await endpoint.enqueue(item("t", 1), item("t", 2)),
      await endpoint.enqueue(item("t", 1), item("t", 2), item("t", 3)),
    ];
    await endpoint.send();
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();

    expect(receipts).toEqual([
      { stored: 2, known: true },
      { stored: 1, known: true },
    ]);
    expect(await endpoint.arrived()).toEqual(["t:1", "t:2", "t:3"]);
  });

  it("stores no news in the place of a former task's of the same id, and says so", async () => {
    const endpoint = await newEndpoint();
    const warn = vi.spyOn(console, "warn");
    await endpoint.enqueue(item("t", 1));

    await endpoint.enqueue(item("t", 1));
    await endpoint.enqueue(
      item("t", 1, { event_id: "second-life", at: "2028-11-22T10:00:00.000Z" }),
    );

    const lines = warn.mock.calls.flat().filter((line) => String(line).includes("place_taken"));
    expect(lines.map((line) => JSON.parse(String(line)))).toMatchObject([
      { event: "delivery_place_taken", task_id: "t", seq: 1, event_id: "second-life" },
    ]);
    await endpoint.send();
    expect(await endpoint.arrived()).toEqual(["t:1"]);
  });

  it("says so when it has no configuration, or an older one than the caller", async () => {
    const endpoint = await newEndpoint();
    const stranger = env.ENDPOINT.getByName("default/wh_nobodyknowsthisone00000");
    const batch = { config_version: 1, callback: null, items: [item("t", 1)] };

    const answers = [
      await stranger.enqueue(batch),
      await endpoint.stub.enqueue({ ...batch, config_version: 2 }),
    ];

    expect(answers).toEqual([
      { stored: 0, known: false },
      { stored: 0, known: false },
    ]);
    expect(await endpoint.send()).toBe(false);
  });

  it("takes the configuration of a callback from the call itself", async () => {
    const template = await newEndpoint();
    const webhook_id = "cb_0123456789ABCDEFGHIJkl";
    const stub = env.ENDPOINT.getByName(`default/${webhook_id}`);
    const callback = JSON.stringify({ ...template.config, webhook_id });

    const receipt = await stub.enqueue({ config_version: 1, callback, items: [item("t", 1)] });

    expect(receipt).toEqual({ stored: 1, known: true });
    await vi.waitUntil(async () => (await template.arrived()).length === 1, 15_000);
  });

  it("names the notification before it in each one, filters or not", async () => {
    const endpoint = await newEndpoint();

    await endpoint.enqueue(item("t", 2), item("t", 5), item("u", 3));
    await endpoint.enqueue(item("t", 9));
    await endpoint.send();

    const bodies = (await endpoint.receiver.log()).map((request) => JSON.parse(bodyText(request)));
    const chain = bodies.map(({ data }) => `${data.task_id}: ${data.prev_seq} then ${data.seq}`);
    expect(chain.toSorted()).toEqual([
      "t: 2 then 5",
      "t: 5 then 9",
      "t: null then 2",
      "u: null then 3",
    ]);
  });

  it("carries a payload of 500 KB", async () => {
    const endpoint = await newEndpoint();
    const text = "x".repeat(500_000);

    await endpoint.enqueue(item("t", 1, { notification: JSON.stringify({ text }) }));
    await endpoint.send();

    const [request] = await endpoint.receiver.log();
    const received = JSON.parse(request ? bodyText(request) : "null");
    expect(received.data.notification.text).toBe(text);
  });

  it("sends to a new address from the next attempt on", async () => {
    const [endpoint, other] = [await newEndpoint(), await newEndpoint()];

    await endpoint.change({ url: other.receiver.url });
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();

    expect([await endpoint.arrived(), await other.arrived()]).toEqual([[], ["t:1"]]);
  });

  it("ignores a configuration that is older than its own", async () => {
    const endpoint = await newEndpoint();
    await endpoint.change({ state: "paused" });

    await endpoint.stub.configure(JSON.stringify(endpoint.config));
    await endpoint.enqueue(item("t", 1));

    expect((await endpoint.delivery("t", 1)).state).toBe("held");
  });

  it("signs with every secret that has not expired", async () => {
    const old = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const expired = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    const endpoint = await newEndpoint();
    await endpoint.change({
      secrets: [
        ...endpoint.config.secrets,
        { secret: old, expires_at: new Date(START + 1_000).toISOString() },
        { secret: expired, expires_at: new Date(START - 1_000).toISOString() },
      ],
    });

    await endpoint.enqueue(item("t", 1));
    await endpoint.send();

    const [request] = await endpoint.receiver.log();
    expect(request?.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
  });
});

describe("a paused endpoint", () => {
  it("keeps what comes, sends nothing, and sends all of it in order when resumed", async () => {
    const endpoint = await newEndpoint();
    await endpoint.change({ state: "paused" });
    await endpoint.enqueue(item("t", 1), item("t", 2));
    await endpoint.send();
    const held = await endpoint.delivery("t", 2);

    await endpoint.change({ state: "active" });
    await endpoint.send();

    expect(held).toMatchObject({ state: "held", delay_reason: "endpoint_paused" });
    expect(held.next_attempt_at).toBeNull();
    expect(await endpoint.arrived()).toEqual(["t:1", "t:2"]);
  });

  it("also after it was evicted in between", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));
    await endpoint.change({ state: "paused" });
    await endpoint.send();
    await endpoint.evict();
    await endpoint.enqueue(item("u", 1));

    await endpoint.change({ state: "active" });
    await endpoint.send();

    expect((await endpoint.arrived()).toSorted()).toEqual(["t:1", "u:1"]);
  });
});

describe("a deleted endpoint", () => {
  it("cancels what was open, says so, and takes nothing more", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));

    await endpoint.change({ state: "deleted" });
    const receipt = await endpoint.enqueue(item("t", 2));
    await endpoint.send();

    expect(receipt).toEqual({ stored: 0, known: true });
    expect(await endpoint.delivery("t", 1)).toMatchObject({
      state: "cancelled",
      delay_reason: "endpoint_deleted",
    });
    expect(await endpoint.arrived()).toEqual([]);
  });

  it("refuses a replay", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));
    const { delivery_id } = await endpoint.delivery("t", 1);
    await endpoint.change({ state: "deleted" });

    const answer = await endpoint.stub.replay(delivery_id);

    expect(answer).toMatchObject({ ok: false, refusal: { code: "webhook_not_found" } });
  });
});
