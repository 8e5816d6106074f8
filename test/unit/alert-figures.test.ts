import { describe, expect, it } from "vitest";

import { alertSource, objectiveSource } from "../../src/observe/alerts/alert-source.ts";
import { meterFigure, meterShare } from "../../src/observe/alerts/figures/meter-figures.ts";
import { momentsOf, type MomentParts } from "../../src/observe/alerts/figures/moments.ts";
import {
  NO_TASKS,
  taskFigure,
  taskShare,
  type TaskSums,
} from "../../src/observe/alerts/figures/task-figures.ts";
import { objectivesInForce } from "../../src/observe/alerts/objectives/default-objectives.ts";
import { observe, subjectOf } from "../../src/observe/alerts/observation.ts";
import type { FigureMetric, Figures } from "../../src/observe/alerts/ports.ts";
import { defaultRules } from "../../src/observe/alerts/rules/default-rules.ts";
import type { AlertRule } from "../../src/protocol/alerts.ts";
import type { ObjectiveStatus } from "../../src/protocol/objectives.ts";

const SUMS: TaskSums = {
  ...NO_TASKS,
  created: 30,
  completed: 12,
  failed: 3,
  escalated: 1,
  cancelled: 4,
  duration_ms: 200_000,
  cost_nano_usd: 2_500_000_000,
  tokens: 700,
  quality_sum: 2_400_000,
  quality_count: 3,
  escalations: 2,
  // Ten of at most a second, ten of at most five.
  durations: [10, 10],
};

describe("a figure of tasks", () => {
  it.each<[FigureMetric, number, number | null]>([
    ["task_failure_rate", 4 / 16, 16],
    ["task_duration_mean_s", 10, 20],
    ["task_duration_p95_s", 4.6, 20],
    ["tasks_created", 30, null],
    ["tasks_ended", 20, null],
    ["cost_usd", 2.5, null],
    ["tokens", 700, null],
    ["quality_mean", 0.8, 3],
    ["escalations", 2, null],
  ])("%s is made of what was summed", (metric, value, samples) => {
    const figure = taskFigure(metric, SUMS);

    expect(figure?.value).toBeCloseTo(value);
    expect(figure?.samples).toBe(samples);
  });

  it("is nothing where there is nothing to take a mean of, and 0 where there is nothing to count", () => {
    expect(taskFigure("task_failure_rate", NO_TASKS)).toBeNull();
    expect(taskFigure("task_duration_p95_s", NO_TASKS)).toBeNull();
    expect(taskFigure("quality_mean", NO_TASKS)).toBeNull();
    expect(taskFigure("tasks_created", NO_TASKS)).toEqual({ value: 0, samples: null });
    expect(taskFigure("slots_free", SUMS)).toBeNull();
  });

  it("counts for an objective what completed, or what ended in time", () => {
    expect(taskShare({ indicator: "task_success" }, SUMS)).toEqual({ good: 12, total: 16 });
    const inTime = (limit_s: number) => taskShare({ indicator: "task_in_time", limit_s }, SUMS);
    expect(inTime(1)).toEqual({ good: 10, total: 20 });
    expect(inTime(5)).toEqual({ good: 20, total: 20 });
  });
});

const TALLY = {
  "batuta_http_requests_total /v1/tasks GET 2xx": [90],
  "batuta_http_requests_total /v1/tasks POST 5xx": [10],
  // A tenth of a second (bounds: 0.005, 0.01, 0.025, 0.05, 0.1 …), in milliseconds, and the buckets.
  "batuta_http_request_duration_seconds /v1/tasks GET": [9_000, 0, 0, 0, 0, 100],
  "batuta_delivery_attempts_total success": [3],
  "batuta_delivery_attempts_total failure": [1],
  "batuta_deliveries_total delivered": [8],
  "batuta_deliveries_total exhausted": [2],
  "batuta_deliveries_total cancelled": [5],
  batuta_delivery_latency_seconds: [900, 20],
};

describe("a technical figure", () => {
  it.each<[FigureMetric, number, number]>([
    ["http_error_rate", 0.1, 100],
    ["http_latency_p95_s", 0.0975, 100],
    ["delivery_failure_rate", 0.25, 4],
    ["delivery_latency_p95_s", 0.0475, 20],
  ])("%s is made of what was counted", (metric, value, samples) => {
    const figure = meterFigure(metric, TALLY);

    expect(figure?.value).toBeCloseTo(value);
    expect(figure?.samples).toBe(samples);
    expect(meterFigure(metric, {})).toBeNull();
  });

  it("counts for an objective what arrived, and what was answered", () => {
    expect(meterShare({ indicator: "delivery_success" }, TALLY)).toEqual({ good: 8, total: 10 });
    expect(meterShare({ indicator: "http_success" }, TALLY)).toEqual({ good: 90, total: 100 });
    expect(meterFigure("tasks_created", TALLY)).toBeNull();
  });
});

