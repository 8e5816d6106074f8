import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { readSweepCursor, readTenants, writeSweepCursor } from "../../src/observe/sweeper-store.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import { sweepTasks } from "../../src/services-observe.ts";
import { sweepWithoutCron } from "../../src/services-sweep.ts";
import { viewOf } from "../task-news.ts";
import { eventually } from "./batuta.ts";
import { newTenant, seed } from "./tenant.ts";

const TASK = { task_type: "research", description: "a task that sleeps too long" };

describe("the sweeper", () => {
  it("revives a task whose alarm was lost", async () => {
    const own = await newTenant("asleep");
    const { body } = await own<TaskView>("POST", "/v1/tasks", {
      ...TASK,
      task_id: "sleeper",
      queue_timeout: 1,
      total_timeout: 30,
      requires: { capabilities: ["nobody-has-this"] },
    });
    const statusOf = () =>
      env.DB.prepare("SELECT status FROM task WHERE tenant = 'asleep'").first<string>("status");
    await eventually(statusOf, (status) => status !== null);
    const stub = env.TASK.getByName("asleep/sleeper");
    await runInDurableObject(stub, async (instance, { storage }) => {
      // Two minutes later, and nothing wakes it.
      instance.now = () => Date.now() + 120_000;
      await storage.deleteAlarm();
    });
    // History knows that it is late.
    await env.DB.prepare(
      `UPDATE task SET view = json_set(view, '$.deadline_at', '2026-01-01T00:00:00.000Z')
       WHERE tenant = 'asleep'`,
    ).run();

    await sweepTasks(env);

    expect(body.phase).toBe("queued");
    // Asked of D1, because a question to the object would wake it too.
    await eventually(statusOf, (status) => status === "failed");
    const after = await own<TaskView>("GET", "/v1/tasks/sleeper");
    expect(after.body).toMatchObject({ status: "failed", end_reason: "timeout" });
  });

  it("is started by requests where there is no cron, and only there", async () => {
    const own = await newTenant("cronless");
    const requires = { capabilities: ["nobody-has-this"] };
    await own("POST", "/v1/tasks", { ...TASK, task_id: "overdue", requires });
    const statusOf = () =>
      env.DB.prepare("SELECT status FROM task WHERE tenant = 'cronless'").first<string>("status");
    await eventually(statusOf, (status) => status !== null);
    const stub = env.TASK.getByName("cronless/overdue");
    await runInDurableObject(stub, async (_instance, { storage }) => storage.deleteAlarm());
    await env.DB.prepare(
      `UPDATE task SET view = json_set(view, '$.deadline_at', '2026-01-01T00:00:00.000Z')
       WHERE tenant = 'cronless'`,
    ).run();
    const alarmOf = () => runInDurableObject(stub, (_instance, { storage }) => storage.getAlarm());

    await sweepWithoutCron(env);
    const inProduction = await alarmOf();
    await sweepWithoutCron({ ...env, ALLOW_LOCAL_ENDPOINTS: "true" });

    expect(inProduction).toBeNull();
    expect(await alarmOf()).not.toBeNull();
  });

  it("arms the alarm of a task that is not due yet", async () => {
    const own = await newTenant("early");
    await own("POST", "/v1/tasks", { ...TASK, task_id: "early", total_timeout: 3_600 });
    const stub = env.TASK.getByName("early/early");
    const alarmOf = () => runInDurableObject(stub, (_instance, { storage }) => storage.getAlarm());
    await runInDurableObject(stub, (_instance, { storage }) => storage.deleteAlarm());
    expect(await alarmOf()).toBeNull();

    await stub.nudge();

    expect(await alarmOf()).not.toBeNull();
  });

  it("leaves a task alone whose alarm is to come", async () => {
    const own = await newTenant("sound");
    await own("POST", "/v1/tasks", { ...TASK, task_id: "sound", queue_timeout: 3_600 });
    const stub = env.TASK.getByName("sound/sound");
    const at = Date.now() + 600_000;
    await runInDurableObject(stub, async (_instance, { storage }) => storage.setAlarm(at));

    await stub.nudge();

    const alarm = await runInDurableObject(stub, (_instance, { storage }) => storage.getAlarm());
    expect(alarm).toBe(at);
  });

  it("remembers in D1 where to go on", async () => {
    const cursor = { tenant: "acme", place: { at: "2026-11-22T00:00:00.000Z", id: "t" } };

    await writeSweepCursor(env.DB, { tenant: "x", place: null });
    await writeSweepCursor(env.DB, cursor);
    expect(await readSweepCursor(env.DB)).toEqual(cursor);
    await writeSweepCursor(env.DB, null);
    expect(await readSweepCursor(env.DB)).toBeNull();
  });

  it("finds the tenants that have tasks, in order, from a name on", async () => {
    await seed("zz-a", [viewOf(), viewOf({ task_id: "more" })]);
    await seed("zz-b", [viewOf()]);

    expect(await readTenants(env.DB, "zz", 10)).toEqual(["zz-a", "zz-b"]);
    expect(await readTenants(env.DB, "zz-a\u{1}", 10)).toEqual(["zz-b"]);
    expect(await readTenants(env.DB, "zz", 1)).toEqual(["zz-a"]);
    expect(await readTenants(env.DB, "zzz", 10)).toEqual([]);
  });
});
