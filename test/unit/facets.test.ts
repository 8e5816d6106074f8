import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { shownFacets, wantedFacets, type Wishes } from "../../src/delivery/registry/facets.ts";
import { factsOf, isWanted } from "../../src/delivery/registry/filters.ts";
import { subscribedTypes } from "../../src/delivery/registry/subscriptions.ts";
import {
  eventGroupSchema,
  notificationTypeSchema,
  prioritySchema,
  severitySchema,
  taskTypeSchema,
} from "../../src/protocol/enums.ts";

const keysOf = (wishes: Wishes): string[] =>
  wantedFacets(wishes).map(({ type, facet }) => `${type} ${facet}`);

describe("the keys of an endpoint", () => {
  it.each<[what: string, filters: Wishes["filters"], facets: string[]]>([
    ["no filters", undefined, ["*"]],
    ["a match alone, which no key can hold", { match: { a: 1 } }, ["*"]],
    ["priorities", { priorities: ["high", "low"] }, ["priority:high", "priority:low"]],
    [
      "task types before priorities",
      { task_types: ["research"], priorities: ["high"] },
      ["task_type:research"],
    ],
    ["tags before task types", { tags: ["t"], task_types: ["research"] }, ["tag:t"]],
    ["agents before all others", { agent_ids: ["a", "b"], tags: ["t"] }, ["agent:a", "agent:b"]],
    ["each value once", { tags: ["t", "t"] }, ["tag:t"]],
  ])("are, with %s", (_what, filters, facets) => {
    expect(keysOf({ events: ["task_failed"], filters })).toEqual(
      facets.map((facet) => `task_failed ${facet}`),
    );
  });

  it.each<[what: string, wishes: Wishes, keys: string[]]>([
    ["everyone", { events: ["system_event"] }, ["system_alert *"]],
    [
      "those who asked for errors",
      { events: ["error_event"], filters: { match: { a: 1 } } },
      ["system_alert severity:error", "system_alert severity:critical"],
    ],
    [
      "those who asked for more than errors",
      { events: ["error_event", "all"] },
      ["system_alert *"],
    ],
    ["nobody who asks about agents", { events: ["all"], filters: { agent_ids: ["a"] } }, []],
    ["nobody who asks about tags", { events: ["all"], filters: { tags: ["t"] } }, []],
    ["nobody who asks about types", { events: ["all"], filters: { task_types: ["general"] } }, []],
    ["nobody who asks about priorities", { events: ["all"], filters: { priorities: ["low"] } }, []],
  ])("lead an alert to %s", (_what, wishes, keys) => {
    expect(keysOf(wishes).filter((key) => key.startsWith("system_alert"))).toEqual(keys);
  });

  it.each<[what: string, filters: Wishes["filters"], keys: string[]]>([
    ["everyone", undefined, ["agent_status *"]],
    ["those who named the agent", { agent_ids: ["a"] }, ["agent_status agent:a"]],
    ["nobody who asks about tasks too", { agent_ids: ["a"], tags: ["t"] }, []],
  ])("lead an executor's state to %s", (_what, filters, keys) => {
    expect(keysOf({ events: ["agent_status"], filters })).toEqual(keys);
  });
});

describe("what a notification shows", () => {
  it("is all that an endpoint may be found by", () => {
    const around = {
      task_type: "research",
      priority: "high",
      agent_id: "a",
      tags: ["t", "u", "t"],
    } as const;

    const shown = shownFacets(factsOf("task_failed", around, { severity: "error" }));

    expect(shown.map(({ facet }) => facet)).toEqual([
      "*",
      "agent:a",
      "tag:t",
      "tag:u",
      "task_type:research",
      "priority:high",
    ]);
    expect(new Set(shown.map(({ type }) => type))).toEqual(new Set(["task_failed"]));
  });

  it("is its severity where it is an alert", () => {
    const around = { task_type: null, priority: null, agent_id: null, tags: [] };

    const shown = shownFacets(factsOf("system_alert", around, { severity: "error" }));

    expect(shown.map(({ facet }) => facet)).toEqual(["*", "severity:error"]);
  });
});

describe("the index", () => {
  const some = <Value>(values: readonly Value[]) =>
    fc.subarray([...values], { minLength: 1, maxLength: 2 });
  const optional = <Value>(values: readonly Value[]) =>
    fc.option(some(values), { nil: undefined, freq: 1 });
  const anyFilters = fc.record({
    task_types: optional(taskTypeSchema.options.slice(0, 3)),
    priorities: optional(prioritySchema.options),
    agent_ids: optional(["a", "b"]),
    tags: optional(["t", "u", "v"]),
  });
  const anyAround = fc.record({
    task_type: fc.constantFrom(...taskTypeSchema.options.slice(0, 3)),
    priority: fc.constantFrom(...prioritySchema.options),
    agent_id: fc.constantFrom(null, "a", "b", "c"),
    tags: fc.subarray(["t", "u", "v"]),
  });
  const words = [...notificationTypeSchema.options, ...eventGroupSchema.options];

  it("never hides a notification from an endpoint that wants it", () => {
    const anyCase = fc.record({
      events: some([...new Set(words)]),
      filters: anyFilters,
      type: fc.constantFrom(...notificationTypeSchema.options),
      around: anyAround,
      severity: fc.constantFrom(...severitySchema.options),
    });
    let wanted = 0;
    fc.assert(
      fc.property(anyCase, ({ events, filters, type, around, severity }) => {
        const facts = factsOf(type, around, { severity });
        const isErrorsOnly =
          type === "system_alert" &&
          !subscribedTypes(events.filter((event) => event !== "error_event")).includes(type);
        const isSubscribed =
          subscribedTypes(events).includes(type) &&
          !(isErrorsOnly && ["info", "warning"].includes(severity));
        const shown = new Set(shownFacets(facts).map(({ facet }) => facet));

        const isFound = wantedFacets({ events, filters }).some(
          (key) => key.type === type && shown.has(key.facet),
        );

        const isMeant = isSubscribed && isWanted(filters, facts);
        if (isMeant) wanted += 1;
        expect(isFound && isWanted(filters, facts)).toBe(isMeant);
      }),
      { numRuns: 5_000 },
    );
    expect(wanted).toBeGreaterThan(300);
  });
});
