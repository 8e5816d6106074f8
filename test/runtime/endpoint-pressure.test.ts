import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";

import { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { DOWN, UP, alarmOf, fill, runClock, startsOf } from "./coincidences.ts";
import { item, newEndpoint, START } from "./endpoints.ts";
import { bodyText } from "./receiver.ts";

describe("an endpoint under pressure", () => {
  it("a raised rate is not slower than the old one", async () => {
    const endpoint = await newEndpoint({ rate_limit: { rate: 1, burst: 600 } });
    await endpoint.enqueue(...Array.from({ length: 300 }, (_, i) => item(`t${i}`, 1)));
    await endpoint.send();
    await endpoint.change({ rate_limit: { rate: 10, burst: 10 } });
    await endpoint.at(5_000);
    await endpoint.enqueue(item("late", 1));
    await endpoint.send();
    expect((await endpoint.delivery("late", 1)).state).toBe("delivered");
  });

  it("a slow answer holds the rate back from nobody", async () => {
    const endpoint = await newEndpoint({ rate_limit: { rate: 1, burst: 0 } });
    await runClock(endpoint);
    await endpoint.receiver.script([{ status: 200, delay_ms: 4_000 }, UP]);
    await endpoint.enqueue(item("a", 1), item("b", 1));
    await endpoint.send();
    expect((await startsOf(endpoint, "b", 1))[0]).toBeLessThan(1_600);
  }, 15_000);

  it("a slow answer of one lane delays no other lane's retry", async () => {
    const endpoint = await newEndpoint({ retry_policy: { schedule: [1] } });
    await runClock(endpoint);
    await endpoint.receiver.script([DOWN, { status: 200, delay_ms: 4_500 }, UP]);
    await endpoint.enqueue(item("a", 1), item("b", 1));
    const sending = endpoint.send();
    await scheduler.wait(1_300);
    await endpoint.stub.wake();
    await sending;
    await endpoint.send();
    expect((await startsOf(endpoint, "a", 1))[1]).toBeLessThan(4_000);
  }, 15_000);

  it("an endpoint with more open deliveries in one lane is loaded in proportion", async () => {
    const took: number[] = [];
    for (const count of [5_000, 20_000]) {
      const endpoint = await newEndpoint({ ordering: "endpoint", state: "paused" });
      await fill(endpoint, count, "open");
      await endpoint.evict();
      const t0 = Date.now();
      await endpoint.stub.wake();
      took.push(Date.now() - t0);
    }
    // Four times as many: sixteen times as long if each were compared with each.
    expect((took[1] ?? 0) / (took[0] ?? 1)).toBeLessThan(10);
  }, 60_000);

  it("what upkeep can't do delays no delivery", async () => {
    const { connect } = EndpointObject;
    const endpoint = await newEndpoint({ rate_limit: { rate: 1, burst: 0 } });
    EndpointObject.connect = (of) => ({
      ...connect(of),
      scheduleSweep: () => Promise.reject(new Error("D1 is down")),
    });
    try {
      await endpoint.evict();
      await endpoint.enqueue(item("a", 1), item("b", 1));
      await endpoint.send();
      expect(await alarmOf(endpoint)).toBe(START + 1_000);
    } finally {
      EndpointObject.connect = connect;
    }
  });

  it("no request is larger than max_bytes", async () => {
    const endpoint = await newEndpoint({
      batching: { max_items: 100, max_wait_ms: 0, max_bytes: 1_024 },
    });
    await endpoint.enqueue(
      ...Array.from({ length: 8 }, (_, i) => item("t", i + 1, { notification: "{}" })),
    );
    await endpoint.send();
    for (const request of await endpoint.receiver.log())
      expect(bodyText(request).length).toBeLessThanOrEqual(1_024);
  });

  it("a retry that goes alone does not wait for others to join it", async () => {
    const endpoint = await newEndpoint({
      batching: { max_items: 10, max_wait_ms: 60_000 },
      retry_policy: { schedule: [5] },
    });
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("a", 1));
    await endpoint.at(60_000);
    await endpoint.send();
    await endpoint.at(65_000);
    await endpoint.stub.wake();
    await endpoint.send();
    expect((await endpoint.delivery("a", 1)).attempts_made).toBe(2);
  });

  it("a recovery keeps the order of the endpoint", async () => {
    const endpoint = await newEndpoint({
      ordering: "endpoint",
      retry_policy: { schedule: [] },
      breaker: { enabled: false },
    });
    await runInDurableObject(endpoint.stub, (_i, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
         INSERT INTO delivery (source, seq, position, type, priority, state, attempts, tries, is_recovering, bytes, correlation_id, body)
         SELECT printf('b%05d', 9999 - i), 1, ${START * 1_000} + i, 'task_progress', 1,
           CASE WHEN i IN (1, 1500) THEN 'exhausted' ELSE 'delivered' END, 1, 1, 0, 10, '',
           '{"type":"task_progress","timestamp":"2026-11-22T10:00:00Z","data":{"task_id":"' || printf('b%05d', 9999 - i) || '","seq":1,"prev_seq":null,"notification":{}}}'
         FROM n`,
      );
    });
    await endpoint.at(10_000);
    await endpoint.stub.recover("rcv_1", {
      since: START - 1,
      until: START + 3_600_000,
      wanted: "exhausted",
    });
    for (let n = 0; n < 4; n += 1) await endpoint.send();
    expect(await endpoint.arrived()).toEqual(["b09998:1", "b08499:1"]);
  });

  it("says why a delivery waits also after its object slept", async () => {
    const endpoint = await newEndpoint({ retry_policy: { schedule: [1_000] } });
    await endpoint.receiver.script([DOWN]);
    await endpoint.enqueue(item("a", 1), item("a", 2));
    await endpoint.send();
    await endpoint.evict();
    expect((await endpoint.delivery("a", 2)).delay_reason).toBe("lane");
  });
});
