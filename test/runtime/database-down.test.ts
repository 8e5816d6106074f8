import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { readEvents } from "../../src/history/task-log-store.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import { Executor, ended, eventually, log } from "./batuta.ts";
import { fragileWorld } from "./fragile-world.ts";

/** A log as history has it. */
const readLogOf = async (task_id: string) =>
  (await readEvents(env.DB, "default", task_id, { after: 0, limit: 100 })).items;

const READS = [
  "/v1/tasks",
  "/v1/escalations",
  "/v1/cleanup-debt",
  "/v1/cleanup-debt/debt_1_t",
  "/v1/model-stats",
  "/v1/model-decisions?task_id=t",
  "/v1/model-decisions/d",
  "/v1/metrics",
  "/v1/insights",
  "/v1/state",
  "/v1/lessons",
];

describe("without D1", () => {
  it("reads of history answer at once with 503 and when to try again, and ask D1 no more", async () => {
    const { call, database } = fragileWorld();
    database.isDown = true;
    for (let turn = 0; turn < 5; turn += 1) await call("GET", "/v1/tasks");
    const before = database.calls;

    const started = performance.now();
    const answers = await Promise.all(READS.map((path) => call("GET", path)));
    const lasted_ms = performance.now() - started;

    for (const { status, body, response } of answers) {
      expect([status, body["code"]]).toEqual([503, "unavailable"]);
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
    }
    // The executors of the state are read from their registry, which has no breaker.
    expect(database.calls - before).toBeLessThanOrEqual(1);
    expect(lasted_ms).toBeLessThan(1_000);
  });

  it("tasks are submitted, seen, claimed and ended as ever, also with a key that was known before", async () => {
    const { call, database } = fragileWorld();
    const made = await call<{ key: string }>("POST", "/v1/keys", {
      name: "worker",
      scopes: ["orchestrate", "execute"],
    });
    const key = { authorization: `Bearer ${made.body.key}` };
    await call("PUT", "/v1/agents/steadfast", { capabilities: ["steadfast"] }, key);
    await call("POST", "/v1/agents/steadfast/claim", {}, key);
    database.isDown = true;

    const submitted = await call<TaskView>(
      "POST",
      "/v1/tasks",
      {
        task_type: "research",
        description: "a task without a database",
        requires: { capabilities: ["steadfast"] },
      },
      key,
    );
    const { task_id } = submitted.body;
    const claimed = await call<{ tasks: { lease: { token: string } }[] }>(
      "POST",
      "/v1/agents/steadfast/claim",
      { wait_seconds: 5 },
      key,
    );
    const token = claimed.body.tasks[0]?.lease.token ?? "";
    const told = await call(
      "POST",
      "/v1/notifications",
      {
        notification_id: "n1",
        notification_type: "task_started",
        task_id,
        agent_id: "steadfast",
        timestamp: new Date().toISOString(),
        data: { task_type: "research", estimated_duration: 10, complexity: "low" },
      },
      { ...key, "lease-token": token },
    );
    const seen = await call<TaskView>("GET", `/v1/tasks/${task_id}`, undefined, key);
    const command = { command: "cancel" };
    const commanded = await call("POST", `/v1/tasks/${task_id}/commands`, command, key);

    expect([submitted.status, claimed.status, told.status]).toEqual([202, 200, 202]);
    expect([seen.status, seen.body.phase]).toEqual([200, "executing"]);
    expect(commanded.status).toBe(202);
  });

  it("what only history could know is not called unknown", async () => {
    const { call, database } = fragileWorld();
    database.isDown = true;

    const task = await call("GET", "/v1/tasks/was-there-once");
    const stranger = await call("GET", "/v1/tasks", undefined, {
      authorization: `Bearer bk_${"x".repeat(43)}`,
    });

    expect([task.status, task.body["code"]]).toEqual([503, "unavailable"]);
    expect([401, 503]).toContain(stranger.status);
  });

  it("an id that is taken again makes a task of its own, which history does not mix with the first", async () => {
    const { call, database } = fragileWorld();
    const task = {
      task_id: "lived-twice",
      task_type: "research",
      description: "a task that is submitted twice",
      requires: { capabilities: ["lives-twice"] },
    };
    const stub = env.TASK.getByName("default/lived-twice");
    const sleepUntil = async (days: number) => {
      await runInDurableObject(stub, (instance) => {
        instance.now = () => Date.now() + days * 86_400_000;
      });
      await runDurableObjectAlarm(stub);
    };
    const recorded = () =>
      env.DB.prepare("SELECT events_to FROM task WHERE task_id = 'lived-twice'").first("events_to");
    await call("POST", "/v1/tasks", task);
    await call("POST", "/v1/tasks/lived-twice/commands", { command: "cancel" });
    const first = await ended("lived-twice");
    await eventually(recorded, (to) => to === first.seq);
    await sleepUntil(8);
    await runInDurableObject(stub, (instance) => {
      instance.now = () => Date.now();
    });

    database.isDown = true;
    expect((await call("POST", "/v1/tasks", task)).status).toBe(202);
    const executor = await new Executor("lives-twice").register();
    await executor.claim();
    await executor.start();
    await executor.complete();
    await executor.end();
    await ended("lived-twice");
    const events = await log("lived-twice");
    await eventually(recorded, (to) => to === events.length);
    // History has a mixture now: the object is not emptied, but has all of its task told again.
    await sleepUntil(8);

    expect(await log("lived-twice")).toEqual(events);
    const shown = await eventually(
      () => readLogOf("lived-twice"),
      (told) => JSON.stringify(told) === JSON.stringify(events),
    );
    expect(shown).toEqual(events);
  }, 30_000);

  it("comes back by itself", async () => {
    const { call, database } = fragileWorld();
    database.isDown = true;
    await call("GET", "/v1/tasks");
    database.isDown = false;

    expect((await call("GET", "/v1/tasks")).status).toBe(200);
  });
});
