import { describe, expect, it } from "vitest";

import { budgetEaters } from "../../src/observe/insight/budget.ts";
import { flappingEndpoints, type LevelChange } from "../../src/observe/insight/flapping.ts";
import { times } from "./runs.ts";

const change = (minute: number, from: number, to: number, webhook_id = "wh_a"): LevelChange => ({
  webhook_id,
  at: new Date(Date.parse("2026-11-26T10:00:00.000Z") + minute * 60_000).toISOString(),
  from,
  to,
  why: to > from ? "failures_in_row" : "probe_succeeded",
});

/** So many times into trouble and out of it again, ten minutes each. */
const flaps = (count: number, webhook_id?: string): LevelChange[] =>
  Array.from({ length: count }, (_, index) => [
    change(10 * index, 0, 3, webhook_id),
    change(10 * index + 5, 3, 0, webhook_id),
  ]).flat();

describe("flapping endpoints", () => {
  it("are those that get into trouble again and again, with how often", () => {
    expect(flappingEndpoints([...flaps(4), ...flaps(2, "wh_b")])).toEqual([
      {
        rule: "flapping_endpoint",
        severity: "error",
        subject: { kind: "webhook", id: "wh_a" },
        title: "Webhook wh_a got into trouble 4 times",
        evidence: {
          falls: 4,
          changes: 8,
          highest_level: 3,
          present_level: 0,
          first_at: "2026-11-26T10:00:00.000Z",
          last_at: "2026-11-26T10:30:00.000Z",
          hours_between: 0.167,
          last_why: "failures_in_row",
        },
        score: 4,
      },
    ]);
  });

  it("are none of one long trouble, nor of one that several objects of an endpoint tell of", () => {
    const worse = [change(0, 0, 1), change(5, 1, 2), change(9, 2, 3)];
    const shards = [0, 0.1, 0.3, 0.6].map((minute) => change(minute, 0, 3));

    expect(flappingEndpoints(worse)).toEqual([]);
    expect(flappingEndpoints([...worse, change(20, 3, 2), change(25, 2, 3)])).toEqual([]);
    expect(flappingEndpoints(shards)).toEqual([]);
    expect(flappingEndpoints([])).toEqual([]);
  });
});

describe("budget eaters", () => {
  const cheap = times(18, { agent_id: "cheap", cost_usd: 0.01 });

  it("are named with their share, what is due to them, and the trend", () => {
    const now = [...cheap, ...times(6, { agent_id: "dear", cost_usd: 0.27 })];
    const past = times(9, { agent_id: "dear", cost_usd: 0.09 });

    expect(budgetEaters({ now, past }, 3)).toEqual([
      {
        rule: "budget_eaters",
        severity: "warning",
        subject: { kind: "agent", id: "dear" },
        title: "dear has 90 % of the cost with 25 % of the tasks",
        evidence: {
          cost_usd: 1.62,
          total_usd: 1.8,
          share: 0.9,
          tasks: 6,
          share_of_tasks: 0.25,
          usd_per_task: 0.27,
          usd_per_task_by_before: 3,
          before_usd: 0.27,
          trend: 6,
        },
        // (0.9 - 0.25 of the cost, and two thirds of what a task costs) of six tasks, at most all, half of it.
        score: 3,
      },
    ]);
  });

  it("are task types as well, and say so where nothing was spent before", () => {
    const now = [...cheap, ...times(6, { agent_id: "cheap", task_type: "testing", cost_usd: 0.3 })];

    expect(budgetEaters({ now, past: [] }, 3)).toMatchObject([
      {
        severity: "info",
        subject: { kind: "task_type", id: "testing" },
        evidence: { trend: "nothing was spent before" },
      },
    ]);
  });

  it.each([
    { before: 0.27, trend: 1, severity: "info" },
    { before: 0.09, trend: 3, severity: "warning" },
  ])(
    "are compared by what a task costs where not all tasks are there: $severity from $before",
    ({ before, trend, severity }) => {
      const now = [...cheap, ...times(6, { agent_id: "dear", cost_usd: 0.27 })];
      const past = times(6, { agent_id: "dear", cost_usd: before });

      const [found] = budgetEaters({ now, past }, null);

      expect(found).toMatchObject({
        severity,
        evidence: {
          usd_per_task_by_before: trend,
          trend: "unknown: not all tasks were looked at",
        },
      });
      expect(found?.evidence).not.toHaveProperty("before_usd");
    },
  );

  it("are none where cost follows the work as before, where one has all, and among few tasks", () => {
    const even = [...cheap, ...times(20, { agent_id: "busy", cost_usd: 0.01 })];
    const past = [...even, ...even, ...even];

    expect(budgetEaters({ now: even, past }, 3)).toEqual([]);
    expect(budgetEaters({ now: cheap, past: [] }, 3)).toEqual([]);
    expect(budgetEaters({ now: times(3, { agent_id: "dear", cost_usd: 9 }), past: [] }, 3)).toEqual(
      [],
    );
    expect(budgetEaters({ now: [], past: [] }, 3)).toEqual([]);
  });
});
