import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";

import { DeliveryStore } from "../../src/delivery/endpoint/delivery-store.ts";
import type { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { EndpointStore } from "../../src/delivery/endpoint/endpoint-store.ts";
import { item, newEndpoint, START, type TestEndpoint } from "./endpoints.ts";

/** What the object writes from now on: rows by SQL, and alarms, which cost a row each. */
async function meter(endpoint: TestEndpoint) {
  return runInDurableObject(endpoint.stub, (_instance: EndpointObject, state) => {
    const exec = vi.spyOn(state.storage.sql, "exec");
    const setAlarm = vi.spyOn(state.storage, "setAlarm");
    return {
      read: () => {
        const cursors = exec.mock.results.map(({ value }) => value as { rowsWritten: number });
        const rows = cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0);
        const alarms = setAlarm.mock.calls.length;
        exec.mockClear();
        setAlarm.mockClear();
        return { rows, alarms };
      },
    };
  });
}

/** One that has done today what it does once a day. */
async function usedEndpoint(): Promise<TestEndpoint> {
  const endpoint = await newEndpoint();
  await endpoint.enqueue(item("before", 1));
  await endpoint.send();
  return endpoint;
}

describe("what a delivery costs in rows written", () => {
  it("is one row to store it and one for its result, and one alarm for all that come together", async () => {
    const endpoint = await usedEndpoint();
    const cost = await meter(endpoint);

    await endpoint.enqueue(...Array.from({ length: 10 }, (_, task) => item(`t${task}`, 1)));
    await endpoint.enqueue(...Array.from({ length: 10 }, (_, task) => item(`t${task}`, 2)));
    const stored = cost.read();
    await endpoint.send();
    const sent = cost.read();

    expect(await endpoint.arrived()).toHaveLength(21);
    expect(stored).toEqual({ rows: 20, alarms: 1 });
    expect(sent).toEqual({ rows: 20, alarms: 0 });
  });

  it("is two rows and one alarm for one that comes alone", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();
    await endpoint.evict();
    const cost = await meter(endpoint);

    await endpoint.enqueue(item("t", 2));
    await endpoint.send();

    expect(cost.read()).toEqual({ rows: 2, alarms: 1 });
  });

  it("is nothing for one that was stored already", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();
    const cost = await meter(endpoint);

    await endpoint.enqueue(item("t", 1));

    expect(cost.read()).toEqual({ rows: 0, alarms: 0 });
  });

  it("is three rows and the watchdog for a first failure, three for the success after it", async () => {
    const endpoint = await usedEndpoint();
    await endpoint.receiver.script([{ status: 500 }, { status: 200 }]);
    await endpoint.enqueue(item("t", 1));
    const cost = await meter(endpoint);

    await endpoint.send();
    const failed = cost.read();
    await endpoint.at(10_000);
    await endpoint.send();
    const delivered = cost.read();

    // The row and its entry among the retries; the mark that a waking object may trust that index, and the
    // breaker, which are of one row.
    expect(failed).toEqual({ rows: 3, alarms: 1 });
    expect(delivered).toEqual({ rows: 3, alarms: 0 });
  });
});

describe("the store of an endpoint", () => {
  it("creates nothing in an object that nobody configured", async () => {
    const endpoint = await newEndpoint();

    const facts = await runInDurableObject(endpoint.stub, (_instance, state) => {
      state.storage.sql.exec("DROP TABLE endpoint");
      return new EndpointStore(state.storage.sql).facts();
    });

    expect(facts).toBeNull();
  });

  it("finds what is open by the retries' index as by looking at everything", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([{ status: 500 }]);
    await endpoint.enqueue(item("t", 1), item("t", 2), item("u", 1));
    await endpoint.send();

    const [byIndex, byAll] = await runInDurableObject(endpoint.stub, (_instance, state) => {
      const store = new DeliveryStore(state.storage.sql);
      const places = (isIndexComplete: boolean) =>
        store.openRows(isIndexComplete, -1, 10).map(({ source, seq }) => `${source}:${seq}`);
      return [places(true), places(false)];
    });

    expect(byIndex).toEqual(["t:1", "t:2", "u:1"]);
    expect(byAll).toEqual(byIndex);
  });

  it("wakes with retries open by searching an index, however much it keeps", async () => {
    const endpoint = await newEndpoint();

    const plan = await runInDurableObject(endpoint.stub, (_instance, state) => {
      const exec = vi.spyOn(state.storage.sql, "exec");
      const store = new DeliveryStore(state.storage.sql);
      store.openRows(true, -1, 10);
      store.replayRows();
      const calls = [...exec.mock.calls];
      exec.mockRestore();
      return calls
        .filter(([statement]) => statement.includes("FROM delivery"))
        .flatMap(([statement, ...bound]) =>
          state.storage.sql.exec(`EXPLAIN QUERY PLAN ${statement}`, ...bound).toArray(),
        )
        .map(({ detail }) => String(detail as string));
    });

    expect(plan.length).toBeGreaterThan(0);
    const scans = plan.filter((step) => step.startsWith("SCAN"));
    expect(
      scans.filter((step) => !/USING (COVERING )?INDEX delivery_(due|replay)/.test(step)),
    ).toEqual([]);
  });

  it("gives positions that grow, also inside one millisecond", async () => {
    const endpoint = await newEndpoint();

    const positions = await runInDurableObject(endpoint.stub, (_instance, state) => {
      const store = new DeliveryStore(state.storage.sql);
      return [1, 2, 3].map((seq) => store.insert(item("p", seq), START)?.position);
    });

    expect(positions).toEqual([START * 1_000, START * 1_000 + 1, START * 1_000 + 2]);
  });
});
