import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { dataAnalysis } from "../../src/executor/skills/data-analysis.ts";
import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { expectFailure, expectResult, runSkill } from "./skill-run.ts";

const WEATHER = readFileSync(
  new URL("../../examples/seattle-weather.csv", import.meta.url),
  "utf8",
);

interface Found {
  kind: string;
  columns: string[];
  text: string;
}

function findingsOf(output: JsonObject): Found[] {
  return output["findings"] as unknown as Found[];
}

function analyse(csv: string, configuration: JsonObject = {}, description = "Look at the data") {
  return expectResult(runSkill(dataAnalysis, { csv }, { description, configuration }).outcome);
}

const { output: weather, quality: weatherQuality, summary: weatherSummary } = analyse(WEATHER);

describe("analysing the example data set", () => {
  it("recognises the columns", () => {
    expect(weather["columns"]).toMatchObject([
      { name: "date", type: "date", missing: 0 },
      { name: "precipitation", type: "number", distribution: { mean: 3.02943, max: 55.9 } },
      { name: "temp_max", type: "number" },
      { name: "temp_min", type: "number" },
      { name: "wind", type: "number" },
      { name: "weather", type: "category", distinct: 5 },
    ]);
  });

  it("begins with the overview and says what an analyst would", () => {
    const findings = findingsOf(weather);

    expect(findings[0]).toMatchObject({ kind: "overview" });
    expect(findings.slice(1)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: "season",
          columns: ["temp_max", "temp_min"],
        }),
        expect.objectContaining({ kind: "correlation", columns: ["temp_max", "temp_min"] }),
        expect.objectContaining({ kind: "group_effect", columns: ["weather", "precipitation"] }),
        expect.objectContaining({ kind: "long_tail", columns: ["precipitation"] }),
        expect.objectContaining({ kind: "trend", columns: ["temp_max"] }),
        expect.objectContaining({ kind: "outliers", columns: ["wind"] }),
        expect.objectContaining({ kind: "no_trend", columns: ["precipitation", "wind"] }),
      ]),
    );
    expect(weatherSummary).toBe(
      findings
        .slice(0, 4)
        .map(({ text }) => text)
        .join(" "),
    );
  });
});

describe("figures of the example data set", () => {
  it("measures what it claims", () => {
    expect(weather["trends"]).toMatchObject([
      { column: "precipitation", direction: "none" },
      { column: "temp_max", direction: "rising", unit: "year", season: { highest: { phase: 7 } } },
      { column: "temp_min", direction: "rising" },
      { column: "wind", direction: "none" },
    ]);
    const { pairs } = weather["correlations"] as unknown as { pairs: unknown[] };
    expect(pairs[0]).toMatchObject({
      left: "temp_max",
      right: "temp_min",
      count: 1461,
      pearson: 0.875687,
    });
  });

  it("rates a clean table highly", () => {
    expect(weatherQuality.overall_score).toBeGreaterThan(0.95);
  });

  it("fits a queue message", () => {
    expect(JSON.stringify(weather).length).toBeLessThan(100_000);
  });
});

describe("reporting an analysis", () => {
  it("reports every step before it runs, never falling back", () => {
    const { progress } = runSkill(dataAnalysis, { csv: WEATHER });
    const percentages = progress.map((step) => step.progress_percentage);

    expect(progress.map((step) => step.steps_completed)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(percentages).toEqual([...percentages].sort((a, b) => a - b));
    expect(new Set(progress.map((step) => step.current_step)).size).toBe(8);
    expect(progress[1]?.intermediate_results).toEqual({ rows: 1461, columns: 6 });
  });

  it("writes Spanish for a Spanish description or configuration", () => {
    const csv = "mes;ventas\n2024-01;3,5\n2024-02;4,5\n2024-03;5,5";
    const described = analyse(
      csv,
      {},
      "Analiza las ventas de la tienda y dime lo que ves en ellas",
    );
    const configured = analyse(csv, { language: "es" });

    expect(described.output["language"]).toBe("es");
    expect(described.summary).toContain("3 filas y 2 columnas");
    expect(configured.summary).toBe(described.summary);
    expect(described.lessons_learned).toEqual(["El separador es «;»."]);
  });

  it("gives the same outcome for the same task", () => {
    expect(analyse(WEATHER)).toEqual(analyse(WEATHER));
  });
});

describe("analysing poor data", () => {
  it("warns of everything that limits the conclusions, and rates itself lower", () => {
    const rows = Array.from({ length: 40 }, (_, index) => {
      const reading = index === 5 || index === 9 ? -999 : 20 + (index % 6);
      return `03/04/20${10 + (index % 10)},${reading},${index % 4 === 0 ? "" : index},same`;
    });
    const csv = ["day,reading,note,unit", ...rows, "01/02/2011,21", rows[0]].join("\n");
    const { output, quality, next_steps } = analyse(csv);
    const kinds = findingsOf(output).map(({ kind }) => kind);

    expect(kinds).toEqual(
      expect.arrayContaining([
        "placeholder",
        "ambiguous_dates",
        "ragged",
        "missing",
        "constant",
        "duplicates",
      ]),
    );
    expect(quality.overall_score).toBeLessThan(analyse(WEATHER).quality.overall_score);
    expect(quality.criteria_scores.maintainability).toBe(0.75);
    expect(next_steps[0]).toContain("-999");
  });

  it("describes a single column and a single row without inventing relations", () => {
    const column = analyse("value\n3\n5\n9\n4\n7\n");
    const row = analyse("a,b\n1,x", { has_header: true });

    expect(findingsOf(column.output).map(({ kind }) => kind)).toEqual(["overview", "few_rows"]);
    expect(column.output["chart"]).toMatchObject({ mark: { type: "bar" } });
    expect(findingsOf(row.output).map(({ kind }) => kind)).toEqual(["overview", "few_rows"]);
  });

  it.each([
    [{}, "missing_input"],
    [{ url: "https://example.com/t.csv" }, "missing_input"],
    [{ csv: "" }, "empty_input"],
    [{ rows: "a,b" }, "invalid_input"],
  ])("refuses %j with a cause and a way out", (input, cause) => {
    const failure = expectFailure(runSkill(dataAnalysis, input).outcome);

    expect(failure).toMatchObject({ root_cause: { class: cause }, retry_recommended: false });
    expect(failure.recovery_suggestions.length).toBeGreaterThan(0);
  });

  it("estimates longer for more data", () => {
    expect(dataAnalysis.estimate({ csv: "a" })).toBe(2);
    expect(dataAnalysis.estimate({ csv: "a".repeat(1_000_000) })).toBe(11);
    expect(dataAnalysis.estimate({})).toBe(1);
  });
});
