import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { SweepStore } from "../../src/delivery/registry/sweep-store.ts";
import { endpointPortsOf, sweepEndpoints } from "../../src/services-webhooks.ts";
import { DAY, DOWN, UP, alarmOf } from "./coincidences.ts";
import { item, newEndpoint, START } from "./endpoints.ts";
import { newReceiver } from "./receiver.ts";
import {
  announce,
  arrivals,
  callbackIdOf,
  newTenant,
  register,
  stubOf,
  webhooks,
} from "./webhook-world.ts";

const sweeps = new SweepStore(env.DB);

describe("what outlives a delivery", () => {
  it("a callback URL that answered 410 can be served again", async () => {
    const by = newTenant();
    const receiver = newReceiver();
    await receiver.script([{ status: 410 }, UP]);
    await announce(by, "one", 1, { callback_url: receiver.url });
    await arrivals(receiver, 1);
    await announce(by, "two", 1, { callback_url: receiver.url });

    expect(await arrivals(receiver, 2)).toEqual(["one:1", "two:1"]);
  });

  it("a report that is told again does not undo an operator's resume", async () => {
    const by = newTenant();
    const receiver = newReceiver();
    const hook = await register(by, receiver, { events: ["task_progress"] });
    const report = {
      report_id: "lvl_x_0_1_0_04",
      at: "2026-11-25T00:00:00.000Z",
      from: 0,
      to: 4,
      why: "gone",
      evidence: {},
      version: 1,
    } as const;
    await endpointPortsOf(env).report(by.tenant, hook.webhook_id, report);
    await webhooks.setPaused(by, hook.webhook_id, false);
    await endpointPortsOf(env).report(by.tenant, hook.webhook_id, report);
    expect(await webhooks.get(by.tenant, hook.webhook_id)).toMatchObject({
      value: { state: "active" },
    });
  });

  it("what of a deleted endpoint was cancelled stays so, whatever was to be recovered", async () => {
    const endpoint = await newEndpoint({
      retry_policy: { schedule: [] },
      breaker: { enabled: false },
    });
    await endpoint.receiver.script([DOWN]);
    await endpoint.enqueue(item("a", 1));
    await endpoint.send();
    await endpoint.at(10_000);
    await endpoint.stub.recover("rcv_1", {
      since: START - 1,
      until: START + 3_600_000,
      wanted: "exhausted",
    });
    await endpoint.change({ state: "deleted" });
    await endpoint.send();
    expect((await endpoint.delivery("a", 1)).state).not.toBe("held");
  });

  it("a poll misses nothing when the clock steps back between two lives", async () => {
    const endpoint = await newEndpoint();
    await endpoint.at(1_000);
    await endpoint.enqueue(item("a", 1));
    await endpoint.send();
    const first = await endpoint.stub.poll({ after: 0, limit: 10, wait: 0 });
    const after = first.ok ? JSON.parse(first.value).next_after : 0;
    await endpoint.evict();
    await endpoint.at(999);
    await endpoint.enqueue(item("b", 1));
    const second = await endpoint.stub.poll({ after, limit: 10, wait: 0 });
    expect(second.ok && JSON.parse(second.value).items).toHaveLength(1);
  });

  it("an endpoint that is only polled is swept", async () => {
    const endpoint = await newEndpoint({ state: "paused" });
    await endpoint.enqueue(item("old", 1));
    await endpoint.at(100 * DAY);
    await endpoint.enqueue(item("new", 1));
    await endpoint.send();
    const isScheduled = (await sweeps.due(START + 400 * DAY, 10_000)).includes(
      `default/${endpoint.config.webhook_id}`,
    );
    expect([await alarmOf(endpoint), isScheduled]).not.toEqual([null, false]);
  });

  it("nothing is left of a callback's endpoint when all of it is too old", async () => {
    const by = newTenant();
    const receiver = newReceiver();
    await announce(by, "one", 1, { callback_url: receiver.url });
    await arrivals(receiver, 1);
    await scheduler.wait(500);
    const name = await callbackIdOf(by.tenant, receiver.url);
    const stub = stubOf(by.tenant, name);
    await runInDurableObject(stub, (i: EndpointObject) => {
      i.now = () => Date.now() + 400 * DAY;
    });
    await sweeps.schedule(`${by.tenant}/${name}`, 1);
    await sweepEndpoints(env);
    const tables = await runInDurableObject(stub, (_i, s) =>
      s.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'delivery'").toArray(),
    );
    expect(tables).toEqual([]);
  });
});
