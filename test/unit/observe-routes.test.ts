import { describe, expect, it } from "vitest";
import { z } from "zod";

import { ok, refuse } from "../../src/lib/result.ts";
import type { Metrics } from "../../src/protocol/observation.ts";
import { createFakeApp, send, TASK_VIEW } from "./rest-fakes.ts";
import type { Given } from "./rest-fakes.ts";

const AT = "2026-11-22T10:00:00.000Z";
const METRICS: Metrics = {
  window_s: 60,
  since: AT,
  until: AT,
  sampled: { tasks: 0, limit: 5_000, is_complete: true },
  by: "hour",
  groups: [],
  tokens: { orchestrator: 0, executor: 0 },
  series: [],
};

async function codeOf(given: Given, path: string, sent: object = {}) {
  const response = await send(createFakeApp(given).app, path, sent);
  const { code } = z.object({ code: z.string() }).parse(await response.json());
  return [response.status, code];
}

describe("figures and findings", () => {
  it("are asked by window and group, a day by agent when nothing is said", async () => {
    const asked: unknown[] = [];
    const metrics = async (tenant: string, query: unknown) => {
      asked.push([tenant, query]);
      return ok(METRICS);
    };
    const { app } = createFakeApp({ observe: { metrics } });

    const response = await send(app, "/v1/metrics?window=60&by=hour&task_type=research", {
      key: "observe",
    });
    await send(app, "/v1/metrics");

    expect(await response.json()).toEqual(METRICS);
    expect(asked).toEqual([
      ["acme", { window: 60, by: "hour", task_type: "research" }],
      ["acme", { window: 86_400, by: "agent" }],
    ]);
  });

  it("are asked step by step by range, end and names", async () => {
    const asked: unknown[] = [];
    const metrics = async (_tenant: string, query: unknown) => {
      asked.push(query);
      return ok(METRICS);
    };
    const { app } = createFakeApp({ observe: { metrics } });
    const query = "step=300&range=600&until=2026-11-22T00:00:00Z&metrics=tokens,tasks_ended,tokens";

    const response = await send(app, `/v1/metrics?${query}&task_type=research`, { key: "observe" });

    expect(response.status).toBe(200);
    const given = { window: 86_400, by: "agent", task_type: "research", step: 300, range: 600 };
    const until = "2026-11-22T00:00:00Z";
    expect(asked).toEqual([{ ...given, until, metrics: "tokens,tasks_ended,tokens" }]);
  });

  it("say what is wrong with a range, and what would be right", async () => {
    const { app } = createFakeApp({});
    const response = await send(
      app,
      "/v1/metrics?step=60&range=90060&metrics=deliveries&agent_id=x",
    );

    const said = await response.text();
    expect(response.status).toBe(400);
    expect(said).toContain("90000 s at most");
    expect(said).toContain("with it go tasks_ended");
  });

  it.each([
    "/v1/metrics?window=59",
    "/v1/metrics?window=7776001",
    "/v1/metrics?by=colour",
    "/v1/metrics?task_type=x",
    "/v1/metrics?step=61",
    "/v1/metrics?step=60&range=59",
    "/v1/metrics?step=60&range=90001",
    "/v1/metrics?step=60&until=yesterday",
    "/v1/metrics?step=60&metrics=",
    "/v1/metrics?step=60&metrics=tokens,colour",
    "/v1/metrics?range=60",
    "/v1/metrics?until=2026-11-22T00:00:00Z",
    "/v1/metrics?metrics=tokens",
    "/v1/metrics?step=60&metrics=deliveries&task_type=research",
    "/v1/metrics?step=60&metrics=tasks_created&agent_id=exec-1",
    "/v1/insights?window=a",
    "/v1/lessons?limit=0",
    "/v1/lessons?q=a&cursor=b",
  ])("are refused for %s", async (path) => {
    expect(await codeOf({}, path)).toEqual([400, "validation_failed"]);
  });

  it("say at once that history is down, and when to come again", async () => {
    const down = async () =>
      refuse({ code: "unavailable", detail: "down", extra: { retry_after: 5 } } as const);
    const { app } = createFakeApp({ observe: { insights: down } });

    const response = await send(app, "/v1/insights");

    expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "5"]);
  });

  it("are not for executors, and repairs are for admins", async () => {
    expect(await codeOf({}, "/v1/metrics", { key: "execute" })).toEqual([403, "forbidden"]);
    expect(await codeOf({}, "/v1/lessons", { key: "execute" })).toEqual([403, "forbidden"]);
    expect(await codeOf({}, "/v1/state", { key: "execute" })).toEqual([403, "forbidden"]);
    expect(await codeOf({}, "/v1/state/repair", { key: "orchestrate", body: {} })).toEqual([
      403,
      "forbidden",
    ]);
    expect(await codeOf({}, "/v1/commands", { key: "observe", body: {} })).toEqual([
      403,
      "forbidden",
    ]);
  });

  it.each([{ task_ids: [] }, { task_ids: ["a b"] }, { task_ids: ["a"], all: true }, { some: 1 }])(
    "are not repaired by %j",
    async (body) => {
      expect(await codeOf({}, "/v1/state/repair", { body })).toEqual([400, "validation_failed"]);
    },
  );
});

describe("next steps", () => {
  it("are approved with 202 and the task's address, and with 200 when they were before", async () => {
    const asked: unknown[] = [];
    let isNew = true;
    const approve: NonNullable<Given["followUps"]>["approve"] = async (_by, step, approval) => {
      asked.push([step, approval]);
      return ok({ view: TASK_VIEW, isNew });
    };
    const { app } = createFakeApp({ followUps: { approve } });
    const path = "/v1/tasks/t0/next-steps/3/approve";

    const first = await send(app, path, { body: { overrides: { priority: "high" } } });
    isNew = false;
    const again = await send(app, path, { body: {} });

    expect([first.status, first.headers.get("Location")]).toEqual([202, "/v1/tasks/t1"]);
    expect([again.status, again.headers.get("Idempotency-Replayed")]).toEqual([200, "true"]);
    expect(asked[0]).toEqual([
      { task_id: "t0", index: 3 },
      { schema_version: "2.0", overrides: { priority: "high" } },
    ]);
  });

  it("are named by an index", async () => {
    const sent = { body: {} };

    expect(await codeOf({}, "/v1/tasks/t0/next-steps/first/approve", sent)).toEqual([
      400,
      "validation_failed",
    ]);
  });
});
