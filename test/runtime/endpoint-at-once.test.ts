import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";

import { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { BEHIND_MS, WATCHDOG_MS } from "../../src/delivery/endpoint/waker.ts";
import { alarmOf, DOWN, UP } from "./coincidences.ts";
import { item, newEndpoint, START, type TestEndpoint } from "./endpoints.ts";

/** One that sends at once, and has done today what it does once a day. */
async function promptEndpoint(...changes: Parameters<typeof newEndpoint>): Promise<TestEndpoint> {
  const endpoint = await newEndpoint(...changes);
  await endpoint.enqueue(item("before", 1));
  await endpoint.send();
  endpoint.sendAtOnce();
  return endpoint;
}

/** Waits until so many have arrived beside the first, and their answers are stored; what has arrived beside it. */
async function haveArrived(endpoint: TestEndpoint, count: number): Promise<string[]> {
  await vi.waitUntil(async () => (await endpoint.arrived()).length === count + 1, 15_000);
  await vi.waitUntil(async () => (await openOf(endpoint)) === 0, 15_000);
  return (await endpoint.arrived()).slice(1);
}

const openOf = (endpoint: TestEndpoint) =>
  runInDurableObject(endpoint.stub, (_instance, { storage }) =>
    Number(storage.sql.exec("SELECT count(*) AS n FROM delivery WHERE state = 'open'").one()["n"]),
  );

/** Watches what alarms are set from now on. */
const alarmsOf = (endpoint: TestEndpoint) =>
  runInDurableObject(endpoint.stub, (_instance, { storage }) => vi.spyOn(storage, "setAlarm"));

describe("an endpoint sends at once", () => {
  it("what it has stored, while no alarm has fired", async () => {
    const endpoint = await promptEndpoint();

    await endpoint.enqueue(item("t", 1));

    expect(await haveArrived(endpoint, 1)).toEqual(["t:1"]);
    expect(await alarmOf(endpoint)).toBe(START + BEHIND_MS);
  });

  it("beside the caller, who does not wait for the receiver", async () => {
    const endpoint = await promptEndpoint();
    await endpoint.receiver.script([{ status: 200, delay_ms: 1_500 }]);

    await endpoint.enqueue(item("t", 1));
    const open = await openOf(endpoint);

    expect(open).toBe(1);
    expect(await haveArrived(endpoint, 1)).toEqual(["t:1"]);
  });

  it("a replay and a test", async () => {
    const endpoint = await promptEndpoint();
    const name = endpoint.config.webhook_id.replace("_", "");

    await endpoint.stub.replay(`dlv_${name}_1_before`);
    await vi.waitUntil(async () => (await endpoint.receiver.log()).length === 2, 15_000);
    await endpoint.stub.sendTest();
    await vi.waitUntil(async () => (await endpoint.receiver.log()).length === 3, 15_000);

    expect(await alarmOf(endpoint)).toBe(START + BEHIND_MS);
  });

  it("what waited, when it is active again and when it is resumed", async () => {
    const endpoint = await promptEndpoint();
    await endpoint.change({ state: "paused" });
    await endpoint.enqueue(item("t", 1));
    await endpoint.change({ state: "active" });
    const afterPause = await haveArrived(endpoint, 1);

    await endpoint.receiver.script([{ status: 503, headers: { "retry-after": "3600" } }, UP]);
    await endpoint.enqueue(item("u", 1));
    await vi.waitUntil(async () => (await endpoint.delivery("u", 1)).attempts_made === 1, 15_000);
    await endpoint.at(1_800_000);
    await endpoint.stub.resume();
    await endpoint.enqueue(item("v", 1));

    expect(afterPause).toEqual(["t:1"]);
    await vi.waitUntil(async () => (await endpoint.delivery("v", 1)).state === "delivered", 15_000);
  });

  it("in the order of a task, also what comes while its first is under way", async () => {
    const endpoint = await promptEndpoint();
    await endpoint.receiver.script([{ status: 200, delay_ms: 200 }]);

    await endpoint.enqueue(item("t", 1));
    await endpoint.enqueue(item("t", 2), item("u", 1));
    await endpoint.enqueue(item("t", 3));

    const arrived = await haveArrived(endpoint, 4);
    expect(arrived.filter((place) => place.startsWith("t"))).toEqual(["t:1", "t:2", "t:3"]);
    const starts = await Promise.all(
      [1, 2].map(async (seq) => (await endpoint.delivery("t", seq)).attempts?.[0]),
    );
    expect(starts).toMatchObject([{ status_code: 200 }, { status_code: 200 }]);
  });

  it("nothing that is not stored: what can't be committed never leaves", async () => {
    const endpoint = await promptEndpoint();
    const { config } = endpoint;
    const committed = runInDurableObject(endpoint.stub, async (instance: EndpointObject, state) => {
      const { sql } = state.storage;
      sql.exec("CREATE TABLE one (id INTEGER PRIMARY KEY)");
      sql.exec("CREATE TABLE two (id INTEGER REFERENCES one (id) DEFERRABLE INITIALLY DEFERRED)");
      await state.storage.sync();
      const items = [item("t", 1)];
      const stored = instance.enqueue({ config_version: config.version, callback: null, items });
      // Found out as the turn is committed, when the request is ready to leave.
      sql.exec("INSERT INTO two VALUES (1)");
      await stored;
    });

    await committed.catch(() => {});
    await scheduler.wait(300);
    await endpoint.lose();
    expect(await openOf(endpoint)).toBe(0);
    expect(await endpoint.arrived()).toEqual(["before:1"]);
  });
});

describe("the alarm behind what is sent at once", () => {
  it("is set in the turn in which the rows are stored", async () => {
    const endpoint = await promptEndpoint();
    const armed = await runInDurableObject(endpoint.stub, (_instance, { storage }) => {
      let isTurnOfRow = false;
      const exec = storage.sql.exec.bind(storage.sql);
      vi.spyOn(storage.sql, "exec").mockImplementation((statement, ...bound) => {
        if (statement.startsWith("INSERT INTO delivery")) {
          isTurnOfRow = true;
          queueMicrotask(() => {
            isTurnOfRow = false;
          });
        }
        return exec(statement, ...bound);
      });
      const seen: boolean[] = [];
      const setAlarm = storage.setAlarm.bind(storage);
      vi.spyOn(storage, "setAlarm").mockImplementation((at) => {
        seen.push(isTurnOfRow);
        return setAlarm(at);
      });
      return seen;
    });

    await endpoint.enqueue(item("t", 1));

    expect(armed).toEqual([true]);
  });

  it("is one for all that comes while it is set", async () => {
    const endpoint = await promptEndpoint();
    const alarms = await alarmsOf(endpoint);

    for (let step = 1; step <= 10; step += 1) {
      await endpoint.at(step * 700);
      await endpoint.enqueue(item("t", step));
      await haveArrived(endpoint, step);
    }

    expect(alarms.mock.calls).toEqual([[START + 700 + BEHIND_MS]]);
  });

  it("is behind a retry too, whose own alarm would come when nobody knows any more that it has left", async () => {
    const endpoint = await promptEndpoint({ retry_policy: { schedule: [1] } });
    await endpoint.receiver.script([DOWN, UP]);
    await endpoint.enqueue(item("t", 1));
    await vi.waitUntil(async () => (await endpoint.delivery("t", 1)).attempts_made === 1, 15_000);
    await endpoint.at(BEHIND_MS);
    await endpoint.evict();
    await runInDurableObject(endpoint.stub, (_instance, { storage }) =>
      storage.setAlarm(START + 1_000 + WATCHDOG_MS),
    );
    const alarms = await alarmsOf(endpoint);

    await endpoint.stub.wake();

    expect(await haveArrived(endpoint, 2)).toEqual(["t:1", "t:1"]);
    expect(alarms.mock.calls).toEqual([[START + 2 * BEHIND_MS]]);
  });

  it("finds nothing to do when all has left: it looks through nothing, and is not set again", async () => {
    const endpoint = await promptEndpoint();
    await endpoint.enqueue(item("t", 1));
    await haveArrived(endpoint, 1);
    const [alarms, exec] = await runInDurableObject(endpoint.stub, (_instance, { storage }) => [
      vi.spyOn(storage, "setAlarm"),
      vi.spyOn(storage.sql, "exec"),
    ]);

    const hasFired = await endpoint.send();

    expect(hasFired).toBe(true);
    expect(alarms?.mock.calls).toEqual([]);
    const statements = exec?.mock.calls.map(([statement]) => String(statement)) ?? [];
    expect(statements.filter((statement) => statement.includes("FROM delivery"))).toEqual([]);
    expect(await endpoint.send()).toBe(false);
    expect(await endpoint.arrived()).toHaveLength(2);
  });

  it("sends what was under way when its object was lost", async () => {
    const endpoint = await promptEndpoint();
    await endpoint.receiver.script([{ status: 200, delay_ms: 2_000 }, UP]);
    await endpoint.enqueue(item("t", 1), item("t", 2));
    await vi.waitUntil(async () => (await endpoint.arrived()).length === 2, 15_000);

    await endpoint.lose();
    await endpoint.send();

    expect(await endpoint.arrived()).toEqual(["before:1", "t:1", "t:1", "t:2"]);
  });

  it("waits for the run that is under way, and is not over before", async () => {
    const endpoint = await promptEndpoint();
    await endpoint.receiver.script([{ status: 200, delay_ms: 500 }]);
    await endpoint.enqueue(item("t", 1));

    await endpoint.send();

    expect((await endpoint.delivery("t", 1)).state).toBe("delivered");
    expect(await alarmOf(endpoint)).toBeNull();
  });

  it("comes at once for what is stored while a run does what else is to be done", async () => {
    const { connect } = EndpointObject;
    const gate = Promise.withResolvers<void>();
    EndpointObject.connect = (of) => ({ ...connect(of), scheduleSweep: () => gate.promise });
    try {
      const endpoint = await newEndpoint();
      endpoint.sendAtOnce();
      await endpoint.enqueue(item("before", 1));
      await haveArrived(endpoint, 0);

      await endpoint.enqueue(item("t", 1));
      const alarm = await alarmOf(endpoint);
      gate.resolve();
      await endpoint.send();

      expect(alarm).toBe(START);
      expect(await haveArrived(endpoint, 1)).toEqual(["t:1"]);
    } finally {
      EndpointObject.connect = connect;
    }
  });

  it("comes soon when a run breaks, which is logged, and then a minute later", async () => {
    const endpoint = await promptEndpoint();
    await runInDurableObject(endpoint.stub, (instance: EndpointObject) => {
      instance.random = () => {
        throw new Error("broken");
      };
    });
    const error = vi.spyOn(console, "error");
    await endpoint.enqueue(item("t", 1));
    const broken = () =>
      error.mock.calls.filter(([line]) => String(line).includes("endpoint_alarm_failed")).length;
    await vi.waitUntil(() => broken() === 1, 15_000);
    const soon = await alarmOf(endpoint);

    await endpoint.at(BEHIND_MS);
    await endpoint.send();

    expect([soon, await alarmOf(endpoint)]).toEqual([
      START + BEHIND_MS,
      START + BEHIND_MS + WATCHDOG_MS,
    ]);
    expect(broken()).toBe(2);
    await endpoint.evict();
    await endpoint.send();
    expect((await endpoint.delivery("t", 1)).state).toBe("delivered");
  });
});
