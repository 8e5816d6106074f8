import { describe, expect, it } from "vitest";

import { Accumulator } from "../../src/observe/meter/accumulator.ts";
import { MeterBook, storedBookSchema } from "../../src/observe/meter/meter-book.ts";
import { meterName, tellCallSchema } from "../../src/observe/meter/meter-door.ts";
import { MAX_SERIES, seriesKey } from "../../src/observe/meter/tally.ts";

const START = Date.parse("2026-11-22T10:00:00.000Z");
const REQUESTS = "batuta_http_requests_total";
const GET = seriesKey(REQUESTS, ["/v1/tasks", "GET", "2xx"]);
/** The same as minutes have it: of any route and method. */
const ANY = seriesKey(REQUESTS, ["", "", "2xx"]);
const ROWS = seriesKey("batuta_rows_written_total", ["history"]);

/** A tenant's books, and isolates that tell them. */
function newWorld() {
  let now = START;
  const books = new Map<string, MeterBook>();
  const bookOf = (tenant: string) => {
    const book = books.get(tenant) ?? new MeterBook(null);
    books.set(tenant, book);
    return book;
  };
  const faults: ("before" | "after")[] = [];
  const lines: string[] = [];
  let held: Promise<void> | null = null;
  /** Has the next call wait before it is heard. */
  const hold = () => {
    const holding = Promise.withResolvers<void>();
    held = holding.promise;
    return holding;
  };
  const isolate = (source: string, pause: () => Promise<void> | null = () => null) =>
    new Accumulator({
      now: () => now,
      log: (_level, event) => lines.push(event),
      source,
      pause,
      door: (tenant) => ({
        async tell(call) {
          const waiting = held;
          held = null;
          await waiting;
          const fault = faults.shift();
          if (fault === "before") throw new Error("not reached");
          bookOf(tenant).add(tellCallSchema.parse(JSON.parse(call)), now);
          if (fault === "after") throw new Error("reached, and the answer lost");
        },
      }),
    });
  return { bookOf, isolate, faults, hold, lines, pass: (ms: number) => (now += ms) };
}

const countOne = (isolate: Accumulator, tenant = "acme") =>
  isolate.count(tenant, REQUESTS, ["/v1/tasks", "GET", "2xx"]);

describe("the figures of isolates", () => {
  it("add up: two isolates sum", async () => {
    const { bookOf, isolate } = newWorld();
    const [one, two] = [isolate("one"), isolate("two")];
    for (let count = 0; count < 3; count += 1) countOne(one);
    for (let count = 0; count < 4; count += 1) countOne(two);
    two.time("acme", "batuta_delivery_latency_seconds", [], 60);

    await Promise.all([one.flush(), two.flush()]);
    countOne(one);
    await one.flush();

    expect(bookOf("acme").totals[GET]).toEqual([8]);
    const latency = bookOf("acme").totals["batuta_delivery_latency_seconds"];
    expect(latency?.slice(0, 4)).toEqual([60, 0, 1, 0]);
  });

  it.each(["before", "after"] as const)(
    "count once when a call fails %s it was heard, and is made again",
    async (fault) => {
      const { bookOf, isolate, faults, lines } = newWorld();
      const one = isolate("one");
      countOne(one);
      faults.push(fault);

      await one.flush();
      expect([bookOf("acme").totals[GET], lines]).toEqual([[1], []]);
      countOne(one);
      faults.push(fault, fault);
      await one.flush();
      countOne(one);
      await one.flush();

      expect(bookOf("acme").totals[GET]).toEqual([3]);
      expect(lines).toEqual(["meter_unavailable"]);
    },
  );

  it("that come while others are told are told by whoever is at it, and only if somebody asked", async () => {
    const { bookOf, isolate, hold } = newWorld();
    const one = isolate("one");
    countOne(one);
    const held = hold();
    const first = one.flush("acme");
    countOne(one);
    await one.flush("acme");
    held.resolve();
    await first;

    expect(bookOf("acme").totals[GET]).toEqual([2]);
    const again = hold();
    countOne(one);
    const second = one.flush("acme");
    countOne(one);
    again.resolve();
    await second;

    expect(bookOf("acme").totals[GET]).toEqual([3]);
  });

  it("are told by others when whoever was at it has died, and count once should it not have", async () => {
    const { bookOf, isolate, hold, pass } = newWorld();
    const one = isolate("one");
    countOne(one);
    const held = hold();
    const first = one.flush();
    countOne(one);
    pass(30_000);
    countOne(one);

    await one.flush();
    expect(bookOf("acme").totals[GET]).toEqual([3]);
    held.resolve();
    await first;

    expect(bookOf("acme").totals[GET]).toEqual([3]);
  });

  it("keep tenants apart", async () => {
    const { bookOf, isolate } = newWorld();
    const one = isolate("one");
    countOne(one, "acme");
    countOne(one, "");
    countOne(one, "");

    await one.flush("acme");
    expect(bookOf("").totals).toEqual({});
    await one.flush();

    expect([bookOf("acme").totals[GET], bookOf("").totals[GET]]).toEqual([[1], [2]]);
  });

  it("are told once for all that comes within the pause", async () => {
    const { bookOf, isolate, pass } = newWorld();
    const pause = Promise.withResolvers<void>();
    const one = isolate("one", () => pause.promise);
    countOne(one);
    const first = one.flushSoon();
    countOne(one);
    const second = one.flushSoon();

    pause.resolve();
    await first;

    expect(second).toBeNull();
    expect(bookOf("acme").totals[GET]).toEqual([2]);
    pass(1);
    expect(one.flushSoon()).not.toBeNull();
  });

  it("are told by another request when the one that was to tell them has died", () => {
    const { isolate, pass } = newWorld();
    const one = isolate("one", () => new Promise(() => {}));
    countOne(one);
    void one.flushSoon();

    pass(30_000);

    expect(one.flushSoon()).not.toBeNull();
  });

  it("have a bound: what is more is counted under other, and nothing is lost", async () => {
    const { bookOf, isolate } = newWorld();
    const one = isolate("one");
    for (let count = 0; count < MAX_SERIES + 500; count += 1) {
      one.count("acme", REQUESTS, [`/v1/${count}`, "GET", "2xx"]);
    }
    for (let count = 0; count < 600; count += 1) countOne(one, `tenant-${count}`);

    await one.flush();

    const { totals } = bookOf("acme");
    const sum = Object.values(totals).reduce((all, [count = 0]) => all + count, 0);
    expect(Object.keys(totals)).toHaveLength(MAX_SERIES + 1);
    expect(totals[seriesKey(REQUESTS, ["other", "other", "other"])]).toEqual([500]);
    expect(sum).toBe(MAX_SERIES + 500);
    expect(one.tenants.length).toBeLessThanOrEqual(501);
  });

  it("go on when a tenant that was idle is forgotten and comes again", async () => {
    const { bookOf, isolate } = newWorld();
    const one = isolate("one");
    countOne(one);
    await one.flush();
    for (let count = 0; count < 600; count += 1) {
      countOne(one, `tenant-${count}`);
      if (count % 100 === 99) await one.flush();
    }

    countOne(one);
    await one.flush();

    expect(bookOf("acme").totals[GET]).toEqual([2]);
  });
});

