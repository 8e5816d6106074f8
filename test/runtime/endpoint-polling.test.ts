import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";

import type { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { pollSchema, type Poll } from "../../src/protocol/webhook-operations.ts";
import { item, newEndpoint, type TestEndpoint } from "./endpoints.ts";

async function poll(endpoint: TestEndpoint, after = 0, wait = 0, limit = 50): Promise<Poll> {
  const answer = await endpoint.stub.poll({ after, wait, limit });
  if (!answer.ok) throw new Error(answer.refusal.detail);
  return pollSchema.parse(JSON.parse(answer.value));
}

const placesOf = ({ items }: Poll) =>
  items.map(({ body }) => `${body.data.task_id}:${body.data.seq}`);

describe("polling instead of pushing", () => {
  it("reads what came, in the order in which it came, whatever became of it", async () => {
    const endpoint = await newEndpoint({ state: "paused" });
    await endpoint.enqueue(item("z", 1));
    await endpoint.enqueue(item("a", 1), item("z", 2));

    const first = await poll(endpoint, 0, 0, 2);
    const second = await poll(endpoint, first.next_after);

    expect([placesOf(first), placesOf(second)]).toEqual([["z:1", "a:1"], ["z:2"]]);
    expect((await poll(endpoint, second.next_after)).next_after).toBe(second.next_after);
    expect(first.items[0]?.message_id).toContain("_1_z");
  });

  it("waits for something to come", async () => {
    const endpoint = await newEndpoint({ state: "paused" });
    const never = Promise.withResolvers<void>();
    await runInDurableObject(endpoint.stub, (instance: EndpointObject) => {
      instance.wait = () => never.promise;
    });

    const waiting = poll(endpoint, 0, 25);
    await endpoint.enqueue(item("t", 1));

    expect(placesOf(await waiting)).toEqual(["t:1"]);
  });

  it("ends empty when the wait is over", async () => {
    const endpoint = await newEndpoint({ state: "paused" });

    expect(await poll(endpoint, 7, 25)).toEqual({ items: [], next_after: 7 });
  });

  it("searches an index that it made itself", async () => {
    const endpoint = await newEndpoint();
    const indexes = () =>
      runInDurableObject(endpoint.stub, (_instance, { storage }) =>
        storage.sql
          .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name = 'delivery_position'")
          .toArray()
          .map(({ name }) => name),
      );

    const before = await indexes();
    await poll(endpoint);
    const plan = await runInDurableObject(endpoint.stub, (_instance, { storage }) =>
      storage.sql
        .exec<{ detail: string }>(
          "EXPLAIN QUERY PLAN SELECT body FROM delivery WHERE position > 5 ORDER BY position LIMIT 5",
        )
        .toArray()
        .map(({ detail }) => detail),
    );

    expect([before, await indexes()]).toEqual([[], ["delivery_position"]]);
    expect(plan).toEqual([expect.stringContaining("delivery_position (position>?)")]);
  });
});
