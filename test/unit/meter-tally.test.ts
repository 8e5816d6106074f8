import { describe, expect, it } from "vitest";

import { shareOut } from "../../src/observe/meter/share.ts";
import { seriesKey, seriesOf, timed } from "../../src/observe/meter/tally.ts";

const REQUESTS = "batuta_http_requests_total";
const GET = seriesKey(REQUESTS, ["/v1/tasks", "GET", "2xx"]);

describe("a series key", () => {
  it("is read back as metric and labels", () => {
    expect(seriesOf(GET)).toEqual({
      metric: REQUESTS,
      labels: { route: "/v1/tasks", method: "GET", status_class: "2xx" },
    });
    expect(seriesOf(seriesKey("batuta_deliveries_total", ["a b\n"]))?.labels).toEqual({
      outcome: "a_b_",
    });
    expect([seriesOf("batuta_unknown_total"), seriesOf(`${GET} more`)]).toEqual([null, null]);
  });
});

describe("a duration", () => {
  it.each([
    [0, 0],
    [50, 0],
    [51, 1],
    [100, 1],
    [101, 2],
    [-5, 0],
  ])("of %i ms is in bucket %i", (ms, bucket) => {
    const [sum, ...counts] = timed([0.05, 0.1], ms);

    expect(sum).toBe(Math.max(0, ms));
    expect(counts.indexOf(1)).toBe(bucket);
  });
});

describe("rows that nobody tells whose they are", () => {
  it("are shared out whole, and none is lost", () => {
    const shares = shareOut(
      10,
      new Map([
        ["a", 1],
        ["b", 1],
        ["c", 1],
      ]),
    );

    expect([...shares.values()].toSorted((a, b) => a - b)).toEqual([3, 3, 4]);
    expect(shareOut(7, new Map([["a", 3]]))).toEqual(new Map([["a", 7]]));
  });
});
