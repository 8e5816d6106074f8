import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import type { MetricSeries, Rating } from "../../src/protocol/metric-series.ts";
import type { Metrics } from "../../src/protocol/observation.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import { sweepRollups } from "../../src/services-sweep.ts";
import { readPrometheus, valueIn } from "../prometheus-text.ts";
import { call, eventually, Executor } from "./batuta.ts";
import type { Answered } from "./batuta.ts";
import { newTenant } from "./tenant.ts";

const TENANT = "business";
const DAY = 86_400;

type Call = Awaited<ReturnType<typeof newTenant>>;
let own: Call;
let observer: string;

/** The sum of all points of each line, by its label, or by its statistic where it has none. */
function sums(series: readonly MetricSeries[], name: string): Record<string, number> {
  const lines = series.filter(({ metric }) => metric === name);
  return Object.fromEntries(
    lines.map(({ stat, labels, points }) => [
      Object.values(labels)[0] ?? stat,
      points.reduce((sum, [, value]) => sum + (value ?? 0), 0),
    ]),
  );
}

async function seriesOf(query: string): Promise<MetricSeries[]> {
  return (await own<Metrics>("GET", `/v1/metrics?${query}`)).body.series;
}

async function scrape() {
  const headers = { authorization: `Bearer ${observer}` };
  const response = await exports.default.fetch("https://batuta.test/metrics", { headers });
  return readPrometheus(await response.text());
}

async function submit(task_id: string, changes: object = {}): Promise<void> {
  await own("POST", "/v1/tasks", {
    task_id,
    task_type: "research",
    description: "a task of the scripted run",
    requires: { capabilities: ["business-executor"] },
    execution_options: {
      retry_policy: { max_retries: 1, retry_delay: 1, backoff_multiplier: 1 },
    },
    ...changes,
  });
}

const hasEnded = (task_id: string) =>
  eventually(
    () => own<TaskView>("GET", `/v1/tasks/${task_id}`),
    ({ body }) => body.phase === "ended",
  );

/** Two that succeed, one that fails for good, one that is cancelled, and one that waits. */
beforeAll(async () => {
  own = await newTenant(TENANT);
  const key = await own<{ key: string }>("POST", "/v1/keys", { name: "o", scopes: ["observe"] });
  observer = key.body.key;
  const executor = await new Executor("business-executor", own).register();
  for (const task_id of ["good-1", "good-2"]) {
    await submit(task_id);
    await executor.claim();
    await executor.start();
    await executor.progress(50);
    await executor.complete();
    await executor.end();
  }
  await submit("bad");
  await executor.claim();
  await executor.start();
  await executor.fail({ root_cause: { class: "permanent", detail: "no", evidence: "none" } });
  await executor.end("failure");
  await submit("unwanted", { task_type: "testing" });
  await own("POST", "/v1/tasks/unwanted/commands", { command: "cancel", reason: "unwanted" });
  await submit("waiting", { requires: { capabilities: ["nobody"] } });
  for (const task_id of ["good-1", "good-2", "bad", "unwanted"]) await hasEnded(task_id);
  await eventually(
    () => seriesOf(`step=${DAY}`),
    (series) =>
      Object.values(sums(series, "tasks_ended")).reduce((a, b) => a + b, 0) === 4 &&
      sums(series, "tasks_created")["sum"] === 5,
  );
}, 60_000);

/** What the scripted run comes to. */
async function expectFigures(step: number): Promise<void> {
  const series = await seriesOf(`step=${step}&range=${step * 3}`);
  expect(sums(series, "tasks_created")).toEqual({ sum: 5 });
  expect(sums(series, "tasks_ended")).toEqual({
    completed: 2,
    failed: 1,
    cancelled: 1,
    escalated: 0,
  });
  expect(sums(series, "notifications")).toEqual({
    task_started: 3,
    task_progress: 2,
    task_completed: 2,
    task_failed: 1,
    task_escalated: 0,
    agent_end_task: 4,
  });
  expect(sums(series, "cost_usd")["sum"]).toBeCloseTo(0.02, 9);
  expect(sums(series, "tokens")).toEqual({ sum: 20 });
  const quality = series.find(({ metric }) => metric === "task_quality");
  expect(new Set(quality?.points.flatMap(([, value]) => value ?? []))).toEqual(new Set([0.9]));
}

