import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { meterName } from "../../src/observe/meter/meter-door.ts";
import type { MeterObject } from "../../src/observe/meter/meter-object.ts";
import {
  foldSteps,
  readCounts,
  readMeterTenants,
  readSteps,
} from "../../src/observe/meter/minute-store.ts";
import { readMeterSeries } from "../../src/observe/meter/show/series-store.ts";
import { seriesKey, timed, type Tally } from "../../src/observe/meter/tally.ts";
import { fullScans, planOf, recordingDb, rollUpSearches } from "./recording-db.ts";

/** So far ahead that no alarm fires unless the test runs it; a day begins. */
const START = Date.parse("2099-01-01T00:00:00.000Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const DELIVERED = seriesKey("batuta_deliveries_total", ["delivered"]);
const LATENCY = "batuta_delivery_latency_seconds";

/** The object of a tenant whose clock the test sets. */
async function newMeter(tenant: string) {
  const stub = env.METER.getByName(meterName(tenant));
  let now = START;
  let number = 0;
  const attend = () =>
    runInDurableObject(stub, (instance: MeterObject) => {
      instance.now = () => now;
    });
  await attend();
  return {
    tell: (tally: Tally, source = "one", again = 0) => {
      number += 1 - again;
      return stub.tell(JSON.stringify({ source, number, tally }));
    },
    count: (count: number) => {
      number += 1;
      const tally = { [DELIVERED]: [count] };
      return stub.tell(JSON.stringify({ source: "one", number, tally }));
    },
    totals: async (): Promise<Tally> => JSON.parse(await stub.read()),
    at: (ms: number) => {
      now = START + ms;
    },
    alarm: () => runDurableObjectAlarm(stub),
    alarmAt: async () => {
      const at = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
      return at === null ? null : at - START;
    },
    evict: async () => {
      await evictDurableObject(stub);
      await attend();
    },
    steps: (from = 0, to = 200 * DAY) =>
      readSteps(env.DB, tenant, { from: (START + from) / 1_000, to: (START + to) / 1_000 }),
  };
}

describe("the object of a tenant's figures", () => {
  it("loses nothing that was shown when it is evicted", async () => {
    const meter = await newMeter("evicted");
    await meter.count(3);
    const shown = await meter.totals();
    await meter.count(4);
    await meter.evict();

    const after = await meter.totals();

    expect(shown).toEqual({ [DELIVERED]: [3] });
    expect(after).toEqual(shown);
    await meter.count(5);
    expect(await meter.totals()).toEqual({ [DELIVERED]: [8] });
  });

  it("stores what nobody has asked for within ten seconds", async () => {
    const meter = await newMeter("stored");
    await meter.count(3);
    await meter.count(1);

    expect(await meter.alarmAt()).toBe(10_000);
    meter.at(10_000);
    await meter.alarm();
    await meter.evict();

    expect(await meter.totals()).toEqual({ [DELIVERED]: [4] });
  });

  it("counts once what is told again, also after it was evicted", async () => {
    const meter = await newMeter("again");
    await meter.tell({ [DELIVERED]: [3] });
    await meter.tell({ [DELIVERED]: [3] }, "one", 1);
    await meter.totals();
    await meter.evict();

    await meter.tell({ [DELIVERED]: [3] }, "one", 1);
    await meter.tell({ [DELIVERED]: [2] }, "two", 1);

    expect(await meter.totals()).toEqual({ [DELIVERED]: [5] });
  });

  it("gives D1 one row for each minute in which something was told", async () => {
    const meter = await newMeter("minutes");
    await meter.count(1);
    meter.at(30_000);
    await meter.count(2);
    meter.at(60_000);
    await meter.count(4);
    await meter.alarm();
    meter.at(120_000);
    await meter.alarm();
    meter.at(600_000);
    await meter.alarm();

    const minute = START / 1_000;
    expect(await meter.steps()).toEqual([
      { step: 60, bucket: minute, tally: { [DELIVERED]: [3] } },
      { step: 60, bucket: minute + 60, tally: { [DELIVERED]: [4] } },
    ]);
  });

  it("folds minutes into hours after three hours, and hours into days after 90 days", async () => {
    const meter = await newMeter("folded");
    const latency = timed([0.05], 20);
    for (const at of [0, MINUTE, 59 * MINUTE, HOUR, 25 * HOUR]) {
      meter.at(at);
      await meter.alarm();
      await meter.count(1);
      await meter.tell({ [LATENCY]: latency });
    }
    meter.at(25 * HOUR + MINUTE);
    await meter.alarm();

    const figures = (count: number) => ({
      [DELIVERED]: [count],
      [LATENCY]: latency.map((figure) => figure * count),
    });
    const hour = START / 1_000;
    expect(await meter.steps()).toEqual([
      { step: 60, bucket: hour + 25 * 3_600, tally: figures(1) },
      { step: 3_600, bucket: hour, tally: figures(3) },
      { step: 3_600, bucket: hour + 3_600, tally: figures(1) },
    ]);
    // That D1 has them is stored with what comes next.
    expect(await meter.alarmAt()).toBe(25 * HOUR + MINUTE + 10_000);
    meter.at(25 * HOUR + MINUTE + 10_000);
    await meter.alarm();
    expect(await meter.alarmAt()).toBe(29 * HOUR);
    meter.at(29 * HOUR);
    await meter.alarm();
    expect(await meter.alarmAt()).toBe(92 * DAY);
    meter.at(92 * DAY);
    await meter.alarm();
    expect(await meter.steps()).toEqual([
      { step: 86_400, bucket: hour, tally: figures(4) },
      { step: 86_400, bucket: hour + 86_400, tally: figures(1) },
    ]);
    expect(await meter.alarmAt()).toBeNull();
    expect((await meter.totals())[DELIVERED]).toEqual([5]);
  });

  it("is known by its first answer, and an object without figures is not", async () => {
    const [meter, empty] = [await newMeter("known-at-once"), await newMeter("nothing")];
    await meter.count(1);
    await meter.totals();
    await empty.totals();

    const { tenants } = await readMeterTenants(env.DB, 1_000);

    expect(tenants).toContain("known-at-once");
    expect(tenants).not.toContain("nothing");
  });
});

describe("the series of technical figures", () => {
  it("are of equal steps, exact, with percentiles from the buckets", async () => {
    const meter = await newMeter("series");
    for (const at of [0, 2 * MINUTE]) {
      meter.at(at);
      await meter.alarm();
      await meter.count(at === 0 ? 2 : 6);
      await meter.tell({ [LATENCY]: timed([0.05, 0.1, 0.25], 100) });
    }
    meter.at(4 * MINUTE);
    await meter.alarm();
    const from = START / 1_000;

    const { series, isComplete } = await readMeterSeries(env.DB, "series", {
      metrics: ["deliveries", "delivery_latency", "http_requests", "tasks_created"],
      from,
      to: from + 180,
      step_s: 60,
    });

    expect(isComplete).toBe(true);
    expect(series[0]).toEqual({
      metric: "deliveries",
      stat: "sum",
      labels: { outcome: "delivered" },
      points: [
        [from, 2],
        [from + 60, 0],
        [from + 120, 6],
      ],
    });
    expect(
      series.slice(1).map(({ metric, stat, points }) => [metric, stat, points[0]?.[1]]),
    ).toEqual([
      ["delivery_latency", "mean", 0.1],
      ["delivery_latency", "p50", expect.closeTo(0.075, 10)],
      ["delivery_latency", "p95", expect.closeTo(0.0975, 10)],
      ["delivery_latency", "p99", expect.closeTo(0.0995, 10)],
    ]);
    expect(series[1]?.points[1]).toEqual([from + 60, null]);
  });

  it("and the tenants are found by the key alone, without a scan", async () => {
    const recording = recordingDb(env.DB);
    const query = { metrics: ["deliveries"] as const, from: 0, to: 60, step_s: 60 };
    await readMeterSeries(recording.db, "series", query);
    await readMeterTenants(recording.db, 10);
    await foldSteps(recording.db, "series", { from: 60, to: 3_600, before: 1 });
    await readCounts(recording.db, "series", {
      metrics: ["batuta_deliveries_total"],
      from: 0,
      to: 60,
    });

    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));

    expect(plans.length).toBeGreaterThanOrEqual(5);
    expect(plans.flatMap(fullScans)).toEqual([]);
    expect(plans.flat().filter((line) => line.includes("meter_minute"))).not.toEqual([]);
    // Three lengths of step, and the sums: each begins where it is asked to.
    const readings = [...plans.slice(0, 3), ...plans.slice(-1)].flatMap(rollUpSearches);
    expect(readings.filter((line) => /bucket>/.test(line))).toHaveLength(4);
  });

  it("are added up by D1 over weeks: what was counted in them, and nothing else", async () => {
    const step = (length: number, bucket: number, delivered: number) => ({
      step: length,
      bucket,
      tally: {
        "batuta_deliveries_total delivered": [delivered],
        "batuta_deliveries_total exhausted": [1],
        batuta_delivery_latency_seconds: [9_000, 20],
        "batuta_http_requests_total /v1/tasks GET 2xx": [7],
        "batuta_http_requests_total - - 5xx": [2],
      },
    });
    const steps = [step(86_400, 0, 1), step(3_600, 86_400, 10), step(60, 90_000, 100)];
    const insert = env.DB.prepare("INSERT INTO meter_minute VALUES ('counted', ?, ?, ?)");
    await env.DB.batch(
      steps.map((of) => insert.bind(of.step, of.bucket, JSON.stringify(of.tally))),
    );
    const metrics = ["batuta_deliveries_total", "batuta_http_requests_total"] as const;

    expect(await readCounts(env.DB, "counted", { metrics, from: 86_400, to: 90_060 })).toEqual({
      "batuta_deliveries_total delivered": [110],
      "batuta_deliveries_total exhausted": [2],
      "batuta_http_requests_total /v1/tasks GET 2xx": [14],
      "batuta_http_requests_total - - 5xx": [4],
    });
    expect(await readCounts(env.DB, "counted", { metrics, from: 90_060, to: 99_999 })).toEqual({});
  });
});
