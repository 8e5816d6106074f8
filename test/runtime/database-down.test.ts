import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { TaskView } from "../../src/protocol/task-view.ts";
import { faceOf } from "../../src/services.ts";

/** D1 that can be taken away: everything else is the real thing. */
function fragileWorld() {
  const database = { isDown: false, calls: 0 };
  const DB = new Proxy(env.DB, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        database.calls += 1;
        if (database.isDown) throw new Error("D1_ERROR: the database is not there");
        return Reflect.apply(member, target, args);
      };
    },
  });
  const face = faceOf({ ...env, DB });
  const call = async <Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const response = await face.request(`https://batuta.test${path}`, {
      method,
      headers: {
        authorization: `Bearer ${env.BATUTA_ADMIN_KEY}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { response, status: response.status, body: await response.json<Body>() };
  };
  return { call, database };
}

const READS = [
  "/v1/tasks",
  "/v1/escalations",
  "/v1/cleanup-debt",
  "/v1/cleanup-debt/debt_1_t",
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

  it("comes back by itself", async () => {
    const { call, database } = fragileWorld();
    database.isDown = true;
    await call("GET", "/v1/tasks");
    database.isDown = false;

    expect((await call("GET", "/v1/tasks")).status).toBe(200);
  });
});