describe("the book of a tenant", () => {
  const call = (number: number, count = 1) => ({
    source: "one",
    number,
    tally: { [GET]: [count] },
  });

  it("has minutes by when they were told, and gives each until it is taken", () => {
    const book = new MeterBook(null);
    book.add(call(1), START + 1_000);
    book.add(call(2), START + 59_999);
    book.add(call(3), START + 60_000);

    const due = book.due(START + 60_000);
    book.given(due);

    expect(due).toEqual([{ bucket: START / 1_000, tally: { [ANY]: [2] } }]);
    expect(book.due(START + 60_000)).toEqual([]);
    expect(book.totals[GET]).toEqual([3]);
  });

  it("is the same after it was stored and read again, sources included", () => {
    const book = new MeterBook(null);
    book.add(call(1), START);
    const again = new MeterBook(storedBookSchema.parse(JSON.parse(book.stored())));

    again.add(call(1), START);
    again.add(call(2), START);

    expect(book.isChanged).toBe(false);
    expect(again.totals[GET]).toEqual([2]);
    expect(again.due(START + 60_000)).toEqual([{ bucket: START / 1_000, tally: { [ANY]: [2] } }]);
  });

  it("knows routes in its totals alone: however many a tenant uses, a minute is as short", () => {
    const book = new MeterBook(null);
    const routes = Array.from({ length: 100 }, (_, index) => `/v1/route/${index}`);
    const tally = Object.fromEntries(
      routes.flatMap((route) => [
        [seriesKey(REQUESTS, [route, "GET", "2xx"]), [1]],
        [seriesKey(REQUESTS, [route, "GET", "5xx"]), [2]],
      ]),
    );

    book.add({ source: "one", number: 1, tally }, START);
    book.add({ source: "one", number: 2, tally: { [ROWS]: [3] } }, START);

    expect(Object.keys(book.totals)).toHaveLength(201);
    expect(book.present(START).tally).toEqual({
      [ANY]: [100],
      [seriesKey(REQUESTS, ["", "", "5xx"])]: [200],
      [ROWS]: [3],
    });
  });

  it("keeps an hour of minutes that D1 does not take, and puts older ones together", () => {
    const book = new MeterBook(null);
    for (let minute = 0; minute < 100; minute += 1) {
      book.add(call(minute + 1), START + minute * 60_000);
    }

    const due = book.due(START + 100 * 60_000);

    expect(due).toHaveLength(60);
    expect(due[0]).toEqual({ bucket: START / 1_000, tally: { [ANY]: [41] } });
  });
});

it("names the object of a tenant, and that of the installation", () => {
  expect([meterName("acme"), meterName("")]).toEqual(["tenant/acme", "tenant/"]);
});