describe("the business metrics of a scripted run", () => {
  it("are exact by day, by type and by executor", async () => {
    await expectFigures(DAY);

    const ofType = await seriesOf(`step=${DAY}&task_type=testing`);
    const ofAgent = await seriesOf(`step=${DAY}&agent_id=business-executor`);

    expect(sums(ofType, "tasks_created")).toEqual({ sum: 1 });
    expect(sums(ofType, "tasks_ended")).toMatchObject({ completed: 0, cancelled: 1 });
    expect(sums(ofAgent, "tasks_ended")).toMatchObject({ completed: 2, failed: 1, cancelled: 0 });
    expect(sums(ofAgent, "tokens")).toEqual({ sum: 20 });
  });

  it("are exact at /metrics, in total and by type", async () => {
    const families = await scrape();

    const value = (name: string, labels: Record<string, string> = {}) =>
      valueIn(families, name, labels);
    expect(value("batuta_tasks_created_total", { task_type: "research" })).toBe(4);
    expect(value("batuta_tasks_created_total", { task_type: "testing" })).toBe(1);
    const research = { task_type: "research" };
    expect(value("batuta_tasks_total", { ...research, status: "completed" })).toBe(2);
    expect(value("batuta_tasks_total", { ...research, status: "failed" })).toBe(1);
    expect(value("batuta_task_duration_seconds_count")).toBe(4);
    expect(value("batuta_task_quality_count")).toBe(2);
    expect(value("batuta_task_quality_sum")).toBeCloseTo(1.8, 9);
    expect(value("batuta_notifications_total", { type: "task_progress" })).toBe(2);
    expect(value("batuta_tokens_total", { role: "executor" })).toBe(20);
    expect(value("batuta_cost_usd_total")).toBeCloseTo(0.02, 9);
    expect(value("batuta_scrape_complete", { source: "tasks" })).toBe(1);
  });

  it("stay exact when all news come again, and when minutes become hours and hours days", async () => {
    // Whether a row is written anew shows by this.
    await env.DB.prepare("UPDATE task SET priority = 'stale' WHERE tenant = ?").bind(TENANT).run();
    const before = await scrape();
    for (const task_id of ["good-1", "good-2", "bad", "unwanted", "waiting"]) {
      await own("POST", `/v1/tasks/${task_id}/rebuild`, {});
    }
    await eventually(
      () =>
        env.DB.prepare("SELECT count(*) AS n FROM task WHERE tenant = ? AND priority = 'stale'")
          .bind(TENANT)
          .first<number>("n"),
      (stale) => stale === 0,
    );
    await expectFigures(DAY);

    await sweepRollups(env, () => Date.now() + 5 * 3_600_000);
    await expectFigures(3_600);
    await sweepRollups(env, () => Date.now() + 92 * DAY * 1_000);
    await expectFigures(DAY);

    const after = await scrape();
    for (const name of ["batuta_tasks_created_total", "batuta_tasks_total"]) {
      expect(after.get(name)?.samples).toEqual(before.get(name)?.samples);
    }
    const steps = await env.DB.prepare("SELECT DISTINCT step FROM task_rollup WHERE tenant = ?")
      .bind(TENANT)
      .all<{ step: number }>();
    expect(steps.results.map(({ step }) => step)).toEqual([-DAY, 0, DAY]);
  });
});

describe("GET /v1/metrics with range and step", () => {
  it("answers equal steps, oldest first, the last of which holds the end", async () => {
    const until = "2026-01-01T00:00:30Z";
    const query = `step=60&range=180&until=${until}&metrics=tasks_created,task_duration`;

    const { status, body } = await own<Metrics>("GET", `/v1/metrics?${query}`);

    const end = Date.parse("2026-01-01T00:01:00Z") / 1_000;
    const starts = [end - 180, end - 120, end - 60];
    expect(status).toBe(200);
    expect(body).toMatchObject({
      window_s: 180,
      since: "2025-12-31T23:58:00.000Z",
      until: "2026-01-01T00:01:00.000Z",
      groups: [],
    });
    expect(body.series).toEqual([
      { metric: "tasks_created", stat: "sum", labels: {}, points: starts.map((at) => [at, 0]) },
      ...["mean", "p50", "p95", "p99"].map((stat) => ({
        metric: "task_duration",
        stat,
        labels: {},
        points: starts.map((at) => [at, null]),
      })),
    ]);
  });

  it("has as many points as the longest range, and no more", async () => {
    const count = async (query: string) => {
      const { status, body } = await own<Metrics>("GET", `/v1/metrics?${query}`);
      return status === 200 ? body.series[0]?.points.length : [status, body];
    };

    expect(await count("step=60&range=90000&metrics=tokens")).toBe(1_500);
    expect(await count("step=86400&range=129600000&metrics=tokens")).toBe(1_500);
    expect(await count("step=60&range=90001&metrics=tokens")).toMatchObject([400, {}]);
  });

  it("is as before without a step", async () => {
    const { body } = await own<Metrics>("GET", "/v1/metrics?by=task_type");

    expect(body.series).toEqual([]);
    expect(body.groups.map(({ key, volume }) => [key, volume])).toEqual([
      ["research", 4],
      ["testing", 1],
    ]);
  });
});

describe("the rating of a task", () => {
  const rate = (task_id: string, body: object) =>
    own<Rating>("PUT", `/v1/tasks/${task_id}/rating`, body);
  const rated = async () => {
    const [line] = await seriesOf(`step=${DAY}&metrics=task_rating`);
    return line?.points.flatMap(([, value]) => value ?? []);
  };
  const codeOf = ({ status, body }: Answered<object>) => [status, Reflect.get(body, "code")];

  it("is kept, replaced and counted once, as a mean of the step in which the task ended", async () => {
    expect(codeOf(await own("GET", "/v1/tasks/good-1/rating"))).toEqual([404, "rating_not_found"]);
    const first = await rate("good-1", { score: 0.2, comment: "Too short" });
    await rate("good-1", { score: 0.6 });
    await rate("good-2", { score: 1 });

    expect(first).toMatchObject({ status: 200, body: { score: 0.2, comment: "Too short" } });
    const { body } = await own<Rating>("GET", "/v1/tasks/good-1/rating");
    expect(body).toMatchObject({ task_id: "good-1", score: 0.6, comment: null });
    expect(await rated()).toEqual([0.8]);
  });

  it("is refused before the end, of no task, of a score that is none, and to those who only watch", async () => {
    expect(codeOf(await rate("waiting", { score: 1 }))).toEqual([409, "transition_refused"]);
    expect(codeOf(await rate("nowhere", { score: 1 }))).toEqual([404, "task_not_found"]);
    expect(codeOf(await rate("good-1", { score: 1.1 }))).toEqual([400, "validation_failed"]);
    const authorization = `Bearer ${observer}`;
    const sent = await call("PUT", "/v1/tasks/good-1/rating", { score: 1 }, { authorization });
    expect(codeOf(sent)).toEqual([403, "forbidden"]);
    expect(await rated()).toEqual([0.8]);
  });
});
