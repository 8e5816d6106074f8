import { describe, expect, it } from "vitest";

import { publishAlert } from "../../src/delivery/alert.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { TaskDeliveries } from "../../src/protocol/webhook-operations.ts";
import { Executor, call, eventually, submit } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import {
  announce,
  arrivals,
  endpoint,
  newTenant,
  register,
  registry,
  webhooks,
  ORIGIN,
} from "./webhook-world.ts";

/** A progress notification that keeps its schema. */
function progress(percentage: number, agent_id = "a-1") {
  return {
    notification_id: `n-${percentage}`,
    notification_type: "task_progress",
    task_id: "t",
    agent_id,
    timestamp: "2026-11-22T10:00:00Z",
    data: { progress_percentage: percentage, current_step: "on" },
  };
}

/** The deliveries that an endpoint has, by seq. */
async function storedAt(by: Principal, webhook_id: string): Promise<(number | null)[]> {
  const page = await webhooks.deliveries(by.tenant, webhook_id, { limit: 50 });
  if (!page.ok) throw new Error(page.refusal.detail);
  return page.value.items.map(({ seq }) => seq);
}

describe("filters", () => {
  it.each<[what: string, fields: Record<string, unknown>, isWanted: boolean]>([
    ["nothing", {}, true],
    ["its type", { events: ["task_progress"] }, true],
    ["another type", { events: ["task_failed"] }, false],
    ["its task type", { filters: { task_types: ["research"] } }, true],
    ["another task type", { filters: { task_types: ["testing"] } }, false],
    ["its priority", { filters: { priorities: ["high"] } }, true],
    ["another priority", { filters: { priorities: ["low", "critical"] } }, false],
    ["its agent", { filters: { agent_ids: ["a-9", "a-1"] } }, true],
    ["another agent", { filters: { agent_ids: ["a-2"] } }, false],
    ["one of its tags", { filters: { tags: ["green", "red", "blue"] } }, true],
    ["another tag", { filters: { tags: ["green"] } }, false],
    ["what it says", { filters: { match: { "data.progress_percentage": { $gte: 40 } } } }, true],
    ["what it does not say", { filters: { match: { $not: { agent_id: "a-1" } } } }, false],
    ["all of it", { filters: { agent_ids: ["a-1"], tags: ["red"], priorities: ["high"] } }, true],
    ["all but one of it", { filters: { agent_ids: ["a-1"], tags: ["green"] } }, false],
  ])("for %s make a delivery or none", async (_what, fields, isWanted) => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver, fields);

    await announce(by, "t", 1, {
      data: progress(40),
      task_type: "research",
      priority: "high",
      tags: ["red", "blue"],
    });

    expect(await storedAt(by, webhook_id)).toEqual(isWanted ? [1] : []);
  });

  it("take effect from the next event on when they are changed", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const { webhook_id } = await register(by, receiver, { filters: { agent_ids: ["a-1"] } });
    const change = (patch: Parameters<typeof webhooks.patch>[2]) =>
      webhooks.patch(by, webhook_id, patch, ORIGIN);

    await announce(by, "t", 1, { data: progress(10) });
    await announce(by, "t", 2, { data: progress(20, "a-2") });
    await change({ filters: { agent_ids: ["a-2"] } });
    await announce(by, "t", 3, { data: progress(30) });
    await announce(by, "t", 4, { data: progress(40, "a-2") });
    await change({ filters: { match: { "data.progress_percentage": { $gt: 55 } } } });
    await announce(by, "t", 5, { data: progress(50, "a-2") });
    await announce(by, "t", 6, { data: progress(60) });
    await change({ events: ["task_failed"] });
    await announce(by, "t", 7, { data: progress(70) });

    expect(await storedAt(by, webhook_id)).toEqual([1, 4, 6]);
    expect(await arrivals(receiver, 3)).toEqual(["t:1", "t:4", "t:6"]);
  });

  it("are those of the time at which something happened, also when the news of it comes later", async () => {
    const [by, receiver] = [newTenant(), newReceiver()];
    const early = new Date(Date.now() - 60_000).toISOString();
    const { webhook_id } = await register(by, receiver, { filters: { agent_ids: ["a-1"] } });
    const happened = new Date().toISOString();
    // Instants have milliseconds, and the change has to be of a later one.
    await new Promise((resolve) => setTimeout(resolve, 5));
    await webhooks.patch(by, webhook_id, { filters: { agent_ids: ["a-2"] } }, ORIGIN);

    await announce(by, "t", 1, { data: progress(10), at: early });
    await announce(by, "t", 2, { data: progress(20), at: happened });
    await announce(by, "t", 3, { data: progress(30, "a-2"), at: happened });
    await announce(by, "t", 4, { data: progress(40, "a-2") });

    expect(await storedAt(by, webhook_id)).toEqual([2, 4]);
  });

  it("that are bad are refused when they come, with a pointer", async () => {
    const answer = await call("POST", "/v1/webhooks", {
      url: newReceiver().url,
      filters: { match: { "data.x": { $regex: ".*" } } },
    });

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: "validation_failed",
      errors: [{ pointer: "/filters/match/data.x/$regex" }],
    });
  });

  it("are tried without registering anything", async () => {
    const { status, body } = await call("POST", "/v1/webhooks/filters/test", {
      filters: { match: { "data.progress_percentage": { $gt: 50 } } },
      sample: { type: "task_progress", notification: progress(40) },
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({ wanted: false, refused_by: [{ pointer: "/filters/match" }] });
  });
});

