import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";

import { webhookBatchSchema } from "../../src/protocol/webhook.ts";
import type { ReceivedRequest } from "../received.ts";
import { item, letPass, newEndpoint, type TestEndpoint } from "./endpoints.ts";
import { bodyText } from "./receiver.ts";

const DOWN = { status: 500 };
const UP = { status: 200 };
const CRITICAL = { priority: "critical" } as const;
const TEN = { max_items: 10, max_wait_ms: 1_000 };

/** What each request carried: `task:seq` of its members, in order. */
function membersOf(request: ReceivedRequest): string[] {
  const body: unknown = JSON.parse(bodyText(request));
  const batch = webhookBatchSchema.safeParse(body);
  const items = batch.success ? batch.data.data.items : [body as { data: object }];
  return items.map(({ data }) => {
    const { task_id, seq } = data as { task_id: string; seq: number };
    return `${task_id}:${seq}`;
  });
}

async function requestsOf(endpoint: TestEndpoint): Promise<string[][]> {
  return (await endpoint.receiver.log()).map(membersOf);
}

const progress = (count: number) =>
  Array.from({ length: count }, (_, index) => item("t", index + 1));

describe("an endpoint that wants batches", () => {
  it("gets ten progress notifications in one call, in order, under one id", async () => {
    const endpoint = await newEndpoint({ batching: TEN });

    await endpoint.enqueue(...progress(10));
    await endpoint.send();

    const [request] = await endpoint.receiver.log();
    expect(await requestsOf(endpoint)).toEqual([progress(10).map(({ seq }) => `t:${seq}`)]);
    expect(request?.headers).toMatchObject({
      "x-batch-size": "10",
      "x-notification-type": "batch",
    });
    expect(request?.headers["x-task-id"]).toBeUndefined();
    expect(await endpoint.delivery("t", 7)).toMatchObject({
      state: "delivered",
      message_id: request?.headers["webhook-id"],
    });
  });

  it("waits for others no longer than it may", async () => {
    const endpoint = await newEndpoint({ batching: TEN });
    await endpoint.enqueue(...progress(2));

    await endpoint.at(400);
    await endpoint.send();
    const early = await requestsOf(endpoint);
    await endpoint.at(1_000);
    await endpoint.send();

    expect(early).toEqual([]);
    expect(await requestsOf(endpoint)).toEqual([["t:1", "t:2"]]);
  });

  it("gets no more bytes in one than it wants", async () => {
    const endpoint = await newEndpoint({ batching: { ...TEN, max_bytes: 1_024 } });
    const large = { notification: JSON.stringify({ text: "x".repeat(300) }) };

    await endpoint.enqueue(...Array.from({ length: 4 }, (_, index) => item("t", index + 1, large)));
    await endpoint.at(1_000);
    await endpoint.send();

    for (const request of await endpoint.receiver.log()) {
      expect(bodyText(request).length).toBeLessThan(1_200);
    }
    expect((await requestsOf(endpoint)).flat()).toEqual(["t:1", "t:2", "t:3", "t:4"]);
  });

  it("gets a critical one at once and alone, behind what its task has before it", async () => {
    const endpoint = await newEndpoint({ batching: TEN });

    await endpoint.enqueue(item("a", 1), item("b", 1), item("b", 2, { priority: "critical" }));
    await endpoint.send();

    expect((await requestsOf(endpoint)).slice(0, 2)).toEqual([["b:1"], ["b:2"]]);
  });

  it("gets the same members under the same id and the same bytes when it fails, evicted or not", async () => {
    const endpoint = await newEndpoint({ batching: TEN });
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(...progress(3));
    await endpoint.at(1_000);
    await endpoint.send();

    await endpoint.evict();
    await endpoint.enqueue(item("t", 4));
    await endpoint.at(11_000);
    await endpoint.stub.wake();
    await endpoint.send();

    const [first, second] = await endpoint.receiver.log();
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(second?.body_base64).toBe(first?.body_base64);
    expect((await requestsOf(endpoint)).at(-1)).toEqual(["t:4"]);
    expect(await endpoint.delivery("t", 3)).toMatchObject({ state: "delivered", attempts_made: 2 });
  });

  it("gets one that left alone under the same id again when its answer was never stored", async () => {
    const endpoint = await newEndpoint({ batching: TEN });
    await endpoint.enqueue(item("t", 1));
    await endpoint.at(1_000);
    await runInDurableObject(endpoint.stub, (_instance, { storage }) => {
      vi.spyOn(storage, "transactionSync").mockImplementationOnce(() => {
        throw new Error("what came of it was never stored");
      });
    });
    await endpoint.send();
    const lost = await endpoint.delivery("t", 1);

    await endpoint.evict();
    await endpoint.enqueue(item("u", 1), item("v", 1));
    await letPass(endpoint, 200_000, 10_000);

    const [first, second] = await endpoint.receiver.log();
    expect(lost).toMatchObject({ state: "pending", attempts_made: 0 });
    expect(await requestsOf(endpoint)).toEqual([["t:1"], ["t:1"], ["u:1", "v:1"]]);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(await endpoint.delivery("t", 1)).toMatchObject({ state: "delivered" });
  });

  it("gets one that failed as a probe under the same id again, whatever others wait by then", async () => {
    const endpoint = await newEndpoint({ batching: TEN, retry_policy: { schedule: [600, 600] } });
    await endpoint.receiver.script([...Array.from({ length: 6 }, () => DOWN), UP]);
    await endpoint.enqueue(...Array.from({ length: 5 }, (_, n) => item(`old${n}`, 1, CRITICAL)));
    await endpoint.send();
    await endpoint.enqueue(item("t", 1), item("u", 1), item("v", 1), item("w", 1), item("x", 1));

    await letPass(endpoint, 300_000, 2_000);

    const ids = (await endpoint.receiver.log())
      .filter((request) => membersOf(request).includes("t:1"))
      .map(({ headers }) => headers["webhook-id"]);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  it("keeps all members of one that used up its retries", async () => {
    const endpoint = await newEndpoint({ batching: TEN, retry_policy: { schedule: [] } });
    await endpoint.receiver.script([DOWN]);

    await endpoint.enqueue(...progress(10));
    await endpoint.send();

    for (const seq of [1, 10]) {
      expect((await endpoint.delivery("t", seq)).state).toBe("exhausted");
    }
  });

  it("pays a row for the batch, and what each delivery costs alone", async () => {
    const endpoint = await newEndpoint({ batching: TEN });
    await endpoint.enqueue(...progress(10));
    await endpoint.send();
    const exec = await runInDurableObject(endpoint.stub, (_instance, { storage }) =>
      vi.spyOn(storage.sql, "exec"),
    );

    await endpoint.enqueue(...Array.from({ length: 10 }, (_, index) => item("u", index + 1)));
    await endpoint.send();

    const rows = exec.mock.results.map(
      ({ value }) => (value as { rowsWritten: number }).rowsWritten,
    );
    expect(rows.reduce((sum, written) => sum + written, 0)).toBe(10 + 10 + 2);
  });
});

describe("an adaptive endpoint", () => {
  it("gets one that comes alone at once while the receiver is quick", async () => {
    const endpoint = await newEndpoint({ batching: { ...TEN, adaptive: true } });

    await endpoint.enqueue(item("t", 1));
    await endpoint.send();

    expect(await requestsOf(endpoint)).toEqual([["t:1"]]);
  });
});
