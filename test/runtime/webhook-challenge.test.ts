import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { webhookChallengeSchema } from "../../src/protocol/webhook.ts";
import { bodyText, newReceiver } from "./receiver.ts";
import {
  announce,
  arrivals,
  newTenant,
  ORIGIN,
  register,
  registration,
  webhooks,
} from "./webhook-world.ts";

const ECHO = { isEcho: true };
const PROOF = { challenge: true };

/** An endpoint whose receiver has not met its challenge, and from now on meets it. */
async function registerUnverified(fields: Record<string, unknown> = {}) {
  const [by, receiver] = [newTenant(), newReceiver()];
  await receiver.script([{ status: 404 }, ECHO]);
  const webhook = await register(by, receiver, { ...PROOF, ...fields });
  return { by, receiver, webhook_id: webhook.webhook_id, webhook };
}

describe("a webhook registered with a challenge", () => {
  it("is active once its receiver answers with the challenge", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    await receiver.script([ECHO]);

    const webhook = await register(by, receiver, PROOF);
    await announce(by, "t", 1);

    expect(webhook).toMatchObject({ state: "active", active: true, is_verified: true });
    expect(webhook.secret).toMatch(/^whsec_/);
    expect(await webhooks.get(by.tenant, webhook.webhook_id)).toMatchObject({
      value: { state: "active", is_verified: true },
    });
    expect((await arrivals(receiver, 2)).slice(1)).toEqual(["t:1"]);
  });

  it("gets the challenge signed like a notification, and its headers", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    await receiver.script([ECHO]);

    const { secret, webhook_id } = await register(by, receiver, {
      ...PROOF,
      headers: { authorization: "Basic eA==" },
    });

    const [request] = await receiver.log();
    if (request === undefined) throw new Error("nothing arrived");
    const body: unknown = new Webhook(secret ?? "").verify(bodyText(request), request.headers);
    expect(webhookChallengeSchema.parse(body).data.challenge).toMatch(/^[0-9A-Za-z]{22}$/);
    expect(request).toMatchObject({
      method: "POST",
      headers: {
        "x-notification-type": "webhook_challenge",
        "content-type": "application/json",
        authorization: "Basic eA==",
      },
    });
    expect(request.headers["webhook-id"]).toContain(webhook_id.replace("_", ""));
    expect(request.headers).not.toHaveProperty("x-task-id");
  });

  it("keeps what comes meanwhile and sends it when the challenge is met", async () => {
    const { by, receiver, webhook_id } = await registerUnverified();
    await announce(by, "t", 1);
    await announce(by, "t", 2);
    const before = (await receiver.log()).length;

    const verified = await webhooks.verify(by, webhook_id);

    expect(before).toBe(1);
    expect(verified).toMatchObject({ ok: true, value: { state: "active", is_verified: true } });
    await receiver.script([{ status: 200 }]);
    expect((await arrivals(receiver, 4)).slice(2)).toEqual(["t:1", "t:2"]);
  });

  it("is verified and stays paused when it was registered so", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    await receiver.script([ECHO]);

    const webhook = await register(by, receiver, { ...PROOF, active: false });

    expect(webhook).toMatchObject({ state: "paused", is_verified: true });
  });

  it.each([
    ["without the text", { body: "ok" }, 200],
    ["with another text", { body: '{"challenge":"0123456789012345678901"}' }, 200],
    ["with the text and 500", { isEcho: true, status: 500 }, 500],
    ["with a redirect", { isEcho: true, status: 302, headers: { location: "/" } }, 302],
    ["not in time", { isEcho: true, delay_ms: 1_500 }, null],
  ])("stays paused and unverified when it is answered %s", async (_what, reply, status_code) => {
    const [by, receiver] = [newTenant(), newReceiver()];
    await receiver.script([reply]);

    const webhook = await register(by, receiver, { ...PROOF, timeout: 1 });
    const again = await webhooks.verify(by, webhook.webhook_id);

    expect(webhook).toMatchObject({ state: "paused", active: false, is_verified: false });
    expect(webhook.secret).toMatch(/^whsec_/);
    expect(again).toMatchObject({
      ok: false,
      refusal: { code: "challenge_failed", extra: { status_code } },
    });
    expect(await receiver.log()).toHaveLength(2);
  });

  it("asks with another challenge each time", async () => {
    const { by, receiver, webhook_id } = await registerUnverified();

    await webhooks.verify(by, webhook_id);

    const [first, second] = (await receiver.log()).map(
      (request) => webhookChallengeSchema.parse(JSON.parse(bodyText(request))).data.challenge,
    );
    expect(second).not.toBe(first);
  });
});

