import { describe, expect, it } from "vitest";

import { AMOUNTS, type Amount } from "../../src/db/rollup-table.ts";
import { figuresOverTime } from "../../src/observe/rollup/over-time.ts";
import { taskSeries, type Amounts } from "../../src/observe/rollup/task-series.ts";
import { taskSamples } from "../../src/observe/rollup/task-totals.ts";
import { seriesNameSchema, type SeriesName } from "../../src/protocol/metric-series.ts";
import { metricsQuerySchema } from "../../src/protocol/observation.ts";
import { T0 } from "../task-news.ts";

const NONE = Object.fromEntries(AMOUNTS.map((name) => [name, 0])) as Record<Amount, number>;
const amounts = (changes: Partial<Amounts>): Amounts => ({ ...NONE, ...changes });

const QUERY = { from: 0, to: 180, step_s: 60, task_type: null, agent_id: null };

function seriesOf(name: SeriesName, changes: Partial<Amounts>) {
  const found = { steps: new Map([[60, amounts(changes)]]), coarse: [{ step: 60, bucket: 120 }] };
  return taskSeries([name], found, QUERY).map(({ stat, labels, points }) => [
    stat,
    Object.values(labels)[0] ?? null,
    points.map(([, value]) => value),
  ]);
}

describe("the series of tasks", () => {
  it("count what happened, are 0 where nothing did, and null where nobody knows", () => {
    expect(seriesOf("tasks_created", { created: 3 })).toEqual([["sum", null, [0, 3, null]]]);
    expect(seriesOf("tasks_ended", { completed: 2, failed: 1 })).toEqual([
      ["sum", "completed", [0, 2, null]],
      ["sum", "failed", [0, 1, null]],
      ["sum", "cancelled", [0, 0, null]],
      ["sum", "escalated", [0, 0, null]],
    ]);
    expect(seriesOf("cost_usd", { cost_nano_usd: 1_500_000_001 })[0]?.[2]).toEqual([
      0,
      1.500_000_001,
      null,
    ]);
    expect(seriesOf("notifications", { task_started: 4 })[0]).toEqual([
      "sum",
      "task_started",
      [0, 4, null],
    ]);
  });

  it("make means of scores, and none of nothing", () => {
    expect(seriesOf("task_quality", { quality_sum: 1_700_000, quality_count: 2 })).toEqual([
      ["mean", null, [null, 0.85, null]],
    ]);
    expect(seriesOf("task_rating", { created: 1 })).toEqual([["mean", null, [null, null, null]]]);
  });

  it("find percentiles within their bucket, as histogram_quantile does", () => {
    // Ten tasks up to 1 s, ten of 5 to 15 s: the median ends the first bucket, the 95th is 9 tenths into the third.
    const durations = { duration_0: 10, duration_2: 10, duration_ms: 110_000 };

    const values = seriesOf("task_duration", durations).map(([stat, , points]) => [stat, points]);

    expect(values).toEqual([
      ["mean", [null, 5.5, null]],
      ["p50", [null, 1, null]],
      ["p95", [null, 14, null]],
      ["p99", [null, 14.8, null]],
    ]);
    expect(seriesOf("task_duration", { duration_13: 1 })[1]?.[2]).toEqual([null, 86_400, null]);
  });
});

