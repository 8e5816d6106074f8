import { describe, expect, it, vi } from "vitest";

import { item, newEndpoint, type TestEndpoint } from "./endpoints.ts";

const DOWN = { status: 503 };
const UP = { status: 200 };

/** What is answered of a delivery, and that it is the same when its object has lost all that it had in memory. */
async function stage(endpoint: TestEndpoint): Promise<string> {
  const { state, delay_reason } = await endpoint.delivery("t", 1);
  await endpoint.evict();
  const after = await endpoint.delivery("t", 1);
  expect([after.state, after.delay_reason]).toEqual([state, delay_reason]);
  return delay_reason === null ? state : `${state}: ${delay_reason}`;
}

async function newDelivery(): Promise<TestEndpoint> {
  const endpoint = await newEndpoint({ retry_policy: { schedule: [10] } });
  await endpoint.enqueue(item("t", 1));
  return endpoint;
}

describe("the state of a delivery", () => {
  it("is told at each stage until it has arrived, before and after a restart", async () => {
    const endpoint = await newDelivery();
    await endpoint.receiver.script([{ ...DOWN, delay_ms: 500 }, UP]);

    const queued = await stage(endpoint);
    const sending = endpoint.send();
    await vi.waitUntil(async () => (await endpoint.arrived()).length === 1, 15_000);
    const { state: underWay } = await endpoint.delivery("t", 1);
    await sending;
    const failed = await stage(endpoint);
    await endpoint.at(10_000);
    await endpoint.send();
    const arrived = await stage(endpoint);

    expect([queued, underWay, failed, arrived]).toEqual([
      "pending",
      "delivering",
      "retrying: retry",
      "delivered",
    ]);
  });

  it("is told when it is given up, before and after a restart", async () => {
    const endpoint = await newDelivery();
    await endpoint.receiver.script([DOWN]);
    await endpoint.send();
    await endpoint.at(10_000);

    await endpoint.send();

    expect(await stage(endpoint)).toBe("exhausted");
  });

  it.each([
    { state: "paused", stages: "held: endpoint_paused" },
    { state: "disabled", stages: "held: endpoint_disabled" },
    { state: "deleted", stages: "cancelled: endpoint_deleted" },
  ] as const)(
    "is told with its reason when the endpoint is $state, before and after a restart",
    async ({ state, stages }) => {
      const endpoint = await newDelivery();

      await endpoint.change({ state });

      expect(await stage(endpoint)).toBe(stages);
      await endpoint.send();
      expect(await endpoint.arrived()).toEqual([]);
    },
  );
});
