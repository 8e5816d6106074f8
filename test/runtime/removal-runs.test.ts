import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { sweepAll } from "../../src/services-sweep.ts";
import { at, viewOf } from "../task-news.ts";
import { eventually } from "./batuta.ts";
import { copyTask } from "./row-copies.ts";
import { seed } from "./tenant.ts";

// What ended at the instant of the tests is older than that.
Object.assign(env, { TASK_RETENTION_DAYS: "1", HISTORY_RETENTION_DAYS: "1" });

const rowsOf = (table: string) =>
  env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant = 'many'`).first<number>("n");

it("a sweep that finds more old tasks than one run removes goes on, run after run, until none is left", async () => {
  const ended = { status: "completed", phase: "ended", end_reason: "success" } as const;
  const view = viewOf({ task_id: "old", seq: 1, ...ended, ended_at: at(0), updated_at: at(0) });
  await seed("many", [view]);
  await copyTask("old", 5_999);

  await sweepAll(env);
  const afterOne = await rowsOf("removed_task");

  expect(afterOne).toBeLessThan(6_000);
  await eventually(
    () => rowsOf("removed_task"),
    (removed) => removed === 6_000,
  );
  expect(await rowsOf("task")).toBe(0);
});
