import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";

import type { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { BEHIND_MS } from "../../src/delivery/endpoint/waker.ts";
import { item, letPass, newEndpoint, START } from "./endpoints.ts";

const DOWN = { status: 503 };
const UP = { status: 200 };

describe("what can be lost", () => {
  it("is no delivery when the message of the retries queue is lost: the alarm still sends", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();

    const alarm = await runInDurableObject(endpoint.stub, (_instance, state) =>
      state.storage.getAlarm(),
    );
    await endpoint.at(alarm === null ? 0 : alarm - START);
    await endpoint.send();

    expect(alarm).toBe(START + 10_000 + 60_000);
    expect(await endpoint.arrived()).toEqual(["t:1", "t:1"]);
    expect((await endpoint.delivery("t", 1)).state).toBe("delivered");
  });

  it("is no retry when the object is evicted in the middle of one", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([DOWN, DOWN, UP]);
    await endpoint.enqueue(item("t", 1), item("t", 2), item("u", 1));
    await endpoint.send();

    await endpoint.evict();
    await letPass(endpoint, 20_000, 10_000);
    await endpoint.evict();
    await letPass(endpoint, 400_000, 50_000);

    const arrived = await endpoint.arrived();
    expect(arrived.filter((place) => place.startsWith("t")).at(-1)).toBe("t:2");
    for (const [task, seq] of [
      ["t", 1],
      ["t", 2],
      ["u", 1],
    ] as const) {
      expect((await endpoint.delivery(task, seq)).state).toBe("delivered");
    }
  });

  it("is nothing stored when the object is evicted before its alarm", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1), item("u", 1));

    await endpoint.evict();
    await endpoint.send();

    expect((await endpoint.arrived()).toSorted()).toEqual(["t:1", "u:1"]);
  });

  it("is nothing that comes to an evicted object with retries open", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("t", 1), item("t", 2));
    await endpoint.send();
    await endpoint.evict();

    await endpoint.enqueue(item("u", 1));
    await endpoint.evict();
    await letPass(endpoint, 80_000, 10_000);

    expect(await endpoint.arrived()).toEqual(["t:1", "u:1", "t:1", "t:2"]);
  });

  it("is no open retry when something new comes to an evicted object", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("t", 1), item("t", 2));
    await endpoint.send();

    await endpoint.evict();
    await endpoint.enqueue(item("u", 1));
    await endpoint.send();
    await endpoint.at(70_000);
    await endpoint.send();

    expect(await endpoint.arrived()).toEqual(["t:1", "u:1", "t:1", "t:2"]);
  });

  it("is nothing behind a retry that succeeded as the last thing before an eviction", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("t", 1), item("t", 2));
    await endpoint.send();
    await endpoint.at(10_000);
    await endpoint.stub.wake();
    await runInDurableObject(endpoint.stub, (instance: EndpointObject) => {
      // Twenty seconds at every look at the clock: a run's minute is over after one delivery.
      let now = START + 10_000;
      instance.now = () => (now += 20_000);
    });
    await endpoint.send();
    const beforeEviction = await endpoint.arrived();

    await endpoint.evict();
    await endpoint.at(1_000_000);
    await endpoint.send();

    expect(beforeEviction).toEqual(["t:1", "t:1"]);
    expect(await endpoint.arrived()).toEqual(["t:1", "t:1", "t:2"]);
  });

  it("is nothing whose alarm never fired: the next notification sets it again", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));

    await endpoint.at(120_000);
    await endpoint.enqueue(item("t", 2));
    const alarm = await runInDurableObject(endpoint.stub, (_instance, state) =>
      state.storage.getAlarm(),
    );

    expect(alarm).toBe(START + 120_000 + BEHIND_MS);
  });

  it("is nothing when the alarm's work throws: it comes back a minute later", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));
    await runInDurableObject(endpoint.stub, (instance: EndpointObject) => {
      instance.random = () => {
        throw new Error("broken");
      };
    });
    await endpoint.receiver.script([DOWN, UP]);

    await endpoint.send();
    await endpoint.evict();
    const alarm = await runInDurableObject(endpoint.stub, (_instance, state) =>
      state.storage.getAlarm(),
    );
    await endpoint.send();

    expect(alarm).toBe(START + 60_000);
    expect((await endpoint.delivery("t", 1)).state).toBe("delivered");
  });
});

describe("the retries queue", () => {
  it("wakes the endpoint when a retry comes due, long before the alarm", async () => {
    const endpoint = await newEndpoint({ retry_policy: { schedule: [1] } });
    endpoint.sendAtOnce();
    await runInDurableObject(endpoint.stub, (instance: EndpointObject) => {
      instance.now = () => Date.now();
    });
    await endpoint.receiver.script([DOWN, UP]);
    const before = Date.now();

    await endpoint.enqueue(item("t", 1));
    await vi.waitUntil(async () => (await endpoint.arrived()).length === 2, { timeout: 20_000 });

    const [first, second] = await endpoint.receiver.log();
    expect((second?.at_ms ?? 0) - (first?.at_ms ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(Date.now() - before).toBeLessThan(30_000);
  }, 10_000);

  it("is asked to wake the object in whole seconds, twelve hours at most", async () => {
    const endpoint = await newEndpoint({ retry_policy: { schedule: [86_400] } });
    await endpoint.receiver.script([DOWN]);
    const send = await runInDurableObject(endpoint.stub, (instance: EndpointObject) =>
      vi.spyOn(instance["env"].RETRIES, "send"),
    );

    await endpoint.enqueue(item("t", 1));
    await endpoint.send();

    const message = {
      tenant: "default",
      webhook_id: endpoint.config.webhook_id,
      shard: 0,
      due: START + 86_400_000,
    };
    expect(send.mock.calls).toEqual([[message, { delaySeconds: 43_200 }]]);
  });
});