describe("an alert", () => {
  it("reaches a tenant's other endpoints once, and not the one that it is about", async () => {
    const by = newTenant();
    const [sick, other, ofTasks] = [newReceiver(), newReceiver(), newReceiver()];
    const about = await register(by, sick);
    const told = await register(by, other, { events: ["error_event"] });
    const untold = await register(by, ofTasks, { filters: { tags: ["red"] } });
    const tell = (alert_id: string, severity: "info" | "error") =>
      publishAlert(
        { registry, endpoint, log: () => {} },
        {
          tenant: by.tenant,
          alert: { alert_id, severity, title: "An endpoint is down", detail: "Why", evidence: {} },
          at: "2099-01-01T00:00:00.000Z",
          except: [about.webhook_id],
        },
      );

    await tell("alert-1", "error");
    await tell("alert-1", "error");
    await tell("alert-2", "info");

    expect(await storedAt(by, told.webhook_id)).toEqual([null]);
    expect(await storedAt(by, about.webhook_id)).toEqual([]);
    expect(await storedAt(by, untold.webhook_id)).toEqual([]);
    await arrivals(other, 1);
    const [request] = await other.log();
    expect(request?.headers).toMatchObject({ "x-notification-type": "system_alert" });
  });
});

describe("a task's deliveries", () => {
  it("are delivered to two endpoints and retried at the third: partial", async () => {
    const agent_id = "filters-partial";
    const receivers = [newReceiver(), newReceiver(), newReceiver()];
    await receivers[1]?.script([{ status: 500 }]);
    const ids = await Promise.all(
      receivers.map(async ({ url }) => {
        const filters = { agent_ids: [agent_id] };
        const { body } = await call<{ webhook_id: string }>("POST", "/v1/webhooks", {
          url,
          filters,
        });
        return body.webhook_id;
      }),
    );
    const executor = await new Executor(agent_id).register();
    await submit({ task_id: agent_id, requires: { capabilities: [agent_id] } });
    await executor.claim();

    await executor.start();

    const { items } = await eventually(
      async () => {
        const path = `/v1/tasks/${agent_id}/deliveries`;
        return (await call<TaskDeliveries>("GET", path)).body;
      },
      (found) =>
        found.items[0]?.deliveries.every(({ attempts_made }) => attempts_made > 0) === true,
    );
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ type: "task_started", state: "partial" });
    const byEndpoint = new Map(items[0]?.deliveries.map((each) => [each.webhook_id, each]));
    expect(ids.map((id) => byEndpoint.get(id)?.state)).toEqual([
      "delivered",
      "retrying",
      "delivered",
    ]);
    expect(byEndpoint.get(ids[1] ?? "")?.attempts).toMatchObject([{ status_code: 500 }]);
  });

  it("include those to the callback address and to stakeholders", async () => {
    const agent_id = "filters-audience";
    const [called, boss] = [newReceiver(), newReceiver()];
    const { body } = await call<{ webhook_id: string }>("POST", "/v1/webhooks", {
      url: boss.url,
      events: ["agent_status"],
    });
    const executor = await new Executor(agent_id).register();
    await submit({
      task_id: agent_id,
      requires: { capabilities: [agent_id] },
      stakeholders: [body.webhook_id],
      orchestrator_info: { callback_url: called.url },
    });
    await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();

    const found = await eventually(
      async () => (await call<TaskDeliveries>("GET", `/v1/tasks/${agent_id}/deliveries`)).body,
      ({ items }) => items.at(-1)?.state === "delivered" && items.at(-1)?.type === "agent_end_task",
    );

    const last = found.items.at(-1)?.deliveries.map(({ webhook_id }) => webhook_id.slice(0, 3));
    expect(last?.toSorted()).toEqual(["cb_", "wh_"]);
  });

  it("are not found by another tenant, nor those of no task", async () => {
    const { body } = await call<{ key: string }>("POST", "/v1/keys", {
      name: "another",
      scopes: ["observe"],
      tenant: "filters-other",
    });
    await submit({ task_id: "filters-mine", requires: { capabilities: ["nobody"] } });
    const ask = (task_id: string, headers = {}) =>
      call("GET", `/v1/tasks/${task_id}/deliveries`, undefined, headers);

    const mine = await ask("filters-mine");
    const others = await ask("filters-mine", { authorization: `Bearer ${body.key}` });
    const none = await ask("filters-none");

    expect(mine).toMatchObject({ status: 200, body: { items: [], next_after: null } });
    expect([others.status, none.status]).toEqual([404, 404]);
    expect(none.body).toMatchObject({ code: "task_not_found" });
  });
});
