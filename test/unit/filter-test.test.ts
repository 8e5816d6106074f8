import { describe, expect, it } from "vitest";

import { testFilters } from "../../src/delivery/registry/filter-test.ts";
import { filterTestSchema, filterVerdictSchema } from "../../src/protocol/webhook-operations.ts";

const SAMPLE = {
  type: "task_failed",
  task_type: "research",
  priority: "high",
  agent_id: "a-1",
  tags: ["red"],
  notification: { data: { root_cause: { class: "timeout" } } },
};

function verdictOf(request: { events?: string[]; filters?: unknown; sample?: unknown }) {
  return testFilters(filterTestSchema.parse({ sample: SAMPLE, ...request }));
}

describe("a dry run of filters", () => {
  it.each([
    ["no filters", {}],
    ["a group that stands for it", { events: ["error_event"] }],
    ["filters that it meets", { filters: { agent_ids: ["a-1"], tags: ["red"] } }],
    ["a match that it meets", { filters: { match: { "data.root_cause.class": "timeout" } } }],
  ])("wants the sample with %s", (_what, request) => {
    expect(verdictOf(request)).toEqual({ wanted: true, refused_by: [] });
  });

  it.each([
    ["events", { events: ["task_progress"] }, ["/events"]],
    ["the task type", { filters: { task_types: ["general"] } }, ["/filters/task_types"]],
    ["the priority", { filters: { priorities: ["low"] } }, ["/filters/priorities"]],
    ["the executor", { filters: { agent_ids: ["a-2"] } }, ["/filters/agent_ids"]],
    ["the tags", { filters: { tags: ["blue"] } }, ["/filters/tags"]],
    ["the match", { filters: { match: { "data.error_type": "x" } } }, ["/filters/match"]],
    [
      "several at once",
      {
        events: ["task_started"],
        filters: { task_types: ["general"], tags: ["red"], match: { a: 1 } },
      },
      ["/events", "/filters/task_types", "/filters/match"],
    ],
  ])("points at %s where that refuses it", (_what, request, pointers) => {
    const verdict = verdictOf(request);

    expect(filterVerdictSchema.parse(verdict).wanted).toBe(false);
    expect(verdict.refused_by.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it.each([
    ["info", ["error_event"], false],
    ["warning", ["error_event"], false],
    ["error", ["error_event"], true],
    ["critical", ["error_event"], true],
    ["info", ["system_event"], true],
    ["info", ["error_event", "system_event"], true],
  ])("of an alert of %s for %j says %s", (severity, events, wanted) => {
    const sample = { type: "system_alert", notification: { severity } };

    expect(verdictOf({ events, sample }).wanted).toBe(wanted);
  });

  it("knows that an alert has no task, whatever the sample says of one", () => {
    const sample = { ...SAMPLE, type: "system_alert" };

    const verdict = verdictOf({ filters: { task_types: ["research"], tags: ["red"] }, sample });

    expect(verdict.refused_by.map(({ pointer }) => pointer)).toEqual([
      "/filters/task_types",
      "/filters/tags",
    ]);
  });
});