const agent = { state: "online", slots: 4, slots_in_use: 1, pools: ["default"] } as const;
const MOMENT: MomentParts = {
  agents: async (_tenant, { cursor }) => ({
    items: [{ ...agent, pools: [] }],
    next_cursor: cursor === undefined ? "more" : null,
  }),
  webhooks: async () => ({
    items: ["wh_1", "wh_2", "wh_3"].map((webhook_id) => ({ webhook_id })),
    next_cursor: null,
  }),
  oldestAge: async (_tenant, webhook_id) => (webhook_id === "wh_2" ? 70 : null),
  open: async (_tenant, what) => (what === "escalations_open" ? 3 : 4),
};

describe("what holds at the moment", () => {
  it.each([
    ["agents_online", 2],
    ["slots_free", 6],
    ["delivery_oldest_age_s", 70],
    ["escalations_open", 3],
    ["cleanup_debts_open", 4],
  ] as const)("%s is asked of where it is", async (metric, value) => {
    expect(await momentsOf(MOMENT)("acme", metric)).toBe(value);
  });

  it("says nothing of executors where there is none", async () => {
    const none = momentsOf({ ...MOMENT, agents: async () => ({ items: [], next_cursor: null }) });

    expect(await none("acme", "agents_online")).toBeNull();
  });
});

const objectives = objectivesInForce([]);
const fast = defaultRules(objectives).find(({ rule_id }) => rule_id === "task-success-burn-fast");
if (fast === undefined) throw new Error("there is no such default rule");
const FAST: AlertRule = fast;

describe("a burn rate", () => {
  /** Bad ones of a hundred in the last hour, and in the last five minutes. */
  const look = (long: number, short: number | null) => {
    const figures: Figures = {
      figure: async () => null,
      history: async () => [],
      share: async (_objective, window_s) => {
        const bad = window_s === 3_600 ? long : short;
        return bad === null ? { good: 0, total: 0 } : { good: 100 - bad, total: 100 };
      },
    };
    return observe(figures, FAST, { objectives, until: 0 });
  };

  it.each([
    ["is bad where both windows are", 80, 90, 16],
    ["is over where the short one is well again", 80, 5, 1],
    ["is not moved by a moment", 10, 100, 2],
    ["is over where nothing happens any more", 80, null, 0],
  ])("%s", async (_title, long, short, score) => {
    const seen = await look(long, short);

    expect(seen?.observation.score).toBeCloseTo(score);
    expect(seen?.evidence).toMatchObject({ short_window_s: 300, target: 0.95 });
  });

  it("is of its objective, and unknown without one", async () => {
    const figures: Figures = {
      figure: async () => null,
      history: async () => [],
      share: async () => ({ good: 0, total: 0 }),
    };

    expect(subjectOf(FAST)).toBe("task-success");
    expect(await observe(figures, FAST, { objectives: [], until: 0 })).toBeNull();
    expect(await observe(figures, FAST, { objectives, until: 0 })).toBeNull();
  });
});

describe("alerts and objectives at /metrics", () => {
  const status: ObjectiveStatus = {
    schema_version: "1.0",
    title: "Tasks complete",
    indicator: "task_success",
    target: 0.9,
    window_days: 28,
    slo_id: "task-success",
    source: "default",
    total: 100,
    good: 95,
    attained: 0.95,
    budget_total: 10,
    budget_left: 5,
    burn_rate_1h: null,
    burn_rate_6h: null,
  };

  it("are shown by severity, and as a share of the budget", async () => {
    const alerts = await alertSource(async () => new Map([["error", 2]])).read("acme");
    const budgets = await objectiveSource(async () => [status]).read("acme");

    expect(
      alerts.samples.map((sample) => [sample.labels, "value" in sample && sample.value]),
    ).toEqual([
      [{ severity: "info" }, 0],
      [{ severity: "warning" }, 0],
      [{ severity: "error" }, 2],
      [{ severity: "critical" }, 0],
    ]);
    expect(budgets.samples).toEqual([
      { metric: "batuta_slo_target", labels: { slo_id: "task-success" }, value: 0.9 },
      { metric: "batuta_slo_attained", labels: { slo_id: "task-success" }, value: 0.95 },
      { metric: "batuta_slo_budget_left", labels: { slo_id: "task-success" }, value: 0.5 },
    ]);
  });

  it("have no share of nothing", async () => {
    const { samples } = await objectiveSource(async () => [{ ...status, attained: null }]).read(
      "acme",
    );

    expect(samples.map(({ metric }) => metric)).toEqual(["batuta_slo_target"]);
  });
});
