import { describe, expect, it } from "vitest";

import { factsOf, isWanted, refusingFilters } from "../../src/delivery/registry/filters.ts";
import { notificationTypeSchema, type NotificationType } from "../../src/protocol/enums.ts";
import type { WebhookFilters } from "../../src/protocol/webhook.ts";

const AROUND = {
  task_type: "research",
  priority: "high",
  agent_id: "a-1",
  tags: ["red", "blue"],
} as const;
const FACTS = factsOf("task_progress", AROUND, { data: { progress_percentage: 40 } });

describe("filters", () => {
  it.each<[what: string, filters: WebhookFilters | null, expected: boolean]>([
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
    ["what it says", { match: { "data.progress_percentage": { $lt: 50 } } }, true],
    ["what it does not say", { match: { "data.progress_percentage": { $gt: 50 } } }, false],
    [
      "all of it",
      { task_types: ["research"], tags: ["red"], match: { data: { $exists: true } } },
      true,
    ],
    ["all but one", { task_types: ["research"], tags: ["red"], agent_ids: ["a-2"] }, false],
    ["all but what it says", { task_types: ["research"], match: { x: 1 } }, false],
  ])("with %s", (_what, filters, expected) => {
    expect(isWanted(filters, FACTS)).toBe(expected);
  });

  it("want no agent's task when they name agents and it has none", () => {
    expect(isWanted({ agent_ids: ["a-1"] }, { ...FACTS, agent_id: null })).toBe(false);
  });

  it("tell which of them refuse", () => {
    const filters: WebhookFilters = {
      task_types: ["general"],
      priorities: ["high"],
      agent_ids: ["a-2"],
      tags: ["green"],
      match: { x: 1 },
    };

    expect(refusingFilters(filters, FACTS)).toEqual(["task_types", "agent_ids", "tags", "match"]);
    expect(refusingFilters({ match: { x: 1 } }, FACTS)).toEqual(["match"]);
  });
});

describe("what filters see", () => {
  const NONE = { task_type: null, priority: null, agent_id: null, tags: [] };
  const SEEN: Partial<Record<NotificationType, object>> = {
    system_alert: NONE,
    agent_status: { ...NONE, agent_id: "a-1" },
  };

  it.each(notificationTypeSchema.options)("of %s", (type) => {
    const facts = factsOf(type, AROUND, { a: 1 });

    expect(facts).toEqual({ ...(SEEN[type] ?? AROUND), type, notification: { a: 1 } });
  });
});
