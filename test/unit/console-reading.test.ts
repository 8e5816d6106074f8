import { describe, expect, it } from "vitest";

import { overview } from "../../src/console/api/overview.ts";
import { problemOf } from "../../src/console/api/problem.ts";
import { task, trace } from "../../src/console/api/tasks.ts";
import { reconnectDelayMs, retryAfterMs } from "../../src/console/lib/backoff.ts";
import { keyIn } from "../../src/console/lib/key-text.ts";
import { parseRoute, routeTo } from "../../src/console/lib/route.ts";
import { list, maybe, number, object, pageOf, table, text } from "../../src/console/lib/shape.ts";
import { eventParser } from "../../src/console/lib/sse.ts";
import { createStore } from "../../src/console/lib/store.ts";

describe("shapes", () => {
  const shape = object({ id: text, size: maybe(number), tags: list(text), parts: table(number) });

  it("read what is there and leave out what nobody asked for", () => {
    expect(shape({ id: "a", size: 2, tags: ["x", 3], parts: { b: 1 }, more: true })).toEqual({
      id: "a",
      size: 2,
      tags: ["x", "3"],
      parts: { b: 1 },
    });
  });

  it.each([null, undefined, 7, "text", [], { id: {}, size: "2", tags: "no", parts: [] }])(
    "make nothing of %j, and do not fail",
    (odd) => {
      expect(shape(odd)).toMatchObject({ id: "", tags: [], parts: {} });
    },
  );

  it("read answers of any server without failing", () => {
    expect(task({}).usage).toEqual({ cost_usd: 0, tokens: 0, duration_s: 0 });
    expect(overview({ series: [{ points: [[60, null], "odd"] }] }).series[0]?.points).toEqual([
      [60, null],
      [0, null],
    ]);
    expect(trace(null).spans).toEqual([]);
    expect(pageOf(text)({ items: ["a"], next_cursor: "c" })).toEqual({
      items: ["a"],
      next_cursor: "c",
    });
  });
});

describe("a refusal", () => {
  it("keeps the server's words and the id to quote", () => {
    const body = { title: "No", code: "task_ended", detail: "It has ended", request_id: "r1" };

    expect(problemOf(409, "other", body)).toMatchObject({ ...body, status: 409, errors: [] });
  });

  it("has words even when what stands between answers in a form of its own", () => {
    expect(problemOf(502, "r2", null)).toMatchObject({
      code: "http_502",
      detail: "HTTP 502",
      request_id: "r2",
    });
  });
});

describe("the address", () => {
  it.each([
    ["", "overview", null, {}],
    ["#/", "overview", null, {}],
    ["#/tasks", "tasks", null, {}],
    ["#/tasks/a%2Fb?view=trace&x=", "tasks", "a/b", { view: "trace", x: "" }],
    ["#/tasks/50%", "tasks", "50%", {}],
  ])("%j is a route", (hash, page, id, query) => {
    expect(parseRoute(hash)).toEqual({ page, id, query });
  });

  it("comes back as it was put in, whatever is in an id", () => {
    const id = "<a href='x'>?#/%&";

    expect(parseRoute(routeTo("tasks", id, { tag: "a&b", status: "" }))).toEqual({
      page: "tasks",
      id,
      query: { tag: "a&b" },
    });
  });
});

describe("a pasted key", () => {
  it.each([
    ["  bk_a-1 ", "bk_a-1"],
    ['BATUTA_ADMIN_KEY="bk_a"\n', "bk_a"],
    ["export KEY='bk_a'", "bk_a"],
    ["KEY=bk_a=", "bk_a="],
    ["Authorization: Bearer bk_a", "bk_a"],
    ["eyJhbGciOi.J9.x_y", "eyJhbGciOi.J9.x_y"],
    ["", ""],
  ])("is found in %j", (pasted, key) => {
    expect(keyIn(pasted)).toBe(key);
  });
});

describe("a stream of events", () => {
  const STREAM =
    ': open\n\nid: 1\nevent: task_started\ndata: {"a":\ndata: 1}\n\ndata: x\r\n\r\nid: 2\nretry: 5\ndata:y\n\nevent: none\n\n';
  const EVENTS = [
    { id: "1", event: "task_started", data: '{"a":\n1}' },
    { id: "1", event: "message", data: "x" },
    { id: "2", event: "message", data: "y" },
  ];

  it.each([1, 2, 3, 7, 1_000])("is read in pieces of %d characters", (size) => {
    const parse = eventParser();
    const pieces = STREAM.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];

    expect(pieces.flatMap(parse)).toEqual(EVENTS);
  });

  it("is given up when a line never ends", () => {
    const parse = eventParser();

    expect(() => {
      for (let piece = 0; piece < 6; piece += 1) parse("x".repeat(1_000_000));
    }).toThrow("no end");
  });
});

describe("patience", () => {
  it("doubles up to half a minute, and half of it is drawn", () => {
    expect([1, 2, 3, 6, 50].map((failures) => reconnectDelayMs(failures, 1))).toEqual([
      1_000, 2_000, 4_000, 30_000, 30_000,
    ]);
    expect(reconnectDelayMs(1, 0)).toBe(500);
  });

  it.each([
    ["7", 7_000],
    ["0", 500],
    ["99999", 120_000],
    [null, 2_000],
    ["soon", 2_000],
    ["Thu, 26 Nov 2026 10:00:05 GMT", 5_000],
  ])("does as Retry-After %j says", (header, ms) => {
    expect(retryAfterMs(header, Date.UTC(2026, 10, 26, 10))).toBe(ms);
  });
});

describe("a store", () => {
  it("tells those who listen, of changes alone, as long as they do", () => {
    const store = createStore(1);
    const heard: number[] = [];
    const stop = store.subscribe(() => heard.push(store.get()));

    store.set(1);
    store.set(2);
    stop();
    store.set(3);

    expect(heard).toEqual([2]);
  });
});
