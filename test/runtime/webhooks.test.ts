import { runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";

import { webhookRegistrationSchema, webhookViewSchema } from "../../src/protocol/webhook.ts";
import { newReceiver } from "./receiver.ts";
import {
  announce,
  arrivals,
  newTenant,
  ORIGIN,
  register,
  stubOf,
  webhooks,
} from "./webhook-world.ts";

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
    await runDurableObjectAlarm(stubOf(by.tenant, webhook_id));
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
    const patched = await webhooks.patch(by, webhook_id, { events: ["task_progress"] }, ORIGIN);
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
      ORIGIN,
    );

    expect(answer).toMatchObject({
      ok: false,
      refusal: { code: "endpoint_refused", errors: [{ pointer: "/url" }] },
    });
  });

  it("keeps what it was when a change is refused", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);

    const answer = await webhooks.patch(by, webhook_id, { url: "http://127.0.0.1/" }, ORIGIN);

    expect(answer).toMatchObject({ ok: false, refusal: { code: "endpoint_refused" } });
    expect(await webhooks.get(by.tenant, webhook_id)).toMatchObject({
      value: { url: receiver.url },
    });
  });

  it("sends a test through its own path", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);

    const answer = await webhooks.test(by, webhook_id);
    await vi.waitUntil(async () => (await receiver.log()).length === 1, 15_000);

    expect(answer).toMatchObject({ ok: true, value: { type: "system_alert" } });
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
    const rotated = await webhooks.rotateCallbackSecret(by, 60);

    expect(again).toEqual(first);
    expect(foreign).not.toEqual(first);
    expect(rotated).not.toEqual(first);
    expect(await webhooks.callbackSecret(by.tenant)).toEqual(rotated);
  });
});
