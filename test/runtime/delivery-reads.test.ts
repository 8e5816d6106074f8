import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { DeliveriesQuery } from "../../src/delivery/endpoint/delivery-reads.ts";
import { item, newEndpoint, type TestEndpoint } from "./endpoints.ts";

async function page(endpoint: TestEndpoint, query: Partial<DeliveriesQuery> = {}) {
  const answer = await endpoint.stub.deliveries({ limit: 50, ...query });
  if (!answer.ok) throw new Error(answer.refusal.code);
  const { items, next_cursor } = answer.value;
  return { places: items.map(({ task_id, seq }) => `${task_id}:${seq}`), next_cursor };
}

describe("the list of deliveries", () => {
  it("goes by task and seq, in pages without gap or overlap", async () => {
    const endpoint = await newEndpoint();
    for (const task of ["b", "a", "c"]) await endpoint.enqueue(item(task, 1), item(task, 2));

    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { places, next_cursor } = await page(endpoint, { limit: 4, cursor });
      seen.push(...places);
      cursor = next_cursor ?? undefined;
    } while (cursor !== undefined);

    expect(seen).toEqual(["a:1", "a:2", "b:1", "b:2", "c:1", "c:2"]);
  });

  it("filters by state and by task", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([{ status: 500 }, { status: 200 }]);
    await endpoint.enqueue(item("a", 1, { priority: "high" }), item("a", 2), item("b", 1));
    await endpoint.send();

    const lists = {
      retrying: await page(endpoint, { state: "retrying" }),
      pending: await page(endpoint, { state: "pending" }),
      delivered: await page(endpoint, { state: "delivered" }),
      ofTask: await page(endpoint, { task_id: "a" }),
      both: await page(endpoint, { task_id: "a", state: "delivered" }),
    };

    expect(Object.values(lists).map(({ places }) => places)).toEqual([
      ["a:1"],
      ["a:2"],
      ["b:1"],
      ["a:1", "a:2"],
      [],
    ]);
  });

  it("goes on with a cursor inside one task", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("a", 1), item("a", 2), item("a", 3), item("b", 1));

    const first = await page(endpoint, { task_id: "a", limit: 2 });
    const second = await page(endpoint, {
      task_id: "a",
      limit: 2,
      cursor: first.next_cursor ?? undefined,
    });

    expect([first.places, second.places]).toEqual([["a:1", "a:2"], ["a:3"]]);
    expect(second.next_cursor).toBeNull();
  });

  it("ends exactly when a page holds the last one", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("a", 1), item("a", 2));

    expect((await page(endpoint, { limit: 2 })).next_cursor).toBeNull();
  });

  it.each(["x", "e30", "WyJhIl0"])("refuses the cursor %s", async (cursor) => {
    const endpoint = await newEndpoint();

    const answer = await endpoint.stub.deliveries({ limit: 5, cursor });

    expect(answer).toMatchObject({
      ok: false,
      refusal: { code: "validation_failed", errors: [{ pointer: "/cursor" }] },
    });
  });

  it("is empty in an object that nobody configured", async () => {
    const stub = env.ENDPOINT.getByName("default/wh_nobodyknowsthisone00002");

    expect(await stub.deliveries({ limit: 5 })).toEqual({
      ok: true,
      value: { items: [], next_cursor: null },
    });
  });
});

describe("one delivery", () => {
  it("is not found under another endpoint's id", async () => {
    const [endpoint, other] = [await newEndpoint(), await newEndpoint()];
    await endpoint.enqueue(item("t", 1));
    await other.enqueue(item("t", 1));
    const { delivery_id } = await other.delivery("t", 1);

    const answer = await endpoint.stub.delivery(delivery_id);

    expect(answer).toMatchObject({ ok: false, refusal: { code: "delivery_not_found" } });
  });
});
