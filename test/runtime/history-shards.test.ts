import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import type { TaskView } from "../../src/protocol/task-view.ts";
import { eventOf, eventsOf, messageOf, REPORT_DATA, viewOf } from "../task-news.ts";
import { eventually } from "./batuta.ts";
import {
  askIn,
  both,
  FAR,
  far,
  live,
  NEAR,
  near,
  rowsOf,
  second,
  TENANTS,
} from "./two-databases.ts";

beforeAll(async () => {
  await Promise.all([live(near, "of-near", env.DB), live(far, "of-far", second)]);
});

afterEach(() => vi.restoreAllMocks());

describe("a history in two databases", () => {
  it("is written by the real queue to the database of each tenant, and to no other", async () => {
    for (const table of ["task", "task_rollup"]) {
      expect(await rowsOf(NEAR, table)).toEqual([expect.toBeOneOf([1, 2]), 0]);
      expect(await rowsOf(FAR, table)).toEqual([0, expect.toBeOneOf([1, 2])]);
    }
    const { results } = await env.DB.prepare(
      "SELECT tenant, shard FROM tenant_shard WHERE tenant IN (?, ?) ORDER BY shard",
    )
      .bind(NEAR, FAR)
      .all();
    expect(results).toEqual([
      { tenant: NEAR, shard: "DB" },
      { tenant: FAR, shard: "DB_1" },
    ]);
    expect(await rowsOf(FAR, "tenant_shard")).toEqual([1, 0]);
  });

  it("answers every question of either tenant", async () => {
    interface Listed {
      items: { task_id: string }[];
    }
    const lists = await both<Listed>("/v1/tasks");
    const metrics = await both<{ sampled: { tasks: number } }>("/v1/metrics");
    const series = await both<{ series: unknown[] }>("/v1/metrics?step=60&window=900");
    const insights = await both<{ sampled: { tasks: number } }>("/v1/insights");
    const forecasts = await both<object>("/v1/forecast");
    const states = await both<{ tasks: { active: number } }>("/v1/state");
    const overviews = await both<{ webhooks: object }>("/v1/overview");

    expect(lists.map(({ items }) => items.map(({ task_id }) => task_id))).toEqual([
      ["of-near"],
      ["of-far"],
    ]);
    expect([...metrics, ...insights].map(({ sampled }) => sampled.tasks)).toEqual([1, 1, 1, 1]);
    expect(series[1]?.series.length).toBe(series[0]?.series.length);
    expect(forecasts).toHaveLength(2);
    expect(states.map(({ tasks }) => tasks.active)).toEqual([0, 0]);
    expect(overviews[1]?.webhooks).toEqual(overviews[0]?.webhooks);
    for (const path of ["/v1/escalations", "/v1/cleanup-debt", "/v1/lessons"]) {
      const [ofNear, ofFar] = await both<{ items: unknown[] }>(path);
      expect(ofFar?.items).toEqual(ofNear?.items);
    }
  });

  it("has what people say of results, and what a repair compares, where the task is", async () => {
    const rated = await far("PUT", "/v1/tasks/of-far/rating", { score: 0.5 });
    const rating = await far("GET", "/v1/tasks/of-far/rating");
    const repair = await far("POST", "/v1/state/repair", { all: true });

    expect([rated.status, rating.body["score"]]).toEqual([200, 0.5]);
    expect(await rowsOf(FAR, "task_rating")).toEqual([0, 1]);
    expect(repair.body).toMatchObject({ checked: 1, missing: [] });
  });

  it("tells of a task whose object has nothing of it", async () => {
    for (const [tenant, own] of TENANTS) {
      const view = viewOf({ task_id: "emptied", seq: 2, status: "completed", phase: "ended" });
      const report = eventOf(2, {
        type: "agent_end_task",
        data: { ...REPORT_DATA, task_id: "emptied" },
      });
      await env.EVENTS.send(messageOf(tenant, view, [...eventsOf(1, 1), report]));
      await eventually(
        () => own("GET", "/v1/tasks/emptied"),
        ({ status }) => status === 200,
      );
    }

    const logs = await both<{ items: unknown[] }>("/v1/tasks/emptied/events");
    const reports = await both<{ task_id: string }>("/v1/tasks/emptied/report");
    expect(logs.map(({ items }) => items.length)).toEqual([2, 2]);
    expect(reports.map(({ task_id }) => task_id)).toEqual(["emptied", "emptied"]);
    expect(await rowsOf(FAR, "task", "task_id = 'emptied'")).toEqual([0, 1]);
  });

  it("stays where it is when the list changes, and is refused by name while its database is not bound", async () => {
    const ask = (world: Env, path: string, tenant: string) => askIn(world, tenant, path);
    const changed = { ...env, HISTORY_SHARDS: "DB" };
    const { DB_1: _gone, ...without }: Env & { DB_1?: D1Database } = env;

    const moved = await ask(changed, "/v1/tasks?limit=1", FAR);
    const [lost, kept] = await Promise.all([
      ask(without, "/v1/tasks", FAR),
      ask(without, "/v1/tasks", NEAR),
    ]);
    const ready = await ask(without, "/health/ready", FAR);

    expect([moved.status, (moved.body["items"] as unknown[]).length]).toEqual([200, 1]);
    expect([lost.status, lost.body["code"], lost.body["retry_after"]]).toEqual([
      503,
      "unavailable",
      60,
    ]);
    expect(kept.status).toBe(200);
    expect(ready).toMatchObject({ status: 503, body: { dependencies: { database: "unbound" } } });
  });

  it("that can't be reached keeps nobody else waiting, and catches up by itself", async () => {
    const fails = () => {
      throw new Error("D1_ERROR: the database is not there");
    };
    vi.spyOn(second, "prepare").mockImplementation(fails);
    vi.spyOn(second, "batch").mockImplementation(fails);
    await Promise.all([live(near, "meanwhile", env.DB), live(far, "late", null)]);

    for (let turn = 0; turn < 6; turn += 1) {
      expect((await far("GET", "/v1/tasks")).status).toBe(503);
      expect((await near("GET", "/v1/tasks")).status).toBe(200);
    }
    // The task itself is in its object.
    expect((await far<TaskView>("GET", "/v1/tasks/late")).body.status).toBe("completed");
    expect(await askIn(env, NEAR, "/health/ready")).toMatchObject({
      status: 503,
      body: { dependencies: { database: "unreachable" } },
    });

    vi.restoreAllMocks();
    await eventually(
      () => rowsOf(FAR, "task", "task_id = 'late' AND phase = 'ended'"),
      ([, rows]) => rows === 1,
    );
  });
});
