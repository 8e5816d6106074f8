import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { writeHistory } from "../../src/history/history-store.ts";
import type { TaskNews } from "../../src/history/news.ts";
import { project } from "../../src/history/projection.ts";
import { readRating, writeRating } from "../../src/history/rating-store.ts";
import { removeTasks } from "../../src/history/removed-store.ts";
import { outcomeOfView } from "../../src/history/removed.ts";
import { foldRollup, readDueFolds } from "../../src/history/rollup-store.ts";
import { readRollup, readRollupTotals } from "../../src/observe/rollup/rollup-store.ts";
import { taskSeries } from "../../src/observe/rollup/task-series.ts";
import { LAST, LIVES, newsOfLife } from "../rollup-news.ts";
import { at, T0, viewOf } from "../task-news.ts";
import { fullScans, planOf, recordingDb, rollUpSearches } from "./recording-db.ts";

let tenants = 0;
const newTenant = () => `folded-${(tenants += 1)}`;

const DAY = T0 / 1_000;
const HOUR_LATER = { from: 60, to: 3_600, before: DAY + 3_600 };

const write = (...news: TaskNews[]) => writeHistory(env.DB, project(news));

async function live(tenant: string): Promise<void> {
  await write(...LIVES.map((life) => newsOfLife(tenant, life, { from: 1, to: LAST })));
}

describe("folding the roll-up", () => {
  const HOURS = { from: 3_600, to: 86_400, before: DAY + 86_400 };
  const seriesOf = async (tenant: string, step_s: number) => {
    const query = { from: DAY, to: DAY + 86_400, step_s, task_type: null, agent_id: null };
    const names = ["tasks_created", "tasks_ended", "cost_usd", "notifications"] as const;
    return taskSeries(names, await readRollup(env.DB, tenant, query), query);
  };

  it("changes no figure of the longer steps and no total, whenever it is done and however often", async () => {
    const tenant = newTenant();
    await live(tenant);
    const before = [await seriesOf(tenant, 86_400), await readRollupTotals(env.DB, tenant)];
    const hours = await seriesOf(tenant, 3_600);

    await foldRollup(env.DB, tenant, HOUR_LATER);
    await foldRollup(env.DB, tenant, HOUR_LATER);
    expect(await seriesOf(tenant, 3_600)).toEqual(hours);
    expect([await seriesOf(tenant, 86_400), await readRollupTotals(env.DB, tenant)]).toEqual(
      before,
    );

    // News that are late are counted in their own minute, and folded in their turn.
    await write(
      newsOfLife(
        tenant,
        { task_id: "late", task_type: "data_analysis", asks: [], end: null },
        { from: 1, to: 2 },
      ),
    );
    await foldRollup(env.DB, tenant, HOURS);
    await foldRollup(env.DB, tenant, HOUR_LATER);
    await foldRollup(env.DB, tenant, HOURS);

    const { results } = await env.DB.prepare("SELECT * FROM task_rollup WHERE tenant = ?")
      .bind(tenant)
      .all();
    const steps = results.map(({ step, created }) => [step, created]);
    expect(steps).toEqual([
      [-86_400, 3],
      [-86_400, 1],
      [-86_400, 0],
      [0, 3],
      [0, 1],
      [0, 0],
      [86_400, 3],
      [86_400, 0],
      [86_400, 1],
      [86_400, 0],
    ]);
    const [created] = await seriesOf(tenant, 86_400);
    expect(created?.points).toEqual([[DAY, 4]]);
  });

  it("says nothing of steps that are finer than what is left, and 0 of those where nothing was", async () => {
    const tenant = newTenant();
    await live(tenant);
    await foldRollup(env.DB, tenant, HOUR_LATER);

    const query = {
      from: DAY - 3_600,
      to: DAY + 7_200,
      step_s: 300,
      task_type: null,
      agent_id: null,
    };
    const [created] = taskSeries(["tasks_created"], await readRollup(env.DB, tenant, query), query);

    const values = created?.points.map(([, value]) => value) ?? [];
    expect(values).toEqual([
      ...Array.from({ length: 12 }, () => 0),
      ...Array.from({ length: 12 }, () => null),
      ...Array.from({ length: 12 }, () => 0),
    ]);
  });

  it("finds the tenants that are due, with their oldest step, and no other", async () => {
    const [one, other] = [newTenant(), newTenant()];
    await live(one);
    await live(other);
    const due = async () => {
      const found = await readDueFolds(env.DB, HOUR_LATER, 1_000);
      return found.filter(({ tenant }) => tenant === one || tenant === other);
    };

    expect(await due()).toEqual([
      { tenant: one, oldest: DAY },
      { tenant: other, oldest: DAY },
    ]);
    await foldRollup(env.DB, one, HOUR_LATER);
    expect(await due()).toEqual([{ tenant: other, oldest: DAY }]);
  });
});

