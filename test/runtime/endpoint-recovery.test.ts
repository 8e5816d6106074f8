import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";

import type { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import type { Recovery } from "../../src/protocol/webhook-operations.ts";
import { item, letPass, newEndpoint, START, type TestEndpoint } from "./endpoints.ts";

const DOWN = { status: 500 };
const UP = { status: 200 };
const ALL = { since: START - 1, until: START + 3_600_000, wanted: "exhausted" as const };
const PATIENT = { retry_policy: { schedule: [] }, breaker: { enabled: false } };

/** An endpoint that gave up on so many tasks with two notifications each. */
async function exhaustedEndpoint(tasks: number): Promise<TestEndpoint> {
  const endpoint = await newEndpoint(PATIENT);
  await endpoint.receiver.script([DOWN]);
  for (let task = 0; task < tasks; task += 1) {
    await endpoint.enqueue(item(`t${task}`, 1), item(`t${task}`, 2));
  }
  await letPass(endpoint, 0, 1);
  await endpoint.receiver.script([UP]);
  return endpoint;
}

async function progressOf(endpoint: TestEndpoint, id: string): Promise<Recovery> {
  const answer = await endpoint.stub.recovery(id);
  if (!answer.ok) throw new Error(answer.refusal.detail);
  return answer.value;
}

describe("a recovery", () => {
  it("counts without sending when it is only asked how many there are", async () => {
    const endpoint = await exhaustedEndpoint(3);
    const before = (await endpoint.arrived()).length;

    const match = await endpoint.stub.recoverable(ALL);
    await endpoint.send();

    expect(match).toEqual({ matched: 6 });
    expect(await endpoint.arrived()).toHaveLength(before);
  });

  it("sends all that match again, in order, under their ids and with their retries", async () => {
    const endpoint = await exhaustedEndpoint(3);
    const before = await endpoint.receiver.log();
    await endpoint.at(10_000);

    await endpoint.stub.recover("rcv_1", ALL);
    await letPass(endpoint, 0, 1);

    const later = (await endpoint.receiver.log()).slice(before.length);
    const places = (await endpoint.arrived()).slice(before.length);
    for (const task of ["t0", "t1", "t2"]) {
      expect(places.filter((place) => place.startsWith(task))).toEqual([`${task}:1`, `${task}:2`]);
    }
    const idsOf = (log: typeof later) => new Set(log.map(({ headers }) => headers["webhook-id"]));
    expect(idsOf(later)).toEqual(idsOf(before));
    expect(await progressOf(endpoint, "rcv_1")).toEqual({
      recovery_id: "rcv_1",
      state: "done",
      matched: 6,
      replayed: 6,
    });
    expect(await endpoint.delivery("t0", 2)).toMatchObject({
      state: "delivered",
      attempts: [{ trigger: "scheduled" }, { trigger: "recover", status_code: 200 }],
    });
  });

  it("goes on after an eviction in its middle, and sends nothing twice", async () => {
    const endpoint = await exhaustedEndpoint(0);
    const ROWS = 2_500;
    await runInDurableObject(endpoint.stub, (_instance, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
         INSERT INTO delivery (source, seq, position, type, priority, state, attempts, tries, is_recovering,
           bytes, correlation_id, body)
         SELECT 'b' || i, 1, ${START * 1_000} + i, 'task_progress', 1, 'exhausted', 1, 1, 0, 10, '',
           '{"type":"task_progress","timestamp":"2026-11-22T10:00:00Z","data":{"task_id":"b' || i || '","seq":1,"prev_seq":null,"notification":{}}}'
         FROM n`,
      );
    });
    await endpoint.at(10_000);

    await endpoint.stub.recover("rcv_2", ALL);
    await endpoint.send();
    await endpoint.evict();
    const meanwhile = await progressOf(endpoint, "rcv_2");
    for (let turn = 0; turn < 4; turn += 1) await endpoint.send();

    const arrived = await endpoint.arrived();
    expect(meanwhile).toMatchObject({ state: "running", matched: ROWS });
    expect(await progressOf(endpoint, "rcv_2")).toMatchObject({ state: "done", replayed: ROWS });
    expect(arrived).toHaveLength(ROWS);
    expect(new Set(arrived).size).toBe(ROWS);
  }, 60_000);

  it("opens nothing more once it is cancelled", async () => {
    const endpoint = await exhaustedEndpoint(2);
    await endpoint.at(10_000);
    await endpoint.stub.recover("rcv_3", ALL);

    const cancelled = await endpoint.stub.cancelRecovery("rcv_3");
    await endpoint.send();

    expect(cancelled).toMatchObject({ ok: true, value: { state: "cancelled", replayed: 0 } });
    expect((await endpoint.delivery("t0", 1)).state).toBe("exhausted");
  });

  it("of another state or time takes nothing else", async () => {
    const endpoint = await exhaustedEndpoint(2);

    expect(await endpoint.stub.recoverable({ ...ALL, wanted: "delivered" })).toEqual({
      matched: 0,
    });
    expect(await endpoint.stub.recoverable({ ...ALL, until: START })).toEqual({ matched: 0 });
    expect(await endpoint.stub.recovery("rcv_none")).toMatchObject({
      ok: false,
      refusal: { code: "recovery_not_found" },
    });
  });

  it("started again with the same id is the same one", async () => {
    const endpoint = await exhaustedEndpoint(1);
    await endpoint.at(10_000);
    await endpoint.stub.recover("rcv_4", ALL);
    await endpoint.send();

    await endpoint.stub.recover("rcv_4", ALL);
    await endpoint.send();

    expect(await progressOf(endpoint, "rcv_4")).toMatchObject({ state: "done", replayed: 2 });
  });
});

describe("statistics", () => {
  it("equal what the attempts of the window come to", async () => {
    const endpoint = await newEndpoint({ retry_policy: { schedule: [10] } });
    await endpoint.receiver.script([UP, UP, DOWN, UP]);
    let [now, steps] = [START, 0];
    await runInDurableObject(endpoint.stub, (instance: EndpointObject) => {
      // Each look at the clock is a millisecond later, so that durations are not all alike.
      instance.now = () => now + steps++;
    });
    await endpoint.enqueue(item("a", 1), item("b", 1), item("c", 1));
    await endpoint.send();
    now += 20_000;
    await endpoint.send();

    const figures = await endpoint.stub.figures(3_600);
    const all = [];
    for (const task of ["a", "b", "c"]) {
      all.push(...((await endpoint.delivery(task, 1)).attempts ?? []));
    }

    const durations = all.map(({ duration_ms }) => duration_ms).toSorted((a, b) => a - b);
    expect(figures).toMatchObject({ delivered: 3, retried: 1, level: 0, oldestDue: null });
    expect([...(figures?.durations ?? [])].toSorted((a, b) => a - b)).toEqual(durations);
    expect(figures?.last_error).toMatchObject({ status_code: 500, error_class: "server_error" });
  });

  it("leave out what lies before the window, and know what waits longest", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("a", 1));
    await endpoint.send();
    await endpoint.change({ state: "paused" });
    await endpoint.at(600_000);
    await endpoint.enqueue(item("b", 1));
    await endpoint.at(610_000);

    const figures = await endpoint.stub.figures(60);

    expect(figures).toMatchObject({ delivered: 0, durations: [], oldestDue: START + 600_000 });
  });
});
