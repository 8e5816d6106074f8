import { evictDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Accumulator } from "../../src/observe/meter/accumulator.ts";
import { meterName } from "../../src/observe/meter/meter-door.ts";
import { deliveryMeter, metering, meterPort } from "../../src/services-meter.ts";
import { readPrometheus, valueIn, type Family } from "../prometheus-text.ts";
import { call, eventually, Executor, submit } from "./batuta.ts";
import { item, newEndpoint } from "./endpoints.ts";
import type { newTenant } from "./tenant.ts";

const REQUESTS = "batuta_http_requests_total";
const DURATION = "batuta_http_request_duration_seconds";
const ROUTE = "/v1/tasks/:task_id";

beforeAll(() => {
  Object.assign(metering, { isTelling: true, pause: async () => {} });
});
afterAll(() => {
  metering.isTelling = false;
});

type Call = Awaited<ReturnType<typeof newTenant>>;

/** What a tenant, or whoever has the bootstrap key, sees; in the strict reader's eyes. */
async function scrape(path = "/metrics", authorization = `Bearer ${env.BATUTA_ADMIN_KEY}`) {
  const response = await exports.default.fetch(
    new Request(`https://batuta.test${path}`, { headers: { authorization } }),
  );
  const text = await response.text();
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return readPrometheus(text);
}

/** A tenant with its own key, and what it sees. */
async function newWatched(
  tenant: string,
): Promise<{ ask: Call; see: () => ReturnType<typeof scrape> }> {
  const { body } = await call<{ key: string }>("POST", "/v1/keys", {
    name: "watched",
    tenant,
    scopes: ["orchestrate", "execute", "observe", "admin"],
  });
  const authorization = `Bearer ${body.key}`;
  return {
    ask: (method, path, sent, headers) => call(method, path, sent, { authorization, ...headers }),
    see: () => scrape("/metrics", authorization),
  };
}

const requests = (families: Map<string, Family>, route: string, method: string, status: string) =>
  valueIn(families, REQUESTS, { route, method, status_class: status });

