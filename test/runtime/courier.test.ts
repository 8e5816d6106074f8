import { describe, expect, it, vi } from "vitest";

import { item, letPass, newEndpoint, placeOf, START } from "./endpoints.ts";

const DOWN = { status: 503 };
const UP = { status: 200 };

describe("an endpoint that is down", () => {
  it("gets everything in order once it is up again", async () => {
    const endpoint = await newEndpoint({ retry_policy: null });
    await endpoint.receiver.script([{ status: 503 }]);
    const tasks = Array.from({ length: 5 }, (_, task) => `t${task}`);
    for (const task of tasks) await endpoint.enqueue(item(task, 1), item(task, 2), item(task, 3));

    await letPass(endpoint, 3_600_000, 300_000);
    await endpoint.receiver.script([UP]);
    const failures = (await endpoint.arrived()).length;
    await letPass(endpoint, 12 * 3_600_000, 1_800_000);

    const later = (await endpoint.arrived()).slice(failures);
    expect(failures).toBeGreaterThan(tasks.length);
    expect(later).toHaveLength(15);
    for (const task of tasks) {
      const ofTask = later.filter((place) => place.startsWith(`${task}:`));
      expect(ofTask).toEqual([`${task}:1`, `${task}:2`, `${task}:3`]);
    }
  });

  it("has every attempt stored: as many as the receiver counted, with what it answered", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([
      { status: 500, body: "first" },
      { status: 404, body: "second" },
      { status: 201, body: "third" },
    ]);
    await endpoint.enqueue(item("t", 1));

    await letPass(endpoint, 200_000, 10_000);

    const delivery = await endpoint.delivery("t", 1);
    const log = await endpoint.receiver.log();
    expect(delivery.attempts).toHaveLength(log.length);
    expect(delivery).toMatchObject({
      state: "delivered",
      attempts_made: 3,
      attempts: [
        { attempt: 1, trigger: "scheduled", status_code: 500, response_body: "first" },
        { attempt: 2, trigger: "retry", status_code: 404, response_body: "second" },
        { attempt: 3, trigger: "retry", status_code: 201, error_class: null },
      ],
    });
  });

  it("is never tried before a retry is due", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([DOWN]);
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();

    await endpoint.at(9_499);
    await endpoint.stub.wake();
    await endpoint.send();
    const early = await endpoint.arrived();
    await endpoint.at(10_000);
    await endpoint.stub.wake();
    await endpoint.send();

    expect(early).toHaveLength(1);
    expect(await endpoint.arrived()).toHaveLength(2);
    for (const attempt of (await endpoint.delivery("t", 1)).attempts ?? []) {
      expect(Date.parse(attempt.started_at)).toBeGreaterThanOrEqual(Date.parse(attempt.due_at));
    }
  });

  it("gets the same bytes under the same id in every attempt, each signed anew", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("t", 1));

    await letPass(endpoint, 20_000, 10_000);

    const [first, second] = await endpoint.receiver.log();
    expect(second?.body_base64).toBe(first?.body_base64);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect([first, second].map((request) => request?.headers["x-attempt"])).toEqual(["1", "2"]);
    expect(second?.headers["webhook-timestamp"]).toBe(String(START / 1_000 + 10));
  });

  it("keeps what used up its retries, readable and replayable", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([DOWN, DOWN, DOWN, UP]);
    await endpoint.enqueue(item("t", 1), item("t", 2));
    await letPass(endpoint, 200_000, 10_000);
    const exhausted = await endpoint.delivery("t", 1);

    await endpoint.stub.replay(exhausted.delivery_id);
    await endpoint.send();

    expect(exhausted).toMatchObject({ state: "exhausted", attempts_made: 3 });
    expect((await endpoint.delivery("t", 2)).state).toBe("delivered");
    expect(await endpoint.delivery("t", 1)).toMatchObject({ state: "delivered", attempts_made: 4 });
  });

  it("is given up at once on a status that the registration calls final", async () => {
    const endpoint = await newEndpoint({ final_statuses: [422] });
    await endpoint.receiver.script([{ status: 422 }, UP]);
    await endpoint.enqueue(item("t", 1), item("t", 2));

    await endpoint.send();

    expect((await endpoint.delivery("t", 1)).state).toBe("exhausted");
    expect((await endpoint.delivery("t", 2)).state).toBe("delivered");
  });
});

