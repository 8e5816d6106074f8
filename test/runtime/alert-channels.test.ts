import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { newSecret } from "../../src/delivery/signature.ts";
import type { AlertView, ChannelView } from "../../src/protocol/alerts.ts";
import type { DeliveryView } from "../../src/protocol/webhook.ts";
import { tellChannels } from "../../src/services-channels.ts";
import { FIRING } from "../firing-alert.ts";
import { pagerduty, resend, slack, twilio } from "../providers.ts";
import type { ReceivedRequest } from "../received.ts";
import { asked } from "./asked.ts";
import { eventually, type Answered } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import { newTenant } from "./tenant.ts";

const ACCOUNT = "AC0123456789abcdef0123456789abcdef";
const TOKEN = "token-that-nobody-may-see";
const API_KEY = "re_that_nobody_may_see";
const ROUTING_KEY = "key0that0nobody0may0see012345678";

type Problem = { code: string; errors?: { pointer: string }[] };
type Page<Item> = { items: Item[] };

async function world() {
  const tenant = `channels-${crypto.randomUUID().slice(0, 8)}`;
  const as = await newTenant(tenant);
  const put = (channel_id: string, channel: object): Promise<Answered<ChannelView & Problem>> =>
    as("PUT", `/v1/alert-channels/${channel_id}`, { name: channel_id, ...channel });
  const tell = (changes: Partial<AlertView> = {}, change: "fired" | "resolved" = "fired") =>
    tellChannels(env)({ tenant, alert: { ...FIRING, ...changes }, change });
  const deliveries = async ({ webhook_id }: ChannelView) =>
    (await as<Page<DeliveryView>>("GET", `/v1/webhooks/${webhook_id}/deliveries`)).body.items;
  return { tenant, as, put, tell, deliveries };
}

const some = (log: ReceivedRequest[]) => log.length > 0;

