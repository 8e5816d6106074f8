import { describe, expect, it } from "vitest";

import { MeterBook } from "../../src/observe/meter/meter-book.ts";
import { isFineEnough, quantile, seriesFrom } from "../../src/observe/meter/show/series.ts";
import { seriesKey, timed } from "../../src/observe/meter/tally.ts";
import { MeterUpkeep } from "../../src/observe/meter/upkeep.ts";

const START = Date.parse("2026-11-22T10:00:00.000Z");
const ROWS = seriesKey("batuta_rows_written_total", ["history"]);

function newUpkeep() {
  let now = START;
  const world = {
    isDown: false,
    stored: [] as string[],
    written: [] as number[],
    folds: [] as string[],
    lines: [] as string[],
    pass: (ms: number) => (now += ms),
    hanging: Promise.resolve(),
    /** Has D1 hang until it is let go. */
    hang() {
      const { promise, resolve } = Promise.withResolvers<void>();
      world.hanging = promise;
      return { resolve };
    },
  };
  const book = new MeterBook(null);
  const reach = () => {
    if (world.isDown) throw new Error("D1 is down");
  };
  const upkeep = new MeterUpkeep({
    book,
    now: () => now,
    log: (_level, event) => world.lines.push(event),
    store: (text) => world.stored.push(text),
    writeMinutes: async (minutes) => {
      reach();
      await world.hanging;
      world.written.push(...minutes.map(({ bucket }) => bucket - START / 1_000));
    },
    fold: async ({ from, to }) => {
      reach();
      world.folds.push(`${from}-${to}`);
      // The first portion is never all.
      return world.folds.filter((fold) => fold === `${from}-${to}`).length % 2 === 0;
    },
  });
  let number = 0;
  const count = () => {
    number += 1;
    book.add({ source: "one", number, tally: { [ROWS]: [1] } }, now);
    upkeep.noted();
  };
  return { ...world, world, book, upkeep, count };
}

describe("the upkeep of a tenant's figures", () => {
  it("stores what was told although D1 is down, and gives D1 the minutes once it is back", async () => {
    const { world, upkeep, count } = newUpkeep();
    count();
    world.isDown = true;
    world.pass(60_000);
    await upkeep.tend();

    expect(world.stored).toHaveLength(1);
    expect(world.lines).toEqual(["meter_upkeep_failed"]);
    world.pass(10_000);
    await upkeep.tend();
    expect(upkeep.next()).toBe(START + 120_000);
    world.isDown = false;
    world.pass(50_000);
    await upkeep.tend();

    expect(world.written).toEqual([0]);
  });

  it("stores every ten seconds while D1 is down, and asks it once a minute", async () => {
    const { world, upkeep, count } = newUpkeep();
    world.isDown = true;
    count();
    const waits: number[] = [];
    for (let alarm = 0; alarm < 30; alarm += 1) {
      const wait = (upkeep.next() ?? 0) - world.pass(0);
      waits.push(wait);
      world.pass(wait);
      // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
      await upkeep.tend();
      count();
    }

    expect(new Set(waits)).toEqual(new Set([10_000]));
    expect(world.stored).toHaveLength(30);
    // From the end of the first minute on.
    expect(world.lines).toHaveLength(5);
  });

  it("stores what is told while D1 hangs", async () => {
    const { world, upkeep, count } = newUpkeep();
    count();
    world.pass(60_000);
    const hanging = world.hang();
    const tending = upkeep.tend();
    expect(world.stored).toHaveLength(1);
    for (let second = 0; second < 30; second += 1) {
      count();
      world.pass(1_000);
    }
    expect(world.stored).toHaveLength(3);
    hanging.resolve();
    await tending;

    expect(upkeep.next()).toBeLessThanOrEqual(world.pass(0) + 10_000);
  });

  it("stores once a minute that D1 was given where nothing else came", async () => {
    const { world, upkeep, count } = newUpkeep();
    count();
    world.pass(10_000);
    await upkeep.tend();
    world.pass(50_000);
    await upkeep.tend();

    expect([world.stored.length, world.written]).toEqual([2, [0]]);
  });

  it("shows figures although D1 can't be told of the tenant", async () => {
    const { world, upkeep, book, count } = newUpkeep();
    count();
    world.isDown = true;

    await upkeep.introduce();

    expect(book.isUnknown).toBe(true);
    expect(world.lines).toEqual(["meter_not_introduced"]);
  });

  it("folds portion by portion, and not again within the hour", async () => {
    const { world, upkeep, count } = newUpkeep();
    count();
    world.pass(60_000);
    await upkeep.tend();
    await upkeep.tend();

    expect(world.folds).toEqual(["60-3600", "60-3600", "3600-86400", "3600-86400"]);
  });

  it("has nothing to do before something was told", async () => {
    const { world, upkeep } = newUpkeep();

    await upkeep.tend();
    await upkeep.introduce();

    expect([world.stored, world.written, world.folds, upkeep.next()]).toEqual([[], [], [], null]);
  });
});

describe("a percentile from buckets", () => {
  it.each([
    ["nothing", [0, 0, 0], 0.5, null],
    ["the first bucket", [4, 0, 0], 0.5, 0.5],
    ["the second bucket", [1, 3, 0], 0.5, 1 + 1 / 3],
    ["beyond the last bound", [1, 0, 9], 0.95, 2],
    ["an empty bucket between", [1, 0, 0], 0.99, 0.99],
  ])("of %s is in its place", (_, counts, share, expected) => {
    expect(quantile([1, 2], counts, share)).toEqual(expected);
  });
});

describe("series", () => {
  const minute = (bucket: number, count: number) => ({
    step: 60,
    bucket,
    tally: { [ROWS]: [count] },
  });

  it("add minutes up to longer steps, and say nothing of what is kept in hours only", () => {
    const kept = [
      { step: 3_600, bucket: 0, tally: { [ROWS]: [100] } },
      minute(3_600, 1),
      minute(3_660, 2),
      minute(3_900, 4),
    ];
    const points = (from: number, to: number, step_s: number) =>
      seriesFrom(kept, { metrics: ["rows_written"], from, to, step_s })[0]?.points;

    expect(points(3_300, 4_200, 300)).toEqual([
      [3_300, null],
      [3_600, 3],
      [3_900, 4],
    ]);
    expect(points(0, 7_200, 3_600)).toEqual([
      [0, 100],
      [3_600, 7],
    ]);
    const isFine = (from: number, to: number, step_s: number) =>
      isFineEnough(kept, { metrics: ["rows_written"], from, to, step_s });
    expect([isFine(3_300, 4_200, 300), isFine(3_600, 4_200, 300), isFine(0, 7_200, 3_600)]).toEqual(
      [false, true, true],
    );
  });

  it("have one line for each label, and none for what is not of this room", () => {
    const tally = {
      [seriesKey("batuta_http_requests_total", ["/a", "GET", "2xx"])]: [1],
      [seriesKey("batuta_http_requests_total", ["/b", "GET", "2xx"])]: [2],
      [seriesKey("batuta_http_requests_total", ["/b", "GET", "5xx"])]: [4],
      [seriesKey("batuta_http_request_duration_seconds", ["/a", "GET"])]: timed([0.005], 2),
    };

    const series = seriesFrom([{ step: 60, bucket: 0, tally }], {
      metrics: ["http_requests", "cost_usd"],
      from: 0,
      to: 60,
      step_s: 60,
    });

    expect(series.map(({ labels, points }) => [labels, points])).toEqual([
      [{ status_class: "2xx" }, [[0, 3]]],
      [{ status_class: "5xx" }, [[0, 4]]],
    ]);
  });
});
