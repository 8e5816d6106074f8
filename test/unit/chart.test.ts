import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { dataAnalysis } from "../../src/executor/skills/data-analysis.ts";
import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { expectResult, runSkill } from "./skill-run.ts";

const WEATHER = readFileSync(
  new URL("../../examples/seattle-weather.csv", import.meta.url),
  "utf8",
);

function chartsOf(input: JsonObject): JsonObject[] {
  const { output } = expectResult(runSkill(dataAnalysis, input).outcome);
  return output["charts"] as JsonObject[];
}

/** The fields that any `field` or `x2` of a specification names, at any depth. */
function fieldsOf(part: unknown): string[] {
  if (part === null || typeof part !== "object") return [];
  return Object.entries(part).flatMap(([key, value]) =>
    key === "field" ? [String(value)] : fieldsOf(value),
  );
}

describe("charts", () => {
  it("shows the season, the strongest relation coloured by weather, and groups", () => {
    const charts = chartsOf({ csv: WEATHER });

    expect(charts).toMatchObject([
      { layer: [{ mark: { type: "line" } }, { mark: { strokeDash: [6, 4] } }] },
      { mark: { type: "point" }, encoding: { color: { title: "weather" } } },
      { mark: { type: "boxplot" }, encoding: { x: { title: "weather" } } },
    ]);
  });

  it.each([
    ["the example", { csv: WEATHER }],
    ["numbers only", { csv: "v\n1\n2\n3\n50" }],
    ["labels only", { csv: "colour\nred\nblue\nred\nblue\nred" }],
    [
      "names that look like paths",
      {
        rows: Array.from({ length: 30 }, (_, index) => ({
          "a.b[0]": index,
          "c'd\\": (index * index) % 40,
        })),
      },
    ],
  ])("carry every field they name, in at most 300 points: %s", (_, input) => {
    const charts = chartsOf(input);

    expect(charts.length).toBeGreaterThan(0);
    for (const chart of charts) {
      const { values } = chart["data"] as { values: object[] };
      expect(chart["$schema"]).toBe("https://vega.github.io/schema/vega-lite/v6.json");
      expect(values.length).toBeLessThanOrEqual(300);
      expect(fieldsOf(chart).length).toBeGreaterThan(0);
      for (const field of fieldsOf(chart)) {
        expect(values.every((value) => Object.hasOwn(value, field))).toBe(true);
      }
    }
  });

  it("are none when no column has anything to show", () => {
    expect(chartsOf({ rows: [{ a: null }, { a: "" }] })).toEqual([]);
  });
});
