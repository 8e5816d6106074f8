import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { createObservatory } from "../../src/observe/observatory.ts";
import type { Insights, Metrics } from "../../src/protocol/observation.ts";
import { endedView, failedView } from "../seeded-runs.ts";
import { at, escalationOf, T0 } from "../task-news.ts";
import { Executor, call, ended, eventually, submit } from "./batuta.ts";
import { recordingDb, rowsReadBy } from "./recording-db.ts";
import { newTenant, seed } from "./tenant.ts";

const HOUR = 3_600;
const usage = (duration_s: number, cost_usd: number, tokens: number) => ({
  usage: { duration_s, cost_usd, tokens },
});

const of = (tenant: string, seconds: number, db: D1Database = env.DB) => {
  const keptMs = 30 * 24 * HOUR * 1_000;
  const observatory = createObservatory({
    endpoints: (query) => query(db),
    history: (_tenant, query) => query(db),
    keptMs,
    now: () => T0 + seconds * 1_000,
    forecast: async () => null,
  });
  return {
    metrics: (query: Partial<Parameters<typeof observatory.metrics>[1]> = {}) =>
      observatory.metrics(tenant, { window: 86_400, by: "agent", ...query }),
    insights: (window: number) => observatory.insights(tenant, window),
  };
};

describe("the metrics of a seeded history", () => {
  beforeAll(async () => {
    await seed(
      "figures",
      [
        endedView("a", { ...usage(10, 0.1, 100), quality_assessment: { overall_score: 1 } }),
        endedView("b", { ...usage(20, 0.2, 200), quality_assessment: { overall_score: 0.8 } }),
        endedView("c", { ...usage(30, 0, 0), quality_assessment: null, attempt: 2 }),
        failedView("d", "disk", { ...usage(90, 0.3, 300), attempt: 3 }),
        failedView("e", "disk", { agent_id: "exec-2", created_at: at(5 * HOUR) }),
        failedView("f", "net", { agent_id: "exec-2", created_at: at(5 * HOUR + 1), attempt: 2 }),
        endedView("g", { agent_id: "exec-2", created_at: at(29 * HOUR), task_type: "testing" }),
        endedView("too-old", { created_at: at(-1) }),
      ],
      [
        escalationOf({ escalation_id: "esc_1_d", task_id: "d" }),
        escalationOf({ escalation_id: "esc_1_e", task_id: "e", created_at: at(5 * HOUR) }),
      ],
    );
    await seed("figures-of-others", [endedView("foreign")]);
  });

  it("do not pretend to know all of a window that is longer than tasks are kept", async () => {
    const [kept, longer] = [30 * 24 * HOUR, 30 * 24 * HOUR + 1];
    const { metrics, insights } = of("figures", 86_400);
    const isComplete = async (window: number) => [
      (await metrics({ window })).sampled.is_complete,
      (await insights(window)).sampled.is_complete,
    ];

    expect(await isComplete(kept)).toEqual([true, true]);
    expect(await isComplete(longer)).toEqual([false, false]);
  });

  it("are exact numbers for each agent", async () => {
    const { groups, sampled, tokens, since, until } = await of("figures", 86_400).metrics();

    expect([since, until]).toEqual([at(0), at(86_400)]);
    expect(sampled).toEqual({ tasks: 6, limit: 5_000, is_complete: true });
    expect(tokens).toEqual({ orchestrator: 0, executor: 800 });
    expect(groups).toEqual([
      {
        key: "exec-1",
        volume: 4,
        open: 0,
        runs: 4,
        cancelled: 0,
        succeeded: 3,
        success_rate: 0.75,
        duration_s: { p50: 20, p95: 90 },
        quality: 0.9,
        cost_usd: 0.6,
        tokens: 600,
        escalations: 1,
        retries: 3,
        failure_causes: [{ cause: "disk", count: 1 }],
        retry_effect: { retried: 2, success_rate_retried: 0.5, success_rate_at_once: 1 },
      },
      expect.objectContaining({ key: "exec-2", volume: 2, success_rate: 0, escalations: 1 }),
    ]);
  });

  it("show the known pattern by task type and hour", async () => {
    const two_days = { window: 2 * 86_400 };

    const hours = await of("figures", 2 * 86_400).metrics({ ...two_days, by: "hour" });
    const types = await of("figures", 2 * 86_400).metrics({ ...two_days, by: "task_type" });

    expect(hours.groups.map(({ key, volume, runs }) => [key, volume, runs])).toEqual([
      ["00", 4, 4],
      ["05", 3, 3],
    ]);
    expect(hours.groups[1]).toMatchObject({
      success_rate: 1 / 3,
      failure_causes: [
        { cause: "disk", count: 1 },
        { cause: "net", count: 1 },
      ],
      retry_effect: { retried: 1, success_rate_retried: 0, success_rate_at_once: 0.5 },
    });
    expect(types.groups.map(({ key, volume }) => [key, volume])).toEqual([
      ["data_analysis", 6],
      ["testing", 1],
    ]);
    const both = await of("figures", 2 * 86_400).metrics({ ...two_days, by: "task_type_hour" });
    expect(both.groups.map(({ key, volume }) => [key, volume])).toEqual([
      ["data_analysis/00", 4],
      ["data_analysis/05", 2],
      ["testing/05", 1],
    ]);
  });

  it("keep to an agent and a type", async () => {
    const all = { window: 2 * 86_400 };

    const own = await of("figures", 2 * 86_400).metrics({ ...all, agent_id: "exec-2" });
    const both = await of("figures", 2 * 86_400).metrics({
      ...all,
      agent_id: "exec-2",
      task_type: "testing",
    });

    expect(own.groups.map(({ key, volume }) => [key, volume])).toEqual([["exec-2", 3]]);
    expect(both.groups.map(({ volume }) => volume)).toEqual([1]);
    expect(both.tokens.executor).toBe(100);
  });

  it("look at the newest 5,000 tasks, however many there are", async () => {
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
       INSERT INTO task (tenant, task_id, created_at, seq, status, phase, task_type, priority, agent_id, tags,
         events_to, view, bulk, events)
       SELECT 'many', 'task-' || i, strftime('%Y-%m-%dT%H:%M:%S.000Z', ?1 + i, 'unixepoch'),
         1, 'completed', 'ended', 'general', 'normal', 'exec-1', '[]', 0, ?2, NULL, '[]' FROM n`,
    )
      .bind(T0 / 1_000, JSON.stringify(endedView("x")))
      .run();
    const recording = recordingDb(env.DB);

    const { sampled } = await of("many", 86_400, recording.db).metrics();

    expect(sampled).toEqual({ tasks: 5_000, limit: 5_000, is_complete: false });
    const [runs] = recording.sent;
    if (runs === undefined) throw new Error("nothing was asked");
    expect(await rowsReadBy(env.DB, runs)).toBeLessThanOrEqual(10_010);
  });
});

describe("the insights of a seeded history", () => {
  it("begin with the anomaly, and are none without data", async () => {
    const many = (count: number, make: (index: number) => ReturnType<typeof endedView>) =>
      Array.from({ length: count }, (_, index) => make(index));
    const before = many(60, (i) =>
      endedView(`past-${i}`, { agent_id: i % 2 ? "steady" : "broken", created_at: at(i) }),
    );
    const now = many(40, (i) => {
      const created_at = at(4 * HOUR + i);
      return i % 2 === 0
        ? failedView(`now-${i}`, `cause-${i}`, { agent_id: "broken", created_at })
        : endedView(`now-${i}`, { agent_id: "steady", created_at });
    });
    const costly = endedView("costly", { ...usage(10, 5, 0), created_at: at(4 * HOUR) });
    await seed("anomaly", [...before, ...now, costly]);

    const { items, compared_since } = await of("anomaly", 5 * HOUR).insights(2 * HOUR);

    expect(compared_since).toBe(at(-3 * HOUR));
    expect(items[0]).toMatchObject({
      rule: "failure_rate_risen",
      subject: { kind: "agent", id: "broken" },
      evidence: { runs: 20, failure_rate: 1, past_runs: 30, past_failure_rate: 0 },
    });
    expect(items.slice(1).map(({ rule }) => rule)).toEqual(["cost_outliers"]);
    expect((await of("nobody", 0).insights(2 * HOUR)).items).toEqual([]);
  });

  it("name questions that wait", async () => {
    const escalation = escalationOf({ escalation_id: "esc_1_q", task_id: "q" });
    await seed(
      "waiting",
      [endedView("q", { status: "escalated", phase: "awaiting_input" })],
      [escalation],
    );

    const { items } = await of("waiting", 2 * HOUR).insights(HOUR);

    expect(items[0]).toMatchObject({
      rule: "escalations_waiting",
      evidence: { open: 1, oldest_wait_s: 2 * HOUR },
    });
  });
});

describe("figures and findings over REST", () => {
  it("are of tasks that really ran, with no tokens for the orchestrator", async () => {
    const executor = await new Executor("observed").register();
    const { task_id } = await submit({ requires: { capabilities: ["observed"] } });
    await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();
    await ended(task_id);

    const { body } = await eventually(
      () => call<Metrics>("GET", "/v1/metrics?window=3600&agent_id=observed"),
      (answer) => answer.body.groups[0]?.runs === 1,
    );

    expect(body.groups[0]).toMatchObject({ key: "observed", success_rate: 1, tokens: 10 });
    expect(body.tokens).toEqual({ orchestrator: 0, executor: 10 });
  });

  it("are those of the key's tenant", async () => {
    const own = await newTenant("quiet");

    const metrics = await own<Metrics>("GET", "/v1/metrics");
    const insights = await own<Insights>("GET", "/v1/insights");

    expect([metrics.status, metrics.body.groups]).toEqual([200, []]);
    expect([insights.status, insights.body.items]).toEqual([200, []]);
  });

  it("give the same task another estimate when history is another one", async () => {
    const now = Date.now();
    const types = [
      ["swift", 2],
      ["sluggish", 500],
    ] as const;
    const estimates: (string | undefined)[] = [];
    for (const [tenant, duration_s] of types) {
      const views = Array.from({ length: 5 }, (_, index) =>
        endedView(`past-${index}`, {
          task_type: "research",
          created_at: new Date(now - 60_000).toISOString(),
          ...usage(duration_s, 0, 0),
        }),
      );
      await seed(tenant, views);
      const own = await newTenant(tenant);
      const task = {
        task_type: "research",
        description: "the same task in both tenants",
        requires: { capabilities: ["nobody-has-this"] },
      };
      const { body } = await own<{ task_id: string }>("POST", "/v1/tasks", task);
      const explained = await own<{ waiting_for: { kind: string; detail: string }[] }>(
        "GET",
        `/v1/tasks/${body.task_id}/explain`,
      );
      estimates.push(explained.body.waiting_for.find(({ kind }) => kind === "estimate")?.detail);
    }

    expect(estimates[0]).toContain("takes 2 s at the median");
    expect(estimates[1]).toContain("takes 500 s at the median");
  });
});
