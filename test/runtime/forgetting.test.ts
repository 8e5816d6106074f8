import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { forgetPage, readRemoved } from "../../src/history/removed-store.ts";
import { instant } from "../../src/lib/ports.ts";
import { doorsOf } from "../../src/services-doors.ts";
import { kinPortsOf } from "../../src/services-kin.ts";
import { sweepAll, sweepHistory, sweepRemoved } from "../../src/services-sweep.ts";
import { taskPortsOf } from "../../src/services.ts";
import { at } from "../task-news.ts";
import {
  DAY_MS,
  LARGE,
  LATER,
  WITH,
  WITHOUT,
  past,
  reader,
  remember,
  rowsOf,
} from "./past-tasks.ts";
import { recordingDb } from "./recording-db.ts";

const FRONT = { tenant: "", task_id: "" };
const remembering = (world: Env) => ({ ...world, REMOVED_RETENTION_DAYS: "30" });

/** Removed tasks by their numbers, the odd ones long ago. */
async function removeMany(tenant: string, count: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE numbered(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbered WHERE n < ?2)
     INSERT INTO removed_task (tenant, task_id, ended_at, removed_at, outcome)
     SELECT ?1, printf('t-%05d', n), ?3, CASE WHEN n % 2 = 1 THEN ?4 ELSE ?5 END, '[]' FROM numbered`,
  )
    .bind(tenant, count, at(0), at(1), at(86_400))
    .run();
}

/** Makes it so many days that the tenant's tasks were removed. */
async function madeOld(tenant: string, days: number): Promise<void> {
  await env.DB.prepare("UPDATE removed_task SET removed_at = ? WHERE tenant = ?")
    .bind(instant(Date.now() - days * DAY_MS), tenant)
    .run();
}

const idsOf = async (tenant: string) =>
  (
    await env.DB.prepare("SELECT task_id FROM removed_task WHERE tenant = ?")
      .bind(tenant)
      .all<{ task_id: string }>()
  ).results.map(({ task_id }) => task_id);

describe("tasks that were removed long ago", () => {
  it("are remembered for ever where nothing else is said", async () => {
    await remember("kept", past());
    await sweepHistory(WITHOUT, LATER);

    await sweepRemoved(WITHOUT, () => LATER() + 3_650 * DAY_MS);

    expect(await rowsOf("kept")).toMatchObject({ removed_task: 1 });
  });

  it("are as if they had never been behind the margin: their ids are free; the archive keeps its file", async () => {
    const [world, files] = [
      remembering(WITH),
      () => env.TEST_ARCHIVE.list({ prefix: "tasks/free" }),
    ];
    await remember("free", past());
    await sweepHistory(world, LATER);
    const call = await reader(world, "free");
    await sweepRemoved(world, () => LATER() + 43 * DAY_MS);
    expect((await call("/v1/tasks/old")).status).toBe(200);

    await sweepRemoved(world, () => LATER() + 45 * DAY_MS);

    const { status, body } = await call("/v1/tasks/old");
    expect([status, body["code"]]).toEqual([404, "task_not_found"]);
    expect((await files()).objects).toHaveLength(1);
    const task = { task_id: "old", task_type: "research", description: "the id is a free one" };
    expect((await call("/v1/tasks", task)).status).toBe(202);
    expect((await call("/v1/tasks/old")).body).toMatchObject({
      description: "the id is a free one",
    });
  });

  it("are within the margin read by nobody and waited for by nobody new, but keep their ids", async () => {
    const world = remembering(WITH);
    await remember("margin", past());
    await sweepHistory(world, LATER);
    const call = await reader(world, "margin");
    const told = async () => {
      const paths = ["", "/events", "/report", "/explain", "/deliveries"];
      const reads = await Promise.all(paths.map((path) => call(`/v1/tasks/old${path}`)));
      const task = { task_type: "research", description: "what comes after it" };
      const after = await call("/v1/tasks", { ...task, parameters: { dependencies: ["old"] } });
      const again = await call("/v1/tasks", { ...task, task_id: "old" });
      return [...reads, after, again].map(({ status, body }) => body["code"] ?? status);
    };

    await madeOld("margin", 29);
    expect(await told()).toEqual([200, 200, 200, 200, 200, 202, "idempotency_conflict"]);
    await madeOld("margin", 31);

    const unknown = Array.from({ length: 5 }, () => "task_not_found");
    expect(await told()).toEqual([...unknown, "dependency_not_found", "idempotency_conflict"]);
  });

  it("open within the margin the gates of those that named them before, with what they made", async () => {
    const world = remembering(WITH);
    await remember("gates", past());
    await sweepHistory(world, LATER);
    await madeOld("gates", 31);

    const outcomeOf = (one: Env) => kinPortsOf(doorsOf(one)).outcomeOf("gates", "old", "waiter");

    const known = { is_ended: true, end_reason: "success" };
    expect(await outcomeOf(world)).toMatchObject({ ...known, result: LARGE });
    expect(await outcomeOf(remembering(WITHOUT))).toMatchObject({ ...known, result: null });
  });

  it("are told to history anew by no object that outlived what it kept of them", () => {
    expect(taskPortsOf(remembering(WITHOUT)).forgottenMs).toBe((365 + 30 + 14) * DAY_MS);
    expect(taskPortsOf(WITHOUT).forgottenMs).toBeNull();
  });

  it("are forgotten by the sweep that a cron starts", async () => {
    await removeMany("swept", 3);
    const age = "UPDATE removed_task SET removed_at = '2020-01-01T00:00:00.000Z' WHERE tenant = ?";
    await env.DB.prepare(age).bind("swept").run();
    // Others of this file have been through with the round of today.
    await env.DB.prepare("DELETE FROM sweep_cursor WHERE name = 'removed/DB'").run();

    await sweepAll(remembering(WITHOUT));

    expect(await rowsOf("swept")).toMatchObject({ removed_task: 0 });
  });

  it("go page by page and tenant by tenant, and only those that were removed before the instant", async () => {
    await removeMany("page-a", 5);
    await removeMany("page-b", 5);
    const before = at(2);

    const first = await forgetPage(env.DB, {
      behind: { tenant: "page-", task_id: "" },
      before,
      limit: 7,
    });
    expect(first).toEqual({ count: 4, next: { tenant: "page-b", task_id: "t-00002" } });
    const second = await forgetPage(env.DB, { behind: first.next ?? FRONT, before, limit: 7 });

    expect(second).toEqual({ count: 2, next: null });
    expect(await idsOf("page-a")).toEqual(["t-00002", "t-00004"]);
    expect(await idsOf("page-b")).toEqual(["t-00002", "t-00004"]);
  });

  it("cost one row written each when they go, and two read; those that stay cost nothing but reading", async () => {
    await removeMany("price", 2_000);
    const { db, sent } = recordingDb(env.DB);
    const page = { behind: { tenant: "price", task_id: "" }, before: at(2), limit: 1_000 };
    await forgetPage(db, page);
    await env.DB.prepare("DELETE FROM removed_task WHERE tenant = 'price'").run();
    await removeMany("price", 2_000);

    const results = await env.DB.batch(
      sent.map(({ sql, params }) => env.DB.prepare(sql).bind(...params)),
    );

    const sum = (of: "rows_written" | "rows_read") =>
      results.reduce((rows, { meta }) => rows + meta[of], 0);
    expect(sum("rows_written")).toBe(500);
    // A thousand for the end of the page, a thousand for their ages, and where both begin.
    expect(sum("rows_read")).toBeLessThanOrEqual(2_002);
  });

  it("are told as before by rows that older versions wrote", async () => {
    await remember("before", past());
    await sweepHistory(WITHOUT, LATER);
    const now = await readRemoved(env.DB, "before", "old");
    await env.DB.prepare("UPDATE removed_task SET outcome = ? WHERE tenant = 'before'")
      .bind(JSON.stringify(now?.outcome))
      .run();

    expect(await readRemoved(env.DB, "before", "old")).toEqual(now);
    expect(now?.outcome).toMatchObject({ task_id: "old", status: "completed", agent_id: "ann" });
  });
});