describe("figures over time", () => {
  /** What is kept in hours only: of tasks, of technical figures, or of both. */
  async function ask(query: Record<string, string>, coarse: ("tasks" | "technical")[] = []) {
    const asked: object[] = [];
    const metrics = await figuresOverTime(
      {
        now: () => T0 + 90_000,
        tasks: async (_tenant, range) => {
          asked.push(range);
          return {
            steps: new Map([[range.from, amounts({ tokens: 5 })]]),
            coarse: coarse.includes("tasks") ? [{ step: 3_600, bucket: range.from }] : [],
          };
        },
        technical: async (_tenant, { metrics: names }) => ({
          series: names
            .filter((name) => name === "deliveries")
            .map((metric) => ({ metric, stat: "sum", labels: {}, points: [] })),
          isComplete: !coarse.includes("technical"),
        }),
      },
      "acme",
      metricsQuerySchema.parse(query),
    );
    return { metrics, asked };
  }
  const second = T0 / 1_000;

  it("are of whole steps, the last of which holds the end or ends there: 60 where no range is given", async () => {
    const now = await ask({ step: "60" });
    const then = await ask({ step: "3600", range: "3601", until: "2026-11-22T00:00:00Z" });

    expect(now.asked).toMatchObject([{ from: second + 120 - 3_600, to: second + 120 }]);
    expect(now.metrics).toMatchObject({
      window_s: 3_600,
      until: "2026-11-22T00:02:00.000Z",
      groups: [],
      sampled: { is_complete: true },
      tokens: { orchestrator: 0, executor: 5 },
    });
    expect(then.asked).toMatchObject([{ from: second - 7_200, to: second, step_s: 3_600 }]);
  });

  it.each([
    ["deliveries", "technical", false],
    ["deliveries", "tasks", true],
    ["tokens", "technical", true],
    ["tokens", "tasks", false],
    ["tokens,deliveries", "technical", false],
  ] as const)("of %s are complete where %s are kept in hours only: %s", async (names, of, is) => {
    const { metrics } = await ask({ step: "60", metrics: names }, [of]);

    expect(metrics.sampled.is_complete).toBe(is);
  });

  it("come in the order in which they are asked for, all of them where none is named", async () => {
    const named = await ask({ step: "60", metrics: "tokens,deliveries,tasks_created" });
    const all = await ask({ step: "60" });

    expect(named.metrics.series.map(({ metric }) => metric)).toEqual([
      "tokens",
      "deliveries",
      "tasks_created",
    ]);
    const technical = [
      "delivery_latency",
      "http_requests",
      "http_request_duration",
      "rows_written",
    ];
    expect([...new Set(all.metrics.series.map(({ metric }) => metric))]).toEqual(
      seriesNameSchema.options.filter((name) => !technical.includes(name)),
    );
  });

  it("are those that filters leave a meaning", async () => {
    const { metrics, asked } = await ask({ step: "60", agent_id: "exec-1" });

    expect(asked).toMatchObject([{ agent_id: "exec-1", task_type: null }]);
    const names = new Set<string>(metrics.series.map(({ metric }) => metric));
    expect(
      ["tasks_created", "escalations", "deliveries"].filter((name) => names.has(name)),
    ).toEqual([]);
    expect(names.has("tasks_ended")).toBe(true);
  });
});

describe("the totals of tasks", () => {
  it("are added up over types, but where the type is a label", () => {
    const samples = taskSamples([
      {
        task_type: "testing",
        amounts: amounts({ created: 2, completed: 1, duration_0: 1, tokens: 3 }),
      },
      {
        task_type: "general",
        amounts: amounts({ created: 1, failed: 1, duration_0: 1, tokens: 4 }),
      },
    ]);
    const valueOf = (metric: string, labels: object) =>
      samples.find(
        (sample) =>
          sample.metric === metric && JSON.stringify(sample.labels) === JSON.stringify(labels),
      );

    expect(valueOf("batuta_tasks_created_total", { task_type: "testing" })).toMatchObject({
      value: 2,
    });
    expect(valueOf("batuta_tasks_total", { status: "failed", task_type: "general" })).toMatchObject(
      {
        value: 1,
      },
    );
    expect(valueOf("batuta_tokens_total", { role: "executor" })).toMatchObject({ value: 7 });
    expect(valueOf("batuta_task_duration_seconds", {})).toMatchObject({
      counts: [2, ...Array.from({ length: 13 }, () => 0)],
    });
    expect(taskSamples([])).toEqual([]);
  });
});