describe("a webhook that is not verified", () => {
  const UNVERIFIED = { ok: false, refusal: { code: "endpoint_unverified" } };

  it("is neither resumed, activated, tested nor sent a replay", async () => {
    const { by, receiver, webhook_id } = await registerUnverified();
    await announce(by, "t", 1);
    const page = await webhooks.deliveries(by.tenant, webhook_id, { limit: 1 });
    const delivery_id = page.ok ? (page.value.items[0]?.delivery_id ?? "") : "";

    const answers = [
      await webhooks.setPaused(by, webhook_id, false),
      await webhooks.patch(by, webhook_id, { active: true }, ORIGIN),
      await webhooks.test(by, webhook_id),
      await webhooks.replay(by, delivery_id),
    ];

    for (const answer of answers) expect(answer).toMatchObject(UNVERIFIED);
    expect(await receiver.log()).toHaveLength(1);
    expect(await webhooks.get(by.tenant, webhook_id)).toMatchObject({
      value: { state: "paused", is_verified: false },
    });
  });

  it("is changed and paused like any other", async () => {
    const { by, webhook_id } = await registerUnverified();

    const changed = await webhooks.patch(by, webhook_id, { name: "x", active: false }, ORIGIN);
    const paused = await webhooks.setPaused(by, webhook_id, true);

    expect(changed).toMatchObject({ ok: true, value: { name: "x", is_verified: false } });
    expect(paused).toMatchObject({ ok: true, value: { state: "paused" } });
  });
});

describe("a new url", () => {
  it("has to be proven where the first one had to", async () => {
    const { by, webhook_id } = await registerUnverified();
    await webhooks.verify(by, webhook_id);
    const next = newReceiver();
    await next.script([ECHO]);

    const moved = await webhooks.patch(by, webhook_id, { url: next.url }, ORIGIN);
    await announce(by, "t", 1);
    const early = await next.log();
    const verified = await webhooks.verify(by, webhook_id);

    expect(moved).toMatchObject({ ok: true, value: { state: "paused", is_verified: false } });
    expect(early).toEqual([]);
    expect(verified).toMatchObject({ ok: true, value: { state: "active", url: next.url } });
    expect((await arrivals(next, 2)).slice(1)).toEqual(["t:1"]);
  });

  it("may not come with the wish to be active", async () => {
    const { by, webhook_id } = await registerUnverified();
    await webhooks.verify(by, webhook_id);

    const url = newReceiver().url;
    const answer = await webhooks.patch(by, webhook_id, { url, active: true }, ORIGIN);

    expect(answer).toMatchObject({ ok: false, refusal: { code: "endpoint_unverified" } });
  });

  it("needs no proof when it is the old one, or none was asked for", async () => {
    const { by, receiver, webhook_id } = await registerUnverified();
    await webhooks.verify(by, webhook_id);
    const plain = await register(by, newReceiver());

    const same = await webhooks.patch(by, webhook_id, { url: receiver.url }, ORIGIN);
    const other = await webhooks.patch(by, plain.webhook_id, { url: newReceiver().url }, ORIGIN);

    for (const answer of [same, other]) {
      expect(answer).toMatchObject({ ok: true, value: { state: "active", is_verified: true } });
    }
  });
});

describe("asking for the proof", () => {
  it("sends nothing to a receiver that has given it, or to one that does not exist", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver);

    const verified = await webhooks.verify(by, webhook_id);
    const unknown = await webhooks.verify(newTenant(), webhook_id);

    expect(verified).toMatchObject({ ok: true, value: { is_verified: true } });
    expect(unknown).toMatchObject({ ok: false, refusal: { code: "webhook_not_found" } });
    expect(await receiver.log()).toEqual([]);
  });

  it("does not verify an endpoint whose url was changed while it was asked", async () => {
    const [by, receiver, next] = [newTenant(), newReceiver(), newReceiver()];
    await receiver.script([{ status: 500 }, { isEcho: true, delay_ms: 500 }]);
    const answer = await webhooks.create(by, registration(receiver, PROOF), ORIGIN);
    const webhook_id = answer.ok ? answer.value.webhook_id : "";

    const asking = webhooks.verify(by, webhook_id);
    await webhooks.patch(by, webhook_id, { url: next.url }, ORIGIN);

    expect(await asking).toMatchObject({ ok: false });
    expect(await webhooks.get(by.tenant, webhook_id)).toMatchObject({
      value: { url: next.url, is_verified: false, state: "paused" },
    });
  });
});
