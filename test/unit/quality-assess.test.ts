import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { assess, unreadable } from "../../src/executor/quality/assess.ts";
import {
  CORRECTION_DEFAULTS,
  isAcceptable,
  nextMove,
} from "../../src/executor/quality/correction.ts";
import { dataAnalysis } from "../../src/executor/skills/data-analysis.ts";
import { general } from "../../src/executor/skills/general.ts";
import type {
  JsonObject,
  JsonValue,
  PureSkill,
  SkillQuality,
} from "../../src/executor/skills/skill.ts";
import { resultFaults } from "../../src/task/machine/gates.ts";
import { request } from "../task-life.ts";
import { codesOf, questionOf } from "./quality-question.ts";
import { expectResult, runSkill } from "./skill-run.ts";

const root = path.join(import.meta.dirname, "../..");
const read = (name: string): string => readFileSync(path.join(root, name), "utf8");

const qualityOf = (overall_score: number): SkillQuality => ({
  overall_score,
  criteria_scores: { correctness: 0.9, completeness: 0.9, efficiency: 0.9, maintainability: 0.9 },
  feedback: "Measured.",
});

function assessed(skill: PureSkill, input_data: JsonObject, description: string) {
  const result = expectResult(runSkill(skill, input_data, { description }).outcome);
  const task_type = skill === general ? "general" : "data_analysis";
  const question = questionOf({
    task_type,
    description,
    input_data,
    output: result.output,
    measured: result.quality,
  });
  return { measured: result.quality, assessment: assess(question) };
}

describe("results of the built-in skills keep their measured score", () => {
  const texts = readdirSync(root).filter((name) => name.endsWith(".md"));
  const descriptions = [
    "Analyse this for the weekly report",
    "Give at least three findings as a table",
    "Resume los datos en español",
  ];

  it.each(descriptions)("data_analysis: %s", (description) => {
    const csv = read("examples/seattle-weather.csv");
    const { measured, assessment } = assessed(dataAnalysis, { csv }, description);

    expect(assessment.overall_score).toBe(measured.overall_score);
    expect(assessment.criteria_scores).toEqual(measured.criteria_scores);
    expect(isAcceptable(assessment, 0.8)).toBe(true);
  });

  it.each(texts)("general: %s", (name) => {
    const { measured, assessment } = assessed(
      general,
      { text: read(name) },
      "Summarise it in 50 words",
    );

    expect(assessment.overall_score).toBe(measured.overall_score);
    expect(assessment.findings.filter(({ is_blocking }) => is_blocking)).toEqual([]);
  });

  it("and are advised by what the meaning lacks, but stopped by the contract alone", () => {
    const question = questionOf({
      description: "Describe the pump in Spanish",
      output: {
        answer: "The pump is old and it was not repaired in the last years by the people there.",
      },
      measured: qualityOf(0.93),
    });
    const advised = assess(question);
    const stopped = assess({
      ...question,
      contract_faults: [{ pointer: "/data/result/total", detail: "is required" }],
    });

    expect(advised).toMatchObject({
      overall_score: 0.93,
      findings: [{ code: "wrong_language", is_blocking: false }],
    });
    expect(stopped.overall_score).toBe(0.7);
    expect(stopped.findings[0]).toMatchObject({
      check: "contract",
      location: "/total",
      is_blocking: true,
    });
  });
});

describe("the threshold of quality", () => {
  const at = (score: number) =>
    assess(questionOf({ output: { answer: "x" }, measured: qualityOf(score) }));

  it.each([
    [0.79, false],
    [0.7999, false],
    [0.79999999, false],
    [0.8, true],
    // Sums that come to 0.8 but for the last bit.
    [0.1 + 0.7, true],
    [0.9 - 0.1, true],
    [0.801, true],
  ])("%d is judged the same here and by the task's own gate", (score, passes) => {
    const assessment = at(score);
    const faults = resultFaults(request(), { result: {}, quality_assessment: assessment });

    expect(isAcceptable(assessment, 0.8)).toBe(passes);
    expect(faults.length === 0).toBe(passes);
  });

  it("is never reached with a blocking finding, whatever the score was", () => {
    const question = questionOf({ output: { json: "{" }, measured: qualityOf(1) });
    const one = assess(question);
    const three = assess({
      ...question,
      contract_faults: [
        { pointer: "/data/result", detail: "a" },
        { pointer: "/data/result", detail: "b" },
      ],
    });

    expect([one.overall_score, three.overall_score]).toEqual([0.7, 0.5]);
    expect(isAcceptable(one, 0.5)).toBe(false);
  });

  it("does not count the gate's own complaint about a score that is not computed yet", () => {
    const contract_faults = [
      { pointer: "/data/quality_assessment/overall_score", detail: "is below" },
    ];

    expect(
      assess(questionOf({ contract_faults, output: { a: 1 }, measured: qualityOf(0.9) }))
        .overall_score,
    ).toBe(0.9);
  });
});

describe("any output", () => {
  const json = fc.jsonValue({ maxDepth: 5 }) as fc.Arbitrary<JsonValue>;
  const types = fc.constantFrom(
    "general",
    "code_generation",
    "research",
    "monitoring",
    "testing",
    "data_analysis",
    "configuration",
    "documentation",
    "deployment",
    "code_debugging" as const,
  );
  const members = fc.dictionary(
    fc.constantFrom(
      "markdown",
      "json",
      "yaml",
      "toml",
      "patch",
      "code",
      "language",
      "citations",
      "__proto__",
      "constructor",
      "document_id",
    ),
    json,
  ) as fc.Arbitrary<JsonObject>;

  it("gets the same assessment twice, in scores from 0 to 1, with something to read", () => {
    fc.assert(
      fc.property(
        types,
        fc.oneof(json, members),
        members,
        fc.string(),
        (task_type, output, input_data, description) => {
          const question = questionOf({
            task_type: task_type as "general",
            output,
            input_data,
            description,
          });
          const assessment = assess(question);
          const { overall_score, criteria_scores, parts, feedback } = assessment;

          expect(
            [overall_score, ...Object.values(criteria_scores), ...Object.values(parts)].every(
              (share) => share >= 0 && share <= 1,
            ),
          ).toBe(true);
          expect(feedback.length).toBeGreaterThan(0);
          expect(JSON.parse(JSON.stringify(assessment))).toEqual(assessment);
          expect(assess(question)).toEqual(assessment);
        },
      ),
    );
  });

  it("may be huge: what lies beyond 500,000 characters is not looked at, and that is said", () => {
    const output = {
      markdown: "The pump is old. ".repeat(600_000),
      rows: Array.from({ length: 30_000 }, (_, id) => ({ id, text: "x" })),
    };
    const start = performance.now();
    const { feedback } = assess(questionOf({ output }));

    expect(feedback).toContain("500,000 characters");
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it("may be nested without end", () => {
    let output: JsonValue = "deep";
    for (let depth = 0; depth < 3_000; depth += 1) output = { inner: output };

    expect(codesOf(assess(questionOf({ output })).findings)).not.toContain("empty_output");
  });

  it("that could not be read is worth nothing", () => {
    const finding = {
      check: "syntactic",
      code: "no_json",
      location: "",
      detail: "no JSON",
      is_blocking: true,
    } as const;
    const round = { model_id: "m", assessment: unreadable([finding]) };
    const limits = { ...CORRECTION_DEFAULTS, threshold: 0, has_other_model: false };

    expect(round.assessment).toMatchObject({ overall_score: 0, feedback: "no JSON" });
    expect(nextMove([round], limits)).toMatchObject({ kind: "correct", findings: [finding] });
  });
});
