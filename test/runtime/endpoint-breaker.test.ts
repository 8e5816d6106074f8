import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import type { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { item, newEndpoint, START, type TestEndpoint } from "./endpoints.ts";
import { newReceiver } from "./receiver.ts";
import { arrivals, newTenant, register, webhooks } from "./webhook-world.ts";

const DOWN = { status: 500 };
const UP = { status: 200 };

/** One notification of each task. */
const tasks = (count: number, prefix = "t") =>
  Array.from({ length: count }, (_, index) => item(`${prefix}${index}`, 1));

/** What the object has still to tell of its level. */
function reportsOf({ stub }: TestEndpoint): Promise<string> {
  return runInDurableObject(
    stub,
    (_instance, { storage }) =>
      storage.sql.exec<{ reports: string }>("SELECT reports FROM endpoint").one().reports,
  );
}

/** Fails five deliveries in a row, so that the breaker opens; five more wait. */
async function openedEndpoint(): Promise<TestEndpoint> {
  const endpoint = await newEndpoint({ retry_policy: { schedule: [600, 600, 600] } });
  await endpoint.receiver.script([DOWN]);
  await endpoint.enqueue(...tasks(5));
  await endpoint.send();
  await endpoint.enqueue(...tasks(5, "parked"));
  return endpoint;
}

describe("an open breaker", () => {
  it("lets nothing through before its first probe, parks what is due, and says why", async () => {
    const endpoint = await openedEndpoint();

    await endpoint.at(29_000);
    await endpoint.stub.wake();
    await endpoint.send();

    expect(await endpoint.arrived()).toHaveLength(5);
    expect(await endpoint.stub.level()).toBe(3);
    expect(await endpoint.delivery("parked0", 1)).toMatchObject({
      state: "held",
      delay_reason: "breaker_open",
      next_attempt_at: null,
    });
  });

  it("sends one probe at a time, which uses up no retry and no attempt's place", async () => {
    const endpoint = await openedEndpoint();

    for (const at of [30_000, 90_000, 210_000]) {
      await endpoint.at(at);
      await endpoint.send();
    }

    const probes = [];
    for (let index = 0; index < 5; index += 1) {
      const { attempts = [] } = await endpoint.delivery(`parked${index}`, 1);
      probes.push(attempts.map(({ trigger, level }) => `${trigger} at ${level}`));
    }
    // Each time another one: a single delivery that always fails would keep the breaker open.
    expect(probes).toEqual([["probe at 3"], ["probe at 3"], ["probe at 3"], [], []]);
    expect(await endpoint.arrived()).toHaveLength(8);
    expect(await endpoint.delivery("t0", 1)).toMatchObject({ attempts_made: 1 });
  });

  it("closes after three good probes, step by step, and delivers what was parked", async () => {
    const endpoint = await openedEndpoint();
    await endpoint.receiver.script([UP]);
    await endpoint.at(30_000);

    await endpoint.send();
    const afterProbes = await endpoint.stub.level();
    for (let at = 30_000; at < 90_000; at += 2_000) {
      await endpoint.at(at);
      await endpoint.send();
    }

    expect(afterProbes).toBe(2);
    for (let index = 0; index < 5; index += 1) {
      expect((await endpoint.delivery(`parked${index}`, 1)).state).toBe("delivered");
    }
  });

  it("stays open when its object is evicted", async () => {
    const endpoint = await openedEndpoint();

    await endpoint.evict();
    await endpoint.at(20_000);
    await endpoint.stub.wake();
    await endpoint.send();

    expect(await endpoint.stub.level()).toBe(3);
    expect(await endpoint.arrived()).toHaveLength(5);
  });

  it("is tried at once when an operator resumes", async () => {
    const endpoint = await openedEndpoint();
    await endpoint.receiver.script([UP]);

    await endpoint.stub.resume();
    await endpoint.send();

    expect((await endpoint.arrived()).length).toBeGreaterThan(5);
    expect(await endpoint.stub.level()).toBe(2);
  });

  it("is not there for an endpoint that wants none", async () => {
    const endpoint = await newEndpoint({
      retry_policy: { schedule: [] },
      breaker: { enabled: false },
    });
    await endpoint.receiver.script([DOWN]);

    await endpoint.enqueue(...tasks(20));
    await endpoint.send();

    expect(await endpoint.arrived()).toHaveLength(20);
    expect((await endpoint.delivery("t19", 1)).state).toBe("exhausted");
  });

  it("never opens by the default schedule of one delivery, which is walked to its end", async () => {
    const endpoint = await newEndpoint({ retry_policy: null });
    await endpoint.receiver.script([DOWN]);
    await endpoint.enqueue(item("t", 1));

    const due = [0];
    for (;;) {
      await endpoint.send();
      const { next_attempt_at } = await endpoint.delivery("t", 1);
      if (next_attempt_at === null) break;
      due.push(Date.parse(next_attempt_at) - START);
      await endpoint.at(Date.parse(next_attempt_at) - START);
      await endpoint.stub.wake();
    }

    const waits = due.slice(1).map((at, index) => Math.round((at - (due[index] ?? 0)) / 1_000));
    expect(waits).toEqual([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    expect(await endpoint.delivery("t", 1)).toMatchObject({
      state: "exhausted",
      attempts_made: 10,
    });
    expect(await endpoint.stub.level()).toBe(0);
  });
});

describe("a slow endpoint", () => {
  it("gets less although every answer is 200", async () => {
    const endpoint = await newEndpoint({ breaker: { slow_ms: 1 } });
    await endpoint.receiver.script([{ status: 200, delay_ms: 5 }]);
    let now = START;
    await runInDurableObject(endpoint.stub, (instance: EndpointObject) => {
      instance.now = () => (now += 1);
    });

    await endpoint.enqueue(...tasks(12));
    await endpoint.send();

    expect(await endpoint.stub.level()).toBe(1);
  });
});

describe("a changed level", () => {
  it("is in the registry and the audit, and told to the other endpoints alone", async () => {
    const by = newTenant();
    const [sick, watcher] = [newReceiver(), newReceiver()];
    await sick.script([DOWN]);
    const failing = await register(by, sick, { breaker: { open_after: 2 } });
    await register(by, watcher, { events: ["system_event"] });
    const stub = env.ENDPOINT.getByName(`${by.tenant}/${failing.webhook_id}`);

    const items = tasks(3);
    await stub.enqueue({ config_version: 1, callback: null, items });
    const level = async () => {
      const webhook = await webhooks.get(by.tenant, failing.webhook_id);
      return webhook.ok && webhook.value.level;
    };
    await expect.poll(level).toBe(3);
    await arrivals(watcher, 1);

    const [alert] = await watcher.log();
    const body = JSON.parse(atob(alert?.body_base64 ?? "")) as {
      type: string;
      data: { task_id: null; notification: Record<string, unknown> };
    };
    expect(body).toMatchObject({
      type: "system_alert",
      data: {
        task_id: null,
        notification: {
          severity: "error",
          evidence: { webhook_id: failing.webhook_id, from: 0, to: 3 },
        },
      },
    });
    const rows = await env.DB.prepare("SELECT action, detail FROM audit WHERE subject = ?")
      .bind(failing.webhook_id)
      .all<{ action: string; detail: string }>();
    const changes = rows.results.filter(({ action }) => action === "level_changed");
    expect(changes.map(({ detail }) => JSON.parse(detail))).toMatchObject([
      { from: 0, to: 3, why: "failures_in_a_row" },
    ]);
    for (const request of await sick.log()) {
      expect(request.headers["x-notification-type"]).toBe("task_progress");
    }
  });
});

describe("an endpoint whose registry does not answer", () => {
  it("goes on sending, and tells of its level when it can", async () => {
    const endpoint = await newEndpoint({
      retry_policy: { schedule: [2] },
      breaker: { open_after: 2 },
    });
    await endpoint.receiver.script([DOWN, DOWN, UP]);
    const broken = await runInDurableObject(endpoint.stub, (instance: EndpointObject) =>
      vi.spyOn(instance["env"].DB, "batch").mockRejectedValue(new Error("D1 is down")),
    );
    const prepare = vi.spyOn(env.DB, "prepare").mockImplementation(() => {
      throw new Error("D1 is down");
    });

    await endpoint.enqueue(...tasks(3));
    await endpoint.send();
    await endpoint.at(30_000);
    await endpoint.send();
    const arrived = await endpoint.arrived();
    const untold = await reportsOf(endpoint);
    broken.mockRestore();
    prepare.mockRestore();
    await endpoint.at(120_000);
    await endpoint.send();

    expect(arrived.length).toBeGreaterThan(3);
    expect(untold).toContain('"to":3');
    expect(await reportsOf(endpoint)).toBe("[]");
  });
});
