import { describe, expect, it } from "vitest";

import { readPrometheus, valueIn } from "../prometheus-text.ts";

const HEAD = "# HELP m help\n# TYPE m";

describe("the strict reader of the Prometheus text format", () => {
  it("reads what the specification shows", () => {
    const families = readPrometheus(
      [
        "# HELP http_requests_total The total number of HTTP requests.",
        "# TYPE http_requests_total counter",
        'http_requests_total{method="post",code="200"} 1027 1395066363000',
        'http_requests_total{method="post",code="400"}    3'.replace(/ +/g, " "),
        "# HELP escaped a \\\\ and a \\n",
        "# TYPE escaped gauge",
        String.raw`escaped{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9`,
        "# HELP h A histogram",
        "# TYPE h histogram",
        'h_bucket{le="0.05"} 24054',
        'h_bucket{le="+Inf"} 144320',
        "h_sum 53423",
        "h_count 144320",
        "",
      ].join("\n"),
    );

    expect(valueIn(families, "http_requests_total", { code: "400", method: "post" })).toBe(3);
    expect(valueIn(families, "h_bucket", { le: "0.05" })).toBe(24_054);
    expect(families.get("escaped")?.samples[0]?.labels).toEqual({
      path: String.raw`C:\DIR\FILE.TXT`,
      error: 'Cannot find file:\n"FILE.TXT"',
    });
  });

  it.each([
    ["no line feed at the end", "line feed", `${HEAD} gauge\nm 1`],
    ["a sample without its type", "stands apart", "# HELP m help\nm 1\n"],
    ["a sample of another metric in between", "stands apart", `${HEAD} gauge\nn 1\n`],
    [
      "a metric in two places",
      "a second HELP",
      `${HEAD} gauge\nm 1\n# HELP n h\n# TYPE n gauge\nn 1\n${HEAD} gauge\n`,
    ],
    ["a series twice", "a second value", `${HEAD} gauge\nm{a="1"} 1\nm{a="1"} 2\n`],
    ["a label twice", "twice", `${HEAD} gauge\nm{a="1",a="2"} 1\n`],
    ["a comma too many", "a comma behind", `${HEAD} gauge\nm{a="1",} 1\n`],
    ["a quote in a value", "no labels", `${HEAD} gauge\nm{a="1"2"} 1\n`],
    ["a backslash that escapes nothing", "no labels", `${HEAD} gauge\nm{a="\\d"} 1\n`],
    ["a word for a number", "is no number", `${HEAD} gauge\nm Infinity\n`],
    ["a counter below zero", "below zero", `${HEAD} counter\nm -1\n`],
    ["no +Inf", "no bucket +Inf", `${HEAD} histogram\nm_bucket{le="1"} 1\nm_sum 1\nm_count 1\n`],
    [
      "a count unlike +Inf",
      "other than its +Inf",
      `${HEAD} histogram\nm_bucket{le="+Inf"} 1\nm_sum 1\nm_count 2\n`,
    ],
    [
      "buckets that are not cumulative",
      "below the one before",
      `${HEAD} histogram\nm_bucket{le="1"} 2\nm_bucket{le="+Inf"} 1\nm_sum 1\nm_count 1\n`,
    ],
    ["no sum", "lacks sum", `${HEAD} histogram\nm_bucket{le="+Inf"} 1\nm_count 1\n`],
    ["an unknown type", "is no type", `${HEAD} number\nm 1\n`],
    ["an empty line", "not a sample", `${HEAD} gauge\n\nm 1\n`],
  ])("refuses %s", (_, why, text) => {
    expect(() => readPrometheus(text)).toThrow(why);
  });
});
