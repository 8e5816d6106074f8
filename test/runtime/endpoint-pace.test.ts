import { describe, expect, it } from "vitest";

import { item, newEndpoint, START, type TestEndpoint } from "./endpoints.ts";

/** When each attempt of these deliveries began, in milliseconds after the start, in order. */
async function startsOf(endpoint: TestEndpoint, count: number): Promise<number[]> {
  const starts = [];
  for (let index = 0; index < count; index += 1) {
    const { attempts = [] } = await endpoint.delivery(`t${index}`, 1);
    for (const { started_at } of attempts) starts.push(Date.parse(started_at) - START);
  }
  return starts.toSorted((a, b) => a - b);
}

function mostInOneSecond(starts: readonly number[]): number {
  return Math.max(
    ...starts.map((from) => starts.filter((at) => at >= from && at < from + 1_000).length),
  );
}

const tasks = (count: number) => Array.from({ length: count }, (_, index) => item(`t${index}`, 1));

describe("an endpoint with a rate limit", () => {
  it.each([
    { rate: 10, burst: 0, most: 10 },
    { rate: 5, burst: 3, most: 8 },
  ])(
    "of $rate a second and $burst more is never sent more, and gets all in the end",
    async (limit) => {
      const { rate, burst, most } = limit;
      const endpoint = await newEndpoint({ rate_limit: { rate, burst } });

      await endpoint.enqueue(...tasks(40));
      await endpoint.send();

      const starts = await startsOf(endpoint, 40);
      expect(starts).toHaveLength(40);
      expect(mostInOneSecond(starts)).toBe(most);
    },
  );

  it("delays what is too much, and says so", async () => {
    const endpoint = await newEndpoint({ rate_limit: { rate: 0.5, burst: 0 } });

    await endpoint.enqueue(...tasks(2));
    await endpoint.send();

    expect(await endpoint.delivery("t0", 1)).toMatchObject({ state: "delivered" });
    expect(await endpoint.delivery("t1", 1)).toMatchObject({
      state: "pending",
      delay_reason: "rate_limit",
      next_attempt_at: new Date(START + 2_000).toISOString(),
    });
    await endpoint.at(2_000);
    await endpoint.send();
    expect((await endpoint.delivery("t1", 1)).state).toBe("delivered");
  });

  it("keeps its limit when its object is evicted", async () => {
    const endpoint = await newEndpoint({ rate_limit: { rate: 1, burst: 0 } });
    await endpoint.enqueue(...tasks(3));
    await endpoint.send();

    for (const at of [400, 800, 1_600, 2_400, 3_200, 4_000, 4_800]) {
      await endpoint.evict();
      await endpoint.at(at);
      await endpoint.send();
    }

    const starts = await startsOf(endpoint, 3);
    expect(starts).toHaveLength(3);
    expect(mostInOneSecond(starts)).toBe(1);
  });

  it("counts replays too", async () => {
    const endpoint = await newEndpoint({ rate_limit: { rate: 1, burst: 0 } });
    await endpoint.enqueue(item("t0", 1));
    await endpoint.send();

    const { delivery_id } = await endpoint.delivery("t0", 1);
    await endpoint.stub.replay(delivery_id);
    await endpoint.send();
    const before = await endpoint.arrived();
    await endpoint.at(1_000);
    await endpoint.send();

    expect(before).toHaveLength(1);
    expect(await endpoint.arrived()).toHaveLength(2);
  });
});

describe("a critical notification", () => {
  it("is sent first, although a bulk backlog waits for the rate", async () => {
    const endpoint = await newEndpoint({ rate_limit: { rate: 2, burst: 0 } });
    const bulk = Array.from({ length: 100 }, (_, index) =>
      item(`bulk${index}`, 1, { priority: "low" }),
    );

    await endpoint.enqueue(...bulk);
    await endpoint.enqueue(item("urgent", 1, { priority: "critical", type: "task_failed" }));
    await endpoint.send();

    expect((await endpoint.arrived())[0]).toBe("urgent:1");
  });
});

describe("an endpoint whose rate limit was changed", () => {
  it("keeps the new one from the next request on, and does not wait by the old one", async () => {
    const endpoint = await newEndpoint({ rate_limit: { rate: 0.01, burst: 0 } });
    await endpoint.enqueue(...tasks(11));
    await endpoint.send();

    await endpoint.at(2_000);
    await endpoint.change({ rate_limit: { rate: 5, burst: 0 } });
    await endpoint.send();

    const starts = await startsOf(endpoint, 11);
    expect(starts).toHaveLength(11);
    expect(mostInOneSecond(starts)).toBe(5);
    expect(Math.max(...starts)).toBeLessThan(5_000);
  });
});