describe("the ratings of tasks", () => {
  const ratingOf = (tenant: string, score: number) => ({
    tenant,
    task_id: "success",
    score,
    counted: score * 1_000_000,
    comment: null,
    rated_by: "key_1",
    rated_at: at(300),
    bucket: DAY + 120,
    task_type: "data_analysis",
    agent_id: "exec-1",
  });
  const counted = async (tenant: string) => {
    const query = { from: DAY, to: DAY + 86_400, step_s: 86_400, task_type: null, agent_id: null };
    const { steps } = await readRollup(env.DB, tenant, query);
    const { rating_sum, rating_count } = steps.get(DAY) ?? {};
    return [rating_sum, rating_count];
  };

  it("count once for each task, at its end, the last one that came, also after folding", async () => {
    const tenant = newTenant();
    await live(tenant);

    await writeRating(env.DB, ratingOf(tenant, 0.5));
    expect(await counted(tenant)).toEqual([500_000, 1]);
    await foldRollup(env.DB, tenant, HOUR_LATER);
    await Promise.all([0.75, 0.25, 1].map((score) => writeRating(env.DB, ratingOf(tenant, score))));

    const score = (await readRating(env.DB, tenant, "success"))?.score ?? 0;
    expect(await counted(tenant)).toEqual([score * 1_000_000, 1]);
    await foldRollup(env.DB, tenant, HOUR_LATER);
    expect(await counted(tenant)).toEqual([score * 1_000_000, 1]);
  });

  it("go with their task when history removes it, and none is written afterwards", async () => {
    const tenant = newTenant();
    await live(tenant);
    await writeRating(env.DB, ratingOf(tenant, 0.5));
    const removal = {
      task_id: "success",
      created_at: at(0),
      seq: LAST,
      ended_at: at(130),
      removed_at: at(200),
      outcome: outcomeOfView(viewOf()),
      place: null,
      escalation_ids: [],
      debt_ids: [],
    };

    await removeTasks(env.DB, tenant, [removal]);

    expect(await readRating(env.DB, tenant, "success")).toBeNull();
    expect(await writeRating(env.DB, ratingOf(tenant, 1))).toBe(false);
    expect(await readRating(env.DB, tenant, "success")).toBeNull();
    expect(await counted(tenant)).toEqual([500_000, 1]);
  });
});

describe("the plan of a query of the roll-up", () => {
  const range = { from: 0, to: 60, task_type: "testing", agent_id: "x" };
  const rating = {
    tenant: "a",
    task_id: "t",
    score: 1,
    counted: 1,
    comment: null,
    rated_by: "k",
    rated_at: at(0),
    bucket: 0,
    task_type: "testing",
    agent_id: "",
  };
  const [life] = LIVES;
  const news = life === undefined ? [] : [newsOfLife("a", life, { from: 1, to: LAST })];
  const QUERIES: [what: string, ask: (db: D1Database) => Promise<unknown>, by: RegExp][] = [
    ["count facts", (db) => writeHistory(db, project(news)), /SEARCH task USING PRIMARY KEY/],
    [
      "read steps",
      (db) => readRollup(db, "a", { ...range, agent_id: null, step_s: 300 }),
      /task_rollup USING PRIMARY KEY \(tenant=\? AND step=\? AND bucket>/,
    ],
    [
      "read steps of one executor among thousands",
      (db) => readRollup(db, "a", { ...range, step_s: 86_400 }),
      /task_rollup USING PRIMARY KEY \(tenant=\? AND step=\? AND bucket(=\? AND task_type=\? AND agent_id=|>)/,
    ],
    [
      "read days",
      (db) => readRollup(db, "a", { ...range, agent_id: null, step_s: 86_400 }),
      /task_rollup USING PRIMARY KEY \(tenant=\? AND step=\? AND bucket>/,
    ],
    [
      "read totals",
      (db) => readRollupTotals(db, "a"),
      /task_rollup USING PRIMARY KEY \(tenant=\? AND step=\?/,
    ],
    [
      "find who is due",
      (db) => readDueFolds(db, { from: 60, before: 60 }, 5),
      // The first tenant, and the one after each, is a row each.
      /SEARCH old USING PRIMARY KEY \(tenant=\? AND step=\? AND bucket<|PRIMARY KEY( \(tenant>\?\))?$/,
    ],
    [
      "fold",
      (db) => foldRollup(db, "a", HOUR_LATER),
      /task_rollup USING PRIMARY KEY \(tenant=\? AND step=\? AND bucket</,
    ],
    [
      "rate",
      (db) => writeRating(db, rating),
      /SEARCH old USING PRIMARY KEY \(tenant=\? AND task_id=/,
    ],
    ["read a rating", (db) => readRating(db, "a", "t"), /SEARCH task_rating USING PRIMARY KEY/],
  ];

  it.each(QUERIES)("uses the key and scans no table to %s", async (_what, ask, by) => {
    const recording = recordingDb(env.DB);
    await ask(recording.db);

    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));

    expect(plans.flatMap(fullScans)).toEqual([]);
    expect(plans.flat().some((line) => by.test(line))).toBe(true);
    expect(plans.flatMap(rollUpSearches).filter((line) => !by.test(line))).toEqual([]);
  });
});
