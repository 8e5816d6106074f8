import { describe, expect, it } from "vitest";

import { METRICS, metricOf } from "../../src/observe/meter/catalogue.ts";
import type { Sample, SampleSource } from "../../src/observe/meter/ports.ts";
import { exposition } from "../../src/observe/meter/show/exposition.ts";
import { agentSource, queueSource, taskSource } from "../../src/observe/meter/show/gauges.ts";
import { scrapeAll, scrapeTenant, type ScrapeParts } from "../../src/observe/meter/show/scrape.ts";
import { seriesKey, timed, type Tally } from "../../src/observe/meter/tally.ts";
import { readPrometheus, valueIn } from "../prometheus-text.ts";

const REQUESTS = "batuta_http_requests_total";
const DURATION = "batuta_http_request_duration_seconds";

function tally(route: string): Tally {
  const bounds = metricOf(DURATION)?.buckets ?? [];
  return {
    [seriesKey(REQUESTS, [route, "GET", "2xx"])]: [3],
    [seriesKey(DURATION, [route, "GET"])]: timed(bounds, 250),
    "batuta_no_longer_total x": [1],
  };
}

function partsOf(changes: Partial<ScrapeParts> = {}): ScrapeParts {
  return {
    log: () => {},
    totals: async (tenant) => tally(tenant === "" ? "unmatched" : `/v1/${tenant}`),
    sources: [],
    tenants: async () => ({ tenants: ["acme", "other"], isComplete: true }),
    ...changes,
  };
}

const agent = (state: "online" | "stale", slots_in_use: number) => ({
  state,
  slots: 4,
  slots_in_use,
  pools: ["default"],
});

describe("the catalogue", () => {
  it("has the metrics of the contract with their labels", () => {
    const labels = Object.fromEntries(METRICS.map(({ name, labels: of }) => [name, of]));

    expect(labels).toMatchObject({
      batuta_tasks_total: ["status", "task_type"],
      batuta_task_duration_seconds: [],
      batuta_notifications_total: ["type"],
      batuta_deliveries_total: ["outcome"],
      batuta_delivery_latency_seconds: [],
      batuta_queue_oldest_age_seconds: [],
      batuta_http_requests_total: ["route", "method", "status_class"],
      batuta_http_request_duration_seconds: ["route", "method"],
      batuta_agents: ["state"],
      batuta_slots_in_use: [],
      batuta_cost_usd_total: [],
      batuta_tokens_total: ["role"],
    });
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
  });

  it("has counters that end with _total and bounds that ascend", () => {
    for (const { name, type } of METRICS) {
      const { buckets = [] } = metricOf(name) ?? {};
      expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
      expect(buckets.toSorted((a, b) => a - b)).toEqual(buckets);
      expect(buckets.length > 0).toBe(type === "histogram");
    }
  });
});

