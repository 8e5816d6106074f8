import { describe, expect, it } from "vitest";

import { assess } from "../../src/executor/quality/assess.ts";
import type { JsonValue } from "../../src/executor/skills/skill.ts";
import { PAIRS, SALES, type Pair } from "./quality-pairs.ts";
import { questionOf } from "./quality-question.ts";

function scores({ better, worse, ...task }: Pair) {
  const of = (output: JsonValue) => assess(questionOf({ ...task, output }));
  return { better: of(better), worse: of(worse) };
}

describe("of two outputs the better one scores higher", () => {
  it.each(PAIRS)("$task_type", (pair) => {
    const { better, worse } = scores(pair);

    expect(better.findings.filter(({ is_blocking }) => is_blocking)).toEqual([]);
    expect(better.overall_score).toBeGreaterThanOrEqual(0.85);
    expect(worse.overall_score).toBeLessThan(0.8);
    expect(better.parts.domain - worse.parts.domain).toBeGreaterThan(0.1);
  });

  it("in all ten types", () => {
    expect(new Set(PAIRS.map(({ task_type }) => task_type)).size).toBe(10);
  });

  it("and says what the worse one lacks", () => {
    const lacking = PAIRS.map((pair) => scores(pair).worse.findings.map(({ code }) => code));

    expect(lacking.map((codes) => codes.length > 0)).toEqual(PAIRS.map(() => true));
    expect(lacking[1]).toContain("hidden_symptom");
    expect(lacking[5]).toEqual(
      expect.arrayContaining(["no_rollback", "secret_in_clear", "few_steps"]),
    );
  });
});
it("leaves the form of a result to the contract that prescribes one", () => {
  const output_schema = { type: "object", required: ["total"] };
  const totals = (["data_analysis", "general", "code_debugging"] as const).map((task_type) => {
    const question = {
      task_type,
      description: "Add up the units of the table",
      input_data: SALES,
      output: { total: 410 },
    };
    return {
      free: assess(questionOf(question)).overall_score,
      prescribed: assess(questionOf({ ...question, output_schema })).overall_score,
    };
  });

  expect(totals.every(({ free, prescribed }) => free < 0.8 && prescribed >= 0.9)).toBe(true);
});
