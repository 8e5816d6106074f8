import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";

import { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { DAY, DOWN, UP, alarmOf, idOf, requestsOf, TWO } from "./coincidences.ts";
import { item, letPass, newEndpoint, START } from "./endpoints.ts";

describe("what coincides at an endpoint", () => {
  it("probes try other deliveries when one alone keeps failing", async () => {
    const endpoint = await newEndpoint({ retry_policy: { schedule: [600, 600, 600] } });
    await endpoint.receiver.script([DOWN]);
    for (let i = 0; i < 5; i += 1) await endpoint.enqueue(item(`t${i}`, 1));
    await endpoint.send();
    await endpoint.enqueue(item("poison", 1, { priority: "high" }));
    for (let i = 0; i < 5; i += 1) await endpoint.enqueue(item(`fine${i}`, 1));
    const before = (await endpoint.arrived()).length;
    for (let n = 0; n < 12; n += 1) {
      await endpoint.at(((await alarmOf(endpoint)) ?? START) - START);
      await endpoint.send();
    }
    expect(new Set((await endpoint.arrived()).slice(before)).size).toBeGreaterThan(1);
  });

  it("finds what waits behind a batch's member that a replay delivered, after an eviction", async () => {
    const endpoint = await newEndpoint({
      batching: TWO,
      retry_policy: { schedule: [1_000, 1_000] },
    });
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("a", 1), item("b", 1));
    await endpoint.send();
    await endpoint.enqueue(item("a", 2));
    await endpoint.send();
    await endpoint.stub.replay(idOf(endpoint, "a", 1));
    await endpoint.send();
    await endpoint.evict();
    await letPass(endpoint, 2_400_000, 60_000);
    expect((await endpoint.delivery("a", 2)).state).toBe("delivered");
  });

  it("the same under block_for: the late head arrives while the next is in flight", async () => {
    const endpoint = await newEndpoint({
      lane_policy: { block_for: 1 },
      retry_policy: { schedule: [3, 1_000] },
    });
    await endpoint.receiver.script([
      DOWN,
      DOWN,
      { status: 200, delay_ms: 6_000 },
      { status: 200, delay_ms: 600 },
      UP,
    ]);
    await endpoint.enqueue(item("a", 1), item("c", 1), item("a", 2), item("c", 2));
    await endpoint.send();
    await endpoint.at(1_500);
    await endpoint.stub.wake();
    const sending = endpoint.send();
    await scheduler.wait(300);
    await endpoint.at(3_500);
    await vi.waitUntil(async () => (await endpoint.delivery("a", 1)).state === "delivered", 15_000);
    const isComplete = await runInDurableObject(
      endpoint.stub,
      (_i, s) => s.storage.sql.exec("SELECT is_index_complete AS f FROM endpoint").one()["f"],
    );
    const found = await runInDurableObject(endpoint.stub, (_i, s) =>
      s.storage.sql
        .exec(
          "SELECT seq FROM delivery WHERE state = 'open' AND source IN (SELECT source FROM delivery WHERE due IS NOT NULL)",
        )
        .toArray(),
    );
    expect([isComplete, found.length]).not.toEqual([1, 0]);
    await sending;
  }, 15_000);

  it("a replay is not forgotten when its endpoint is paused in the middle of a run", async () => {
    const { connect } = EndpointObject;
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("x", 1));
    await endpoint.send();
    const gate = Promise.withResolvers<void>();
    EndpointObject.connect = (of) => ({ ...connect(of), scheduleSweep: () => gate.promise });
    try {
      await endpoint.at(DAY);
      await endpoint.evict();
      await endpoint.receiver.script([{ status: 200, delay_ms: 600 }, UP]);
      await endpoint.enqueue(item("a", 1));
      const sending = endpoint.send();
      await scheduler.wait(200);
      await endpoint.change({ state: "paused" });
      await endpoint.stub.replay(idOf(endpoint, "x", 1));
      await scheduler.wait(800);
      await endpoint.enqueue(item("b", 1));
      gate.resolve();
      await sending;
      expect(await alarmOf(endpoint)).not.toBeNull();
    } finally {
      EndpointObject.connect = connect;
    }
  });

  it("critical overtakes batches that are sent again", async () => {
    const endpoint = await newEndpoint({
      batching: TWO,
      retry_policy: { schedule: [10, 10] },
      rate_limit: { rate: 1, burst: 0 },
      breaker: { enabled: false },
    });
    await endpoint.receiver.script([...Array.from({ length: 8 }, () => DOWN), UP]);
    await endpoint.enqueue(
      ...Array.from({ length: 16 }, (_, i) => item(`t${i}`, 1, { priority: "low" })),
    );
    for (let s = 0; s < 8; s += 1) {
      await endpoint.at(s * 1_000);
      await endpoint.send();
    }
    await endpoint.at(20_000);
    await endpoint.enqueue(item("crit", 1, { priority: "critical" }));
    for (let s = 20; s < 32; s += 1) {
      await endpoint.at(s * 1_000);
      await endpoint.send();
    }
    expect((await requestsOf(endpoint)).slice(8)[0]).toEqual(["crit:1"]);
  });

  it("a batch goes again when it is due, not when its object wakes", async () => {
    const endpoint = await newEndpoint({
      batching: TWO,
      retry_policy: { schedule: [1_000, 1_000] },
    });
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("a", 1), item("b", 1));
    await endpoint.send();
    await endpoint.stub.replay(idOf(endpoint, "a", 1));
    await endpoint.at(5_000);
    await endpoint.send();
    await endpoint.evict();
    await endpoint.enqueue(item("c", 1));
    await endpoint.send();
    expect((await endpoint.delivery("b", 1)).attempts_made).toBe(1);
  });

  it("a batch is not sent beside a replay of its member", async () => {
    const endpoint = await newEndpoint({ batching: TWO, retry_policy: { schedule: [10, 10] } });
    await endpoint.receiver.script([DOWN, { status: 200, delay_ms: 800 }, UP]);
    await endpoint.enqueue(item("a", 1), item("b", 1));
    await endpoint.send();
    await endpoint.at(10_000);
    await endpoint.stub.replay(idOf(endpoint, "a", 1));
    await endpoint.send();
    const [, replay, again] = await endpoint.receiver.log();
    expect((again?.at_ms ?? 0) - (replay?.at_ms ?? 0)).toBeGreaterThan(700);
  });

  it("a batch whose members were all replayed is over", async () => {
    const endpoint = await newEndpoint({ batching: TWO, retry_policy: { schedule: [1_000] } });
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("a", 1), item("b", 1));
    await endpoint.send();
    await endpoint.stub.replay(idOf(endpoint, "a", 1));
    await endpoint.stub.replay(idOf(endpoint, "b", 1));
    await endpoint.send();
    await letPass(endpoint, 2_000_000, 100_000);
    const open = await runInDurableObject(endpoint.stub, (_i, s) =>
      s.storage.sql.exec("SELECT batch_id FROM batch WHERE is_open = 1").toArray(),
    );
    expect(open).toEqual([]);
  });
});