describe("lanes under failures", () => {
  it("block the failing task alone: other tasks go on", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("a", 1, { priority: "high" }), item("a", 2), item("b", 1));

    await endpoint.send();
    const meanwhile = await endpoint.arrived();
    await letPass(endpoint, 20_000, 10_000);

    expect(meanwhile).toEqual(["a:1", "b:1"]);
    expect(await endpoint.arrived()).toEqual(["a:1", "b:1", "a:1", "a:2"]);
  });

  it("keep every task in order while a third of all requests fail", async () => {
    const endpoint = await newEndpoint({ retry_policy: { schedule: Array(20).fill(10) } });
    const script = Array.from({ length: 120 }, (_, index) => (index % 3 === 0 ? DOWN : UP));
    await endpoint.receiver.script([...script, UP]);
    const tasks = Array.from({ length: 12 }, (_, task) => `t${task}`);
    for (const task of tasks) {
      await endpoint.enqueue(item(task, 1), item(task, 2), item(task, 3), item(task, 4));
    }

    await letPass(endpoint, 300_000, 10_000);

    const log = await endpoint.receiver.log();
    for (const task of tasks) {
      const seqs = log.filter((request) => placeOf(request).startsWith(`${task}:`)).map(placeOf);
      const firsts = seqs.filter((place, index) => seqs.indexOf(place) === index);
      expect(seqs).toEqual(seqs.toSorted());
      expect(firsts).toEqual([1, 2, 3, 4].map((seq) => `${task}:${seq}`));
    }
  });

  it("send the critical one first when a hundred others wait", async () => {
    const endpoint = await newEndpoint();
    await endpoint.change({ state: "paused" });
    const backlog = Array.from({ length: 100 }, (_, task) =>
      item(`p${task}`, 1, { priority: "low" }),
    );
    await endpoint.enqueue(...backlog, item("critical", 1, { priority: "critical" }));

    await endpoint.change({ state: "active" });
    await endpoint.send();

    const arrived = await endpoint.arrived();
    expect(arrived).toHaveLength(101);
    // Six leave together, and the network may turn them round.
    expect(arrived.slice(0, 6)).toContain("critical:1");
  });

  it("keep one order for the whole endpoint where it asks for that", async () => {
    const endpoint = await newEndpoint({ ordering: "endpoint" });
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("b", 1));
    await endpoint.enqueue(item("a", 1), item("b", 2));

    await endpoint.send();
    await endpoint.evict();
    await letPass(endpoint, 20_000, 10_000);

    expect(await endpoint.arrived()).toEqual(["b:1", "b:1", "a:1", "b:2"]);
  });

  it("go on while one request hangs, with never more than six open", async () => {
    const endpoint = await newEndpoint();
    const slow = 150;
    // Long enough for all others, on a busy machine too.
    const hanging = 5_000;
    await endpoint.receiver.script([{ delay_ms: hanging }, { delay_ms: slow }]);
    await endpoint.enqueue(...Array.from({ length: 25 }, (_, task) => item(`t${task}`, 1)));

    await endpoint.send();

    const log = await endpoint.receiver.log();
    const ends = log.map(({ at_ms }, index) => at_ms + (index === 0 ? hanging : slow));
    const open = log.map(({ at_ms }) =>
      log.filter((other, index) => other.at_ms <= at_ms && (ends[index] ?? 0) > at_ms),
    );
    expect(log).toHaveLength(25);
    expect(Math.max(...open.map(({ length }) => length))).toBeLessThanOrEqual(6);
    expect(Math.max(...log.slice(1).map(({ at_ms }) => at_ms))).toBeLessThan(ends[0] ?? 0);
  });

  it("take in at once what is stored while a request hangs", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([{ delay_ms: 1_000 }, UP]);
    await endpoint.enqueue(item("slow", 1));
    const sending = endpoint.send();
    await vi.waitUntil(async () => (await endpoint.arrived()).length === 1, 15_000);

    await endpoint.enqueue(item("quick", 1));
    await vi.waitUntil(
      async () => (await endpoint.delivery("quick", 1)).state === "delivered",
      15_000,
    );

    expect((await endpoint.delivery("slow", 1)).state).toBe("delivering");
    await sending;
  });
});