describe("the text of figures", () => {
  it("keeps the format whatever stands in labels", () => {
    const hostile = 'a"b\\c\nd{e="f"} 1';
    const samples: Sample[] = [
      { metric: "batuta_tokens_total", labels: { role: hostile }, value: 0.1 + 0.2 },
      { metric: "batuta_tokens_total", labels: { role: "executor" }, value: 1e21 },
      { metric: "batuta_task_quality", labels: {}, bounds: [], counts: [2], sum: 1.5 },
    ];

    const families = readPrometheus(
      exposition(samples.map((sample) => ({ tenant: null, sample }))),
    );

    expect(valueIn(families, "batuta_tokens_total", { role: hostile })).toBe(0.1 + 0.2);
    expect(valueIn(families, "batuta_tokens_total", { role: "executor" })).toBe(1e21);
    expect(valueIn(families, "batuta_task_quality_count")).toBe(2);
  });

  it("of a tenant has seconds, cumulative buckets and no tenant", async () => {
    const families = readPrometheus(await scrapeTenant(partsOf(), "acme"));

    const labels = { route: "/v1/acme", method: "GET" };
    const bucket = (le: string) => valueIn(families, `${DURATION}_bucket`, { ...labels, le });
    expect(valueIn(families, REQUESTS, { ...labels, status_class: "2xx" })).toBe(3);
    expect([bucket("0.1"), bucket("0.25"), bucket("30"), bucket("+Inf")]).toEqual([0, 1, 1, 1]);
    expect(valueIn(families, `${DURATION}_sum`, labels)).toBe(0.25);
    expect([...families.keys()]).not.toContain("batuta_no_longer_total");
  });

  it("of all tenants names each, and the installation by an empty label", async () => {
    const families = readPrometheus(await scrapeAll(partsOf()));

    const tenants = families.get(REQUESTS)?.samples.map(({ labels }) => labels["tenant"]);
    expect(tenants).toEqual(["", "acme", "other"]);
    expect(valueIn(families, "batuta_scrape_complete", { source: "tenants" })).toBe(1);
  });

  it("says which source failed, and shows the others", async () => {
    const broken: SampleSource = {
      name: "tasks",
      read: () => Promise.reject(new Error("D1 is down")),
    };

    const families = readPrometheus(await scrapeTenant(partsOf({ sources: [broken] }), "acme"));

    expect(valueIn(families, "batuta_scrape_complete", { source: "tasks" })).toBe(0);
    expect(valueIn(families, "batuta_scrape_complete", { source: "technical" })).toBe(1);
  });

  it("asks D1 no more often than an invocation may, and a dear source of some tenants alone", async () => {
    const tenants = Array.from({ length: 200 }, (_, index) => `t${index}`);
    let statements = 0;
    const source = (name: string, each: number, most?: number): SampleSource => ({
      name,
      ...(most !== undefined && { most }),
      read: async () => {
        statements += each;
        return { samples: [], isComplete: true, statements: each };
      },
    });
    const answer = async (...sources: SampleSource[]) => {
      statements = 0;
      const known = { tenants, isComplete: true };
      const families = readPrometheus(
        await scrapeAll(partsOf({ tenants: async () => known, sources })),
      );
      return (name: string) => valueIn(families, "batuta_scrape_complete", { source: name });
    };

    const common = await answer(
      source("tasks", 1),
      source("agents", 2),
      source("objectives", 4, 20),
    );
    expect([common("tenants"), common("tasks"), common("objectives")]).toEqual([1, 1, 0]);
    expect(statements).toBe(200 * 3 + 20 * 4);
    const large = await answer(source("tasks", 3), source("agents", 5));
    expect([large("tenants"), large("agents")]).toEqual([0, 1]);
    expect(statements).toBeLessThan(960);
  });

  it("says when there are more tenants than it asks", async () => {
    const tenants = Array.from({ length: 250 }, (_, index) => `t${index}`);
    const parts = partsOf({ tenants: async () => ({ tenants, isComplete: true }) });

    const families = readPrometheus(await scrapeAll(parts));

    expect(families.get(REQUESTS)?.samples).toHaveLength(201);
    expect(valueIn(families, "batuta_scrape_complete", { source: "tenants" })).toBe(0);
  });
});

describe("what holds at the moment", () => {
  it("is executors by state, their slots, and how long the oldest task has waited", async () => {
    const now = Date.parse("2026-11-22T10:01:30.000Z");
    const sources = [
      agentSource(async () => ({
        items: [agent("online", 3), agent("online", 1), agent("stale", 0)],
        next_cursor: null,
      })),
      queueSource(
        async () => ({
          waiting: 7,
          oldest_created_at: "2026-11-22T10:00:00.000Z",
          isComplete: true,
        }),
        () => now,
      ),
      taskSource(async () => [
        { metric: "batuta_tasks_total", labels: { status: "completed", task_type: "a" }, value: 5 },
      ]),
    ];

    const families = readPrometheus(await scrapeTenant(partsOf({ sources }), "acme"));

    expect(valueIn(families, "batuta_agents", { state: "online" })).toBe(2);
    expect(valueIn(families, "batuta_agents", { state: "draining" })).toBe(0);
    expect(valueIn(families, "batuta_slots")).toBe(12);
    expect(valueIn(families, "batuta_slots_in_use")).toBe(4);
    expect(valueIn(families, "batuta_queue_oldest_age_seconds")).toBe(90);
    expect(valueIn(families, "batuta_tasks_waiting")).toBe(7);
    const labels = { status: "completed", task_type: "a" };
    expect(valueIn(families, "batuta_tasks_total", labels)).toBe(5);
  });

  it.each([
    [1_000, "2026-11-22T10:00:00.000Z", 1_000],
    [0, null, undefined],
  ])("says that the queue was cut off after %i tasks", async (waiting, oldest, shown) => {
    const sources = [
      queueSource(
        async () => ({ waiting, oldest_created_at: oldest, isComplete: false }),
        () => Date.parse("2026-11-22T10:01:30.000Z"),
      ),
    ];

    const families = readPrometheus(await scrapeTenant(partsOf({ sources }), "acme"));

    expect(valueIn(families, "batuta_scrape_complete", { source: "queue" })).toBe(0);
    expect(valueIn(families, "batuta_tasks_waiting")).toBe(shown);
  });

  it("stops at a thousand executors, and says so", async () => {
    const items = Array.from({ length: 200 }, () => agent("online", 1));
    const sources = [agentSource(async () => ({ items, next_cursor: "more" }))];

    const families = readPrometheus(await scrapeTenant(partsOf({ sources }), "acme"));

    expect(valueIn(families, "batuta_agents", { state: "online" })).toBe(1_000);
    expect(valueIn(families, "batuta_scrape_complete", { source: "agents" })).toBe(0);
  });
});
