import { describe, expect, it } from "vitest";

import { assess, bandOf, COMPLEXITY_VERSION } from "../../src/dispatch/complexity.ts";
import type { TypeHistory } from "../../src/dispatch/complexity.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";

const NONE: TypeHistory = new Map();

function task(fields: Record<string, unknown> = {}) {
  return taskExecutionSchema.parse({
    task_type: "general",
    description: "Summarise the text",
    ...fields,
  });
}

const LONG = "x".repeat(10_000);
const MANY = Array.from({ length: 10 }, (_, index) => `t${index}`);
const CHECKS = Array.from({ length: 10 }, (_, index) => ({
  name: `c${index}`,
  json_path: "$",
  op: "exists",
}));
const PROPERTIES = Object.fromEntries(MANY.map((name) => [name, { type: "string" }]));

/** Demanding in every respect but its history. */
const HARDEST = {
  task_type: "deployment",
  description: LONG,
  estimated_duration: 86_400,
  timeout: 86_400,
  total_timeout: 604_800,
  parameters: {
    dependencies: MANY,
    constraints: { memory_limit: 1_024, cpu_limit: 4, disk_limit: 1_000 },
    input_data: { text: "y".repeat(1_000_000) },
  },
  requires: { capabilities: ["gpu"], labels: { region: "eu" }, agent_id: "a1" },
  contract: {
    output_schema: { type: "object", properties: PROPERTIES },
    acceptance: CHECKS,
    budget: { max_cost_usd: 1 },
  },
};

/** As long and as risky as can be, and nothing else. */
const LONGEST = {
  task_type: "deployment",
  description: LONG,
  estimated_duration: 86_400,
  timeout: 86_400,
};

describe("the complexity of a task", () => {
  it.each([
    { score: 0, band: "low" },
    { score: 0.2999, band: "low" },
    { score: 0.3, band: "medium" },
    { score: 0.5999, band: "medium" },
    { score: 0.6, band: "high" },
    { score: 0.8499, band: "high" },
    { score: 0.85, band: "critical" },
    { score: 1, band: "critical" },
  ])("of score $score is $band", ({ score, band }) => {
    expect(bandOf(score)).toBe(band);
  });

  it.each([
    { name: "a plain task", fields: {}, score: 0.0528, band: "low" },
    {
      name: "code with a paragraph to it",
      fields: { task_type: "code_generation", description: "x".repeat(600) },
      score: 0.2389,
      band: "low",
    },
    {
      name: "just below medium",
      fields: { task_type: "deployment", description: "x".repeat(990) },
      score: 0.2998,
      band: "low",
    },
    {
      name: "just medium",
      fields: { task_type: "deployment", description: "x".repeat(1_000) },
      score: 0.3,
      band: "medium",
    },
    {
      name: "just below high",
      fields: { ...LONGEST, parameters: { dependencies: MANY.slice(0, 9) } },
      score: 0.59,
      band: "medium",
    },
    {
      name: "just high",
      fields: { ...LONGEST, parameters: { dependencies: MANY } },
      score: 0.6,
      band: "high",
    },
    {
      name: "just below critical",
      fields: {
        ...HARDEST,
        requires: { capabilities: ["gpu"] },
        total_timeout: undefined,
        parameters: { ...HARDEST.parameters, constraints: undefined },
      },
      score: 0.825,
      band: "high",
    },
    {
      name: "just critical",
      fields: { ...HARDEST, requires: undefined, total_timeout: undefined },
      score: 0.85,
      band: "critical",
    },
    { name: "critical in every respect", fields: HARDEST, score: 0.9, band: "critical" },
  ])("is judged: $name", ({ fields, score, band }) => {
    expect(assess(task(fields), NONE)).toMatchObject({ score, band, version: COMPLEXITY_VERSION });
  });

  it("gives each feature beside the score, in [0, 1], and nothing for the caller's own word", () => {
    const judged = assess(task({ ...HARDEST, complexity: "low" }), NONE);

    expect(judged.features).toEqual({
      type: 1,
      description: 1,
      relations: 1,
      limits: 1,
      contract: 1,
      input: 1,
      duration: 1,
      history: 0,
    });
  });

  it("rises with the failures and the usual duration of its type, once there are enough runs", () => {
    const record = { runs: 5, success_rate: 0.5, p50_s: 8_640, p95_s: 10_000 };
    const known: TypeHistory = new Map([["general", record]]);
    const tooFew: TypeHistory = new Map([["general", { ...record, runs: 4 }]]);

    const { features } = assess(task(), known);

    expect(features["history"]).toBe(0.5);
    expect(features["duration"]).toBeCloseTo(0.746, 3);
    expect(assess(task(), tooFew)).toEqual(assess(task(), NONE));
  });

  it("takes the caller's estimate before what the type usually takes", () => {
    const record = { runs: 50, success_rate: 1, p50_s: 86_400, p95_s: 86_400 };
    const known: TypeHistory = new Map([["general", record]]);

    const { features } = assess(task({ estimated_duration: 10 }), known);

    expect(features["duration"]).toBe(0);
  });
});
