import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { AuditStore } from "../../src/audit/audit-store.ts";
import { createOperations } from "../../src/delivery/registry/operations.ts";
import { WebhookStore } from "../../src/delivery/registry/webhook-store.ts";
import { randomId } from "../../src/lib/ports.ts";
import type { AuditEntry } from "../../src/protocol/audit.ts";
import type { Poll, Recovery, WebhookStats } from "../../src/protocol/webhook-operations.ts";
import type { WebhookView } from "../../src/protocol/webhook.ts";
import { endpointDoor } from "../../src/services-doors.ts";
import { call, eventually, Executor, submit } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";

/** Registers an endpoint over HTTP. */
async function registered(fields: Record<string, unknown> = {}) {
  const receiver = newReceiver();
  const { body } = await call<WebhookView>("POST", "/v1/webhooks", {
    url: receiver.url,
    ...fields,
  });
  return { receiver, path: `/v1/webhooks/${body.webhook_id}`, webhook_id: body.webhook_id };
}

/** A task that is started and no more. */
async function startedTask(name: string): Promise<void> {
  const executor = await new Executor(`executor-${name}`).register();
  await submit({ task_id: name, requires: { capabilities: [executor.agent_id] } });
  await executor.claim();
  await executor.start();
}

describe("what an operator asks of an endpoint", () => {
  it("recovers over HTTP what was given up, to be watched, and audited", async () => {
    const { receiver, path } = await registered({ retry_policy: { schedule: [] } });
    await receiver.script([{ status: 500 }]);
    await startedTask("to-recover");
    const exhausted = async () =>
      (await call<{ items: unknown[] }>("GET", `${path}/deliveries?state=exhausted`)).body.items;
    await eventually(exhausted, (items) => items.length === 1);
    await receiver.script([{ status: 200 }]);
    const request = { since: "2020-01-01T00:00:00Z" };

    const counted = await call("POST", `${path}/recover`, { ...request, dry_run: true });
    const started = await call<Recovery>("POST", `${path}/recover`, request);
    const { recovery_id } = started.body;
    const done = await eventually(
      async () => (await call<Recovery>("GET", `${path}/recoveries/${recovery_id}`)).body,
      ({ state }) => state === "done",
    );

    expect(counted).toMatchObject({ status: 200, body: { matched: 1 } });
    expect(started).toMatchObject({ status: 202, body: { matched: 1 } });
    expect(done).toMatchObject({ matched: 1, replayed: 1 });
    await eventually(
      async () => (await receiver.log()).length,
      (count) => count === 2,
    );
    const audit = await call<{ items: AuditEntry[] }>("GET", `${path}/audit`);
    expect(audit.body.items.map(({ action }) => action)).toContain("recovery_started");
    expect(await call("DELETE", `${path}/recoveries/${recovery_id}`)).toMatchObject({
      status: 200,
      body: { state: "done" },
    });
    expect((await call("GET", `${path}/recoveries/rcv_no`)).status).toBe(404);
  });

  it("reads how it has done, and polls what came", async () => {
    const { receiver, path } = await registered({ events: ["task_started"] });
    await startedTask("to-read");
    await eventually(
      async () => (await receiver.log()).length,
      (count) => count === 1,
    );

    const stats = await eventually(
      async () => (await call<WebhookStats>("GET", `${path}/stats?window=60`)).body,
      ({ delivered }) => delivered === 1,
    );
    const polled = await call<Poll>("GET", `${path}/events?after=0`);
    const behind = await call<Poll>("GET", `${path}/events?after=${polled.body.next_after}`);

    expect(stats).toMatchObject({
      window_s: 60,
      attempts: 1,
      failed: 0,
      success_rate: 1,
      level: 0,
    });
    expect(polled.body.items).toMatchObject([
      { body: { type: "task_started", data: { task_id: "to-read" } } },
    ]);
    expect(behind.body).toEqual({ items: [], next_after: polled.body.next_after });
  });

  it.each([
    ["GET", "/stats?window=0", 400],
    ["GET", "/stats?window=999999999", 400],
    ["GET", "/events?wait=26", 400],
    ["POST", "/recover", 400],
  ])("refuses %s %s with %i", async (method, suffix, status) => {
    const { path } = await registered();

    const answer = await call(method, `${path}${suffix}`, method === "POST" ? {} : undefined);

    expect(answer.status).toBe(status);
  });

  it.each(["/stats", "/events", "/recoveries/rcv_1"])(
    "finds nothing at %s of a stranger",
    async (suffix) => {
      expect((await call("GET", `/v1/webhooks/wh_0000000000000000000000${suffix}`)).status).toBe(
        404,
      );
    },
  );

  it("refuses to poll an endpoint of several shards, whose events have no common order", async () => {
    const { path } = await registered({ shards: 2 });

    expect(await call("GET", `${path}/events`)).toMatchObject({
      status: 422,
      body: { code: "not_supported" },
    });
  });

  it("is nothing but zeros for an endpoint that its object does not know yet", async () => {
    const { webhook_id } = await registered();
    const operations = createOperations({
      store: new WebhookStore(env.DB),
      endpoint: (tenant) => endpointDoor(env, tenant, `wh_${randomId()}`),
      audit: new AuditStore(env.DB),
      newId: randomId,
      now: () => Date.now(),
    });

    expect(await operations.stats("default", webhook_id, 60)).toMatchObject({
      ok: true,
      value: { attempts: 0, success_rate: null, p50_ms: null, level: 0, last_error: null },
    });
  });
});
