import { describe, expect, it } from "vitest";

import { isWanted } from "../../src/delivery/registry/filters.ts";

const FACTS = {
  task_type: "research",
  priority: "high",
  agent_id: "a-1",
  tags: ["red", "blue"],
} as const;

describe("filters", () => {
  it.each([
    ["none", null, true],
    ["empty", {}, true],
    ["the task type", { task_types: ["general", "research"] }, true],
    ["another task type", { task_types: ["general"] }, false],
    ["the priority", { priorities: ["high"] }, true],
    ["another priority", { priorities: ["low", "critical"] }, false],
    ["the agent", { agent_ids: ["a-1"] }, true],
    ["another agent", { agent_ids: ["a-2"] }, false],
    ["one of its tags", { tags: ["green", "blue"] }, true],
    ["other tags", { tags: ["green"] }, false],
    ["all of it", { task_types: ["research"], tags: ["red"], agent_ids: ["a-1"] }, true],
    ["all but one", { task_types: ["research"], tags: ["red"], agent_ids: ["a-2"] }, false],
  ] as const)("with %s", (_what, filters, expected) => {
    const given = filters === null ? null : structuredClone(filters);

    expect(isWanted(given as Parameters<typeof isWanted>[0], FACTS)).toBe(expected);
  });

  it("want no agent's task when they name agents and it has none", () => {
    expect(isWanted({ agent_ids: ["a-1"] }, { ...FACTS, agent_id: null })).toBe(false);
  });
});
