import { describe, expect, it } from "vitest";

import { agentEndTaskSchema } from "../../src/protocol/agent-end-task.ts";
import { faultsOf } from "../../src/protocol/faults.ts";

const START = "2026-11-22T10:00:00Z";
const END = "2026-11-22T10:05:00Z";

const SUCCESS = {
  task_id: "t1",
  agent_id: "a1",
  reason: "success",
  timestamp: END,
  quality_assessment: { overall_score: 0.9 },
};
const error_information = { error_code: "E1", error_message: "It broke" };
const metrics = (fields: object): object => ({
  execution_metrics: { start_time: START, end_time: END, duration_seconds: 300, ...fields },
});

function pointersOf(end: unknown): string[] {
  const { error } = agentEndTaskSchema.safeParse(end);
  return error === undefined ? [] : faultsOf(error, end).map(({ pointer }) => pointer);
}

describe("what is added up", () => {
  it.each([
    ["cost_incurred", 1e9, 1.1e9],
    ["tokens_consumed", 1e12, 1e12 + 1],
    ["api_calls_made", 1e12, 1e12 + 1],
  ])("has a bound: %s", (field, most, more) => {
    expect(pointersOf({ ...SUCCESS, ...metrics({ [field]: most }) })).toEqual([]);
    expect(pointersOf({ ...SUCCESS, ...metrics({ [field]: more }) })).toEqual([
      `/execution_metrics/${field}`,
    ]);
  });
});

describe("agent_end_task", () => {
  it.each<[what: string, fields: object]>([
    ["success with quality", {}],
    ["failure with error information", { reason: "failure", error_information }],
    ["timeout with error information", { reason: "timeout", error_information }],
    [
      "resource_exhausted with error information",
      { reason: "resource_exhausted", error_information },
    ],
    ["escalated", { reason: "escalated" }],
    ["escalated with a need", { reason: "escalated", next_actions: { escalation_needed: true } }],
    ["escalated with error information", { reason: "escalated", error_information }],
    ["cancelled with nothing", { reason: "cancelled", quality_assessment: undefined }],
    ["metrics whose duration is their difference", metrics({})],
    ["metrics rounded to whole seconds", metrics({ end_time: "2026-11-22T10:05:00.9Z" })],
    ["metrics of no time at all", metrics({ end_time: START, duration_seconds: 0 })],
    ["metrics in another time zone", metrics({ end_time: "2026-11-22T11:05:00+01:00" })],
  ])("accepts %s", (_what, fields) => {
    expect(pointersOf({ ...SUCCESS, ...fields })).toEqual([]);
  });

  it.each<[rule: string, fields: object, pointer: string]>([
    ["success needs quality", { quality_assessment: undefined }, "/quality_assessment"],
    ["failure needs error information", { reason: "failure" }, "/error_information"],
    ["timeout needs error information", { reason: "timeout" }, "/error_information"],
    [
      "resource_exhausted needs error information",
      { reason: "resource_exhausted" },
      "/error_information",
    ],
    ["success has no error", { error_information }, "/error_information"],
    [
      "the end is not before the start",
      metrics({ start_time: END, end_time: START }),
      "/execution_metrics/end_time",
    ],
    [
      "the duration is the difference",
      metrics({ duration_seconds: 200 }),
      "/execution_metrics/duration_seconds",
    ],
    [
      "a duration is not negative",
      metrics({ duration_seconds: -1 }),
      "/execution_metrics/duration_seconds",
    ],
    ["tokens are whole", metrics({ tokens_consumed: 1.5 }), "/execution_metrics/tokens_consumed"],
    [
      "a score is at most 1",
      { quality_assessment: { overall_score: 1.1 } },
      "/quality_assessment/overall_score",
    ],
    [
      "a criterion's score is at most 1",
      { quality_assessment: { overall_score: 1, criteria_scores: { efficiency: 2 } } },
      "/quality_assessment/criteria_scores/efficiency",
    ],
    [
      "an artifact has a path",
      { result_data: { artifacts: [{ type: "chart" }] } },
      "/result_data/artifacts/0/path",
    ],
    ["next actions are known ones", { next_actions: { party: true } }, "/next_actions/party"],
    ["a reason is a known one", { reason: "tired" }, "/reason"],
    [
      "rules are judged beside other faults",
      { mood: "good", agent_id: "", reason: "failure" },
      "/error_information",
    ],
    [
      "metrics are judged beside an unknown reason",
      { reason: "tired", ...metrics({ duration_seconds: 1 }) },
      "/execution_metrics/duration_seconds",
    ],
    [
      "rules are judged beside other faults",
      { mood: "good", agent_id: "", reason: "failure" },
      "/error_information",
    ],
    [
      "metrics are judged beside an unknown reason",
      { reason: "tired", ...metrics({ duration_seconds: 1 }) },
      "/execution_metrics/duration_seconds",
    ],
    ["fields are known ones", { mood: "good" }, "/mood"],
  ])("holds that %s", (_rule, fields, pointer) => {
    expect(pointersOf({ ...SUCCESS, ...fields })).toContain(pointer);
  });
});