describe("the figures at /metrics", () => {
  it("are exact after a scripted run of requests", async () => {
    const { ask, see } = await newWatched("scripted-requests");
    for (const task_id of ["none", "other", "third"]) await ask("GET", `/v1/tasks/${task_id}`);
    await ask("GET", "/v1/state");
    await ask("GET", "/v1/state");
    await ask("POST", "/v1/tasks", { task_type: 1 });

    const families = await eventually(see, (seen) =>
      Boolean(
        requests(seen, "/v1/tasks", "POST", "4xx") && requests(seen, "/metrics", "GET", "2xx"),
      ),
    );

    expect(requests(families, ROUTE, "GET", "4xx")).toBe(3);
    expect(requests(families, "/v1/state", "GET", "2xx")).toBe(2);
    expect(requests(families, "/v1/tasks", "POST", "4xx")).toBe(1);
    expect(families.get(REQUESTS)?.samples).toHaveLength(4);
    const labels = { route: ROUTE, method: "GET" };
    expect(valueIn(families, `${DURATION}_count`, labels)).toBe(3);
    expect(valueIn(families, `${DURATION}_bucket`, { ...labels, le: "+Inf" })).toBe(3);
  });

  it("are labelled by route pattern, not raw path, and unknown paths make no series", async () => {
    const { ask, see } = await newWatched("patterns");
    for (let count = 0; count < 20; count += 1) await ask("GET", `/v1/tasks/secret-name-${count}`);
    for (let count = 0; count < 20; count += 1) await ask("GET", `/made/up/${count}`);
    await ask("PROPFIND", "/v1/tasks");

    const own = await eventually(see, (seen) => requests(seen, ROUTE, "GET", "4xx") === 20);
    const all = await scrape("/metrics?all=1");

    const routes = own.get(REQUESTS)?.samples.map(({ labels }) => labels["route"]);
    expect(new Set(routes?.filter((route) => route !== "/metrics"))).toEqual(new Set([ROUTE]));
    const ofNobody = { tenant: "", route: "unmatched", status_class: "4xx" };
    expect(valueIn(all, REQUESTS, { ...ofNobody, method: "GET" })).toBeGreaterThanOrEqual(20);
    expect(valueIn(all, REQUESTS, { ...ofNobody, method: "other" })).toBeGreaterThanOrEqual(1);
    expect(JSON.stringify([...all])).not.toMatch(/secret-name|made\/up|PROPFIND/);
  });

  it("are exact after a scripted run of deliveries, retries and failures included", async () => {
    const { see } = await newWatched("scripted-deliveries");
    const tenant = "scripted-deliveries";
    const flaky = await newEndpoint({ tenant });
    await flaky.receiver.script([{ status: 500 }, { status: 200 }]);
    const picky = await newEndpoint({ tenant, final_statuses: [404] });
    await picky.receiver.script([{ status: 404 }]);
    await flaky.enqueue(item("t1", 1));
    await flaky.send();
    await flaky.at(10_000);
    await flaky.stub.wake();
    await flaky.send();
    await flaky.enqueue(item("t2", 1), item("t3", 1));
    await flaky.send();
    await picky.enqueue(item("t4", 1));
    await picky.send();

    const families = await eventually(see, (seen) =>
      Boolean(valueIn(seen, "batuta_deliveries_total", { outcome: "exhausted" })),
    );

    const outcome = (name: string, label: string) => valueIn(families, name, { outcome: label });
    expect(outcome("batuta_deliveries_total", "delivered")).toBe(3);
    expect(outcome("batuta_deliveries_total", "exhausted")).toBe(1);
    expect(outcome("batuta_delivery_attempts_total", "success")).toBe(3);
    expect(outcome("batuta_delivery_attempts_total", "failure")).toBe(2);
    const latency = (suffix: string, le?: string) =>
      valueIn(families, `batuta_delivery_latency_seconds${suffix}`, le === undefined ? {} : { le });
    // Two at once, and one by its retry after ten seconds.
    expect([latency("_bucket", "5"), latency("_bucket", "10"), latency("_count")]).toEqual([
      2, 3, 3,
    ]);
    expect(latency("_sum")).toBe(10);
    const rows = valueIn(families, "batuta_rows_written_total", { store: "endpoint" });
    expect(rows).toBeGreaterThanOrEqual(9);
  });

  it("have the infrastructure's, present and non-zero: rows, lag, queue, executors, slots", async () => {
    const executor = await new Executor("infrastructure").register();
    await submit({ task_id: "infra-1", requires: { capabilities: [executor.agent_id] } });
    await submit({ task_id: "infra-2", requires: { capabilities: [executor.agent_id] } });
    await executor.claim();

    const families = await eventually(
      () => scrape(),
      (seen) =>
        Boolean(valueIn(seen, "batuta_rows_written_total", { store: "history" })) &&
        Boolean(valueIn(seen, "batuta_queue_oldest_age_seconds")) &&
        Boolean(valueIn(seen, "batuta_slots_in_use")),
    );

    for (const name of [
      "batuta_history_lag_seconds_count",
      "batuta_tasks_waiting",
      "batuta_slots",
      "batuta_slots_in_use",
      "batuta_queue_oldest_age_seconds",
    ]) {
      expect([name, valueIn(families, name)]).toEqual([name, expect.any(Number)]);
      expect([name, valueIn(families, name)]).not.toEqual([name, 0]);
    }
    expect(valueIn(families, "batuta_agents", { state: "online" })).toBeGreaterThanOrEqual(1);
    for (const source of ["technical", "queue", "agents"]) {
      expect(valueIn(families, "batuta_scrape_complete", { source })).toBe(1);
    }
  });

  it("never fall: two isolates sum, and an evicted object has what it has shown", async () => {
    const { ask, see } = await newWatched("monotonic");
    const stub = env.METER.getByName(meterName("monotonic"));
    const other = new Accumulator({
      now: () => Date.now(),
      log: () => {},
      source: "another-isolate",
      pause: () => null,
      door: () => stub,
    });
    await ask("GET", "/v1/tasks/none");
    for (let count = 0; count < 5; count += 1)
      other.count("monotonic", REQUESTS, [ROUTE, "GET", "4xx"]);
    await other.flush();

    const before = await eventually(see, (seen) => requests(seen, ROUTE, "GET", "4xx") === 6);
    await evictDurableObject(stub);
    const after = await see();

    expect(requests(after, ROUTE, "GET", "4xx")).toBe(6);
    for (const { name, type, samples } of before.values()) {
      if (type !== "counter" && type !== "histogram") continue;
      for (const { name: line, labels, value } of samples) {
        expect([name, valueIn(after, line, labels) ?? -1]).toEqual([
          name,
          expect.toSatisfy((now: number) => now >= value),
        ]);
      }
    }
  });

  it("are of the key's tenant; those of all are for the bootstrap key", async () => {
    const { ask, see } = await newWatched("one-of-many");
    await ask("GET", "/v1/tasks/none");
    const own = await eventually(see, (seen) => requests(seen, ROUTE, "GET", "4xx") === 1);

    const refused = await ask("GET", "/metrics?all=1");
    const all = await scrape("/metrics?all=1");

    expect(refused).toMatchObject({ status: 403, body: { code: "forbidden" } });
    expect(JSON.stringify([...own])).not.toContain('"tenant"');
    const labels = { tenant: "one-of-many", route: ROUTE, method: "GET", status_class: "4xx" };
    expect(valueIn(all, REQUESTS, labels)).toBe(1);
  });

  it("are for whoever has a key with the scope observe", async () => {
    const key = (scopes: string[]) =>
      call<{ key: string }>("POST", "/v1/keys", { name: "k", tenant: "scoped", scopes });
    const [observer, executor] = [await key(["observe"]), await key(["execute"])];
    const statusOf = async (authorization: string) =>
      (await call("GET", "/v1/metrics", undefined, { authorization })).status;

    await scrape("/metrics", `Bearer ${observer.body.key}`);
    const metrics = (authorization: string) =>
      call("GET", "/metrics", undefined, { authorization });

    expect(await statusOf(`Bearer ${observer.body.key}`)).toBe(200);
    expect((await metrics(`Bearer ${executor.body.key}`)).status).toBe(403);
    expect((await metrics("")).status).toBe(401);
    expect((await metrics("Bearer bk_wrong")).status).toBe(401);
  });

  it("go to Analytics Engine, too, where a dataset is bound", () => {
    const points: unknown[] = [];
    const ANALYTICS = { writeDataPoint: (point: unknown) => points.push(point) };
    const withDataset: Env = Object.assign({ ...env }, { ANALYTICS });
    const request = { route: ROUTE, method: "GET", status: 200, duration_ms: 7 };

    void meterPort(withDataset, async () => ({ items: [], next_cursor: null }), []).count({
      tenant: "analysed",
      ...request,
    });
    deliveryMeter(withDataset).arrived("analysed", 90);

    expect(points).toMatchObject([
      { indexes: ["analysed"], blobs: ["request", "analysed", ROUTE, "GET", "200"] },
      { indexes: ["analysed"], blobs: ["delivery", "analysed"], doubles: [90] },
    ]);
  });
});