describe("an alert channel", () => {
  it("tells each provider in the form of its API", async () => {
    const { put, tell } = await world();
    const [mail, sms, page, chat, hook] = Array.from({ length: 5 }, () => newReceiver());
    if (!mail || !sms || !page || !chat || !hook) throw new Error("no receivers");
    const secret = newSecret();
    const from = "alerts@example.com";
    await put("mail", { kind: "email", url: mail.url, to: [from], from, secret: API_KEY });
    await put("sms", {
      kind: "sms",
      url: sms.url,
      to: ["+34600111222", "+34600333444"],
      from: "Batuta",
      account: ACCOUNT,
      secret: TOKEN,
    });
    await put("page", { kind: "paging", url: page.url, secret: ROUTING_KEY });
    await put("chat", { kind: "chat", url: chat.url });
    await put("hook", { kind: "webhook", url: hook.url, secret });

    const told = await tell();

    const texts = await eventually(sms.log, (log) => log.length === 2);
    const [mailed] = await eventually(mail.log, some);
    const [paged] = await eventually(page.log, some);
    const [said] = await eventually(chat.log, some);
    const [posted] = await eventually(hook.log, some);
    expect(told).toEqual({ told: ["chat", "hook", "mail", "page", "sms"], missed: [] });
    expect(resend(API_KEY)(asked(mailed)).meaning).toMatchObject({
      subject: "[CRITICAL] Tasks are slow",
    });
    expect(texts.map((text) => twilio(ACCOUNT, TOKEN)(asked(text)).meaning?.To)).toEqual([
      "+34600111222",
      "+34600333444",
    ]);
    expect(pagerduty(ROUTING_KEY).take(asked(paged)).meaning?.payload.severity).toBe("critical");
    expect(slack(chat.url)(asked(said)).meaning).not.toBeNull();
    const { body, headers } = asked(posted);
    expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
  });

  it("resolves at the pager after it has triggered, however that went, and keeps answers without its secret", async () => {
    const { as, put, tell, deliveries } = await world();
    const pager = newReceiver();
    await pager.script([
      { status: 429, headers: { "retry-after": "1" }, isEcho: true },
      { status: 202, body: '{"status":"success"}' },
    ]);
    const { body } = await put("page", { kind: "paging", url: pager.url, secret: ROUTING_KEY });

    await tell();
    // What it is told of in the meantime changes nothing of what it was told.
    await put("page", {
      kind: "paging",
      url: pager.url,
      severities: ["info"],
      rule_ids: ["another"],
    });
    await tell({ resolved_at: "2026-11-22T10:10:00.000Z", told: ["page"] }, "resolved");
    await put("page", { kind: "paging", url: pager.url });
    await tell();

    const arrived = await eventually(pager.log, (log) => log.length === 3);
    const provider = pagerduty(ROUTING_KEY);
    const actions = arrived.map((one) => provider.take(asked(one)).meaning?.event_action);
    expect(actions).toEqual(["trigger", "trigger", "resolve"]);
    expect([...provider.open]).toEqual([]);
    const found = await eventually(
      () => deliveries(body),
      (items) => items.every(({ state }) => state === "delivered"),
    );
    expect(found).toHaveLength(2);
    expect(found.map(({ attempts_made }) => attempts_made).toSorted((a, b) => a - b)).toEqual([
      1, 2,
    ]);
    const fired = found.find(({ attempts_made }) => attempts_made === 2)?.delivery_id;
    const { attempts } = (await as<DeliveryView>("GET", `/v1/deliveries/${fired}`)).body;
    expect(attempts?.[0]).toMatchObject({ status_code: 429, error_class: "rate_limited" });
    expect(attempts?.[0]?.response_body).toContain('"routing_key":"[redacted]"');
  }, 30_000);

  it("gives up what a provider refuses, and stops at an archived one", async () => {
    const { as, put, tell, deliveries } = await world();
    const [mail, chat] = [newReceiver(), newReceiver()];
    await mail.script([{ status: 422, body: '{"name":"validation_error"}' }]);
    await chat.script([{ status: 410, body: "channel_is_archived" }]);
    const from = "alerts@example.com";
    const made = await put("mail", {
      kind: "email",
      url: mail.url,
      to: [from],
      from,
      secret: API_KEY,
    });
    const archived = await put("chat", { kind: "chat", url: chat.url });

    await tell();

    const [refused] = await eventually(
      () => deliveries(made.body),
      ([first]) => first?.state === "exhausted",
    );
    expect(refused).toMatchObject({ attempts_made: 1 });
    await eventually(
      () => as("GET", `/v1/webhooks/${archived.body.webhook_id}`),
      ({ body }) => body["state"] === "disabled",
    );
  });

  it("shows neither secret nor a chat's address, and has both sealed in every row of D1", async () => {
    const { as, put } = await world();
    const chat = `${newReceiver().url}/services/T0/B0/address-that-nobody-may-see`;
    const made = await put("page", { kind: "paging", secret: ROUTING_KEY });
    const said = await put("chat", { kind: "chat", url: chat });
    const listed = await as<Page<ChannelView>>("GET", "/v1/alert-channels");
    const hook = await as("GET", `/v1/webhooks/${said.body.webhook_id}`);

    const rows = await env.DB.prepare("SELECT * FROM webhook").all();
    const channels = await env.DB.prepare("SELECT * FROM alert_channel").all();
    const audit = await env.DB.prepare("SELECT * FROM audit").all();

    expect(said.body).toMatchObject({ url: "https://hooks.receiver.test/…", has_secret: true });
    expect(listed.body.items).toEqual([said.body, made.body]);
    for (const secret of [ROUTING_KEY, "address-that-nobody-may-see"]) {
      expect(JSON.stringify([made, said, listed, hook])).not.toContain(secret);
      expect(JSON.stringify([rows, channels, audit])).not.toContain(secret);
    }
  });

  it("keeps its secret for the same place alone, and a chat's address when its short form comes back", async () => {
    const { put, tell } = await world();
    const [chat, other] = [newReceiver(), newReceiver()];
    await put("page", { kind: "paging", url: chat.url, secret: ROUTING_KEY });
    const { body: said } = await put("chat", { kind: "chat", url: chat.url });

    const renamed = await put("page", { kind: "paging", url: chat.url, severities: ["info"] });
    const moved = await put("page", { kind: "paging", url: other.url });
    const same = await put("chat", { kind: "chat", url: said.url, name: "renamed" });
    await tell();

    expect(renamed).toMatchObject({ status: 200, body: { severities: ["info"] } });
    expect(moved).toMatchObject({ status: 422, body: { code: "channel_refused" } });
    expect(moved.body.errors).toMatchObject([{ pointer: "/secret" }]);
    expect(same.status).toBe(200);
    const [arrived] = await eventually(chat.log, some);
    expect(slack(chat.url)(asked(arrived)).meaning).not.toBeNull();
  });

  it("is refused where a field is wrong or its address is not to be called, and nothing is kept", async () => {
    const { as, put } = await world();

    const incomplete = await put("mail", { kind: "email", to: ["nobody"] });
    const inside = await put("hook", { kind: "webhook", url: "https://127.0.0.1/" });
    const own = await put("hook", { kind: "webhook", url: "https://batuta.test/" });
    const misnamed = await put("Not A Name", { kind: "chat", url: newReceiver().url });

    expect(incomplete).toMatchObject({ status: 422, body: { code: "channel_refused" } });
    expect(incomplete.body.errors?.map(({ pointer }) => pointer)).toEqual(["/from", "/to/0"]);
    expect(inside).toMatchObject({ status: 422, body: { code: "endpoint_refused" } });
    expect(own).toMatchObject({ status: 422, body: { code: "endpoint_refused" } });
    expect(misnamed.status).toBe(400);
    const listed = await as<Page<ChannelView>>("GET", "/v1/alert-channels");
    expect(listed.body.items).toEqual([]);
  });

  it("owns its endpoint: no list of webhooks has it, and nobody changes it behind its back", async () => {
    const { as, put, tell } = await world();
    const hook = newReceiver();
    const { body } = await put("page", { kind: "paging", url: hook.url, secret: ROUTING_KEY });
    const at = `/v1/webhooks/${body.webhook_id}`;

    const answers = [
      await as<Problem>("PATCH", at, { url: newReceiver().url }),
      await as<Problem>("POST", `${at}/pause`, {}),
      await as<Problem>("POST", `${at}/rotate-secret`, {}),
      await as<Problem>("DELETE", at),
    ];
    const listed = await as<Page<unknown>>("GET", "/v1/webhooks");
    const task = await as<Problem>("POST", "/v1/tasks", {
      task_type: "research",
      description: "names a channel as a stakeholder",
      stakeholders: [body.webhook_id],
    });

    expect(answers.map(({ status, body: { code } }) => [status, code])).toEqual(
      answers.map(() => [409, "webhook_of_channel"]),
    );
    expect(listed.body.items).toEqual([]);
    expect(task.status).toBeGreaterThanOrEqual(400);
    expect(await as("POST", `${at}/resume`, {})).toMatchObject({ status: 202 });
    await tell();
    expect(await eventually(hook.log, some)).toHaveLength(1);
  });

  it("is tested also while it is off, and is no more once it was deleted", async () => {
    const { as, put, tell, deliveries } = await world();
    const pager = newReceiver();
    const { body } = await put("page", {
      kind: "paging",
      url: pager.url,
      secret: ROUTING_KEY,
      is_enabled: false,
    });

    const tested = await as<DeliveryView>("POST", "/v1/alert-channels/page/test", {});
    const [arrived] = await eventually(pager.log, some);
    const toldWhileOff = await tell();
    const removed = await as("DELETE", "/v1/alert-channels/page");
    const again = await as("DELETE", "/v1/alert-channels/page");

    expect(tested.status).toBe(202);
    expect(pagerduty(ROUTING_KEY).take(asked(arrived)).meaning).toMatchObject({
      event_action: "trigger",
      payload: { severity: "info" },
    });
    expect(toldWhileOff).toEqual({ told: [], missed: [] });
    expect([removed.status, again.status]).toEqual([204, 404]);
    expect(await tell()).toEqual({ told: [], missed: [] });
    expect(await deliveries(body)).toHaveLength(1);
  });
});
