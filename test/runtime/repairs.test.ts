import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { readRuns } from "../../src/observe/repairs/run-report-store.ts";
import type { Repairs } from "../../src/protocol/repairs.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import { sweepAll } from "../../src/services-sweep.ts";
import { eventually } from "./batuta.ts";
import { newTenant } from "./tenant.ts";

describe("self-repair", () => {
  it("wakes a stuck task in one sweep, and the report says so to its tenant alone", async () => {
    const own = await newTenant("stuck");
    const foreign = await newTenant("not-stuck");
    const { body } = await own<TaskView>("POST", "/v1/tasks", {
      task_type: "research",
      description: "a task whose alarm is lost",
      task_id: "stuck",
      queue_timeout: 1,
      total_timeout: 30,
      requires: { capabilities: ["nobody-has-this"] },
    });
    const statusOf = () =>
      env.DB.prepare("SELECT status FROM task WHERE tenant = 'stuck'").first<string>("status");
    await eventually(statusOf, (status) => status !== null);
    await own("PUT", "/v1/agents/silent", { capabilities: ["x"], task_types: ["research"] });
    const stub = env.TASK.getByName("stuck/stuck");
    await runInDurableObject(stub, async (instance, { storage }) => {
      // Two minutes later, and nothing wakes it.
      instance.now = () => Date.now() + 120_000;
      await storage.deleteAlarm();
    });
    // History knows that it is late.
    await env.DB.prepare(
      `UPDATE task SET view = json_set(view, '$.deadline_at', '2026-01-01T00:00:00.000Z')
       WHERE tenant = 'stuck'`,
    ).run();

    await sweepAll(env);

    expect(body.phase).toBe("queued");
    // Asked of D1, because a question to the object would wake it too.
    await eventually(statusOf, (status) => status === "failed");
    const { body: report } = await own<Repairs>("GET", "/v1/state/repairs");
    expect(report).toMatchObject({
      is_sweeper_late: false,
      runs: [
        {
          cause: "sweep",
          broken: [],
          repairs: [{ what: "task_woken", count: 1, ids: ["stuck"] }],
        },
      ],
    });
    // Executors by their sign of life: its own, and the built-in one.
    expect(report.agents.groups.reduce((sum, { agents }) => sum + agents, 0)).toBe(2);
    expect((await foreign<Repairs>("GET", "/v1/state/repairs")).body.runs).toEqual([]);
    // A sweep that finds nothing to do writes nothing.
    await env.DB.prepare("DELETE FROM task WHERE tenant = 'stuck'").run();
    const before = await readRuns(env.DB);
    await sweepAll(env);
    expect(await readRuns(env.DB)).toEqual(before);
  });

  it("tells of rows of the index that were written anew", async () => {
    const own = await newTenant("mended");
    await own("POST", "/v1/tasks", {
      task_type: "research",
      description: "a task whose row is lost",
      task_id: "mended",
      requires: { capabilities: ["nobody-has-this"] },
    });
    const count = () =>
      env.DB.prepare("SELECT count(*) AS n FROM task WHERE tenant = 'mended'").first<number>("n");
    await eventually(count, (rows) => rows === 1);
    await env.DB.prepare("DELETE FROM task WHERE tenant = 'mended'").run();

    await own("POST", "/v1/state/repair", { task_ids: ["mended"] });

    const { body } = await own<Repairs>("GET", "/v1/state/repairs");
    expect(body.runs).toMatchObject([
      { cause: "request", repairs: [{ what: "row_rebuilt", count: 1, ids: ["mended"] }] },
    ]);
  });
});
