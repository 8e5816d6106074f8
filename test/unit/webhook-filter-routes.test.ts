import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const TEST = "/v1/webhooks/filters/test";
const REQUEST = { filters: { tags: ["red"] }, sample: { type: "task_failed" } };

describe("a dry run of filters", () => {
  it("is answered with its verdict, and is no test of an endpoint called filters", async () => {
    const verdict = { wanted: false, refused_by: [{ pointer: "/filters/tags", detail: "none" }] };
    let asked: unknown;
    const { app, calls } = createFakeApp({
      routing: {
        testFilters: (test) => {
          asked = test;
          return verdict;
        },
      },
    });

    const response = await send(app, TEST, { body: REQUEST });

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(verdict);
    expect(asked).toMatchObject({ events: ["all"], sample: { type: "task_failed", tags: [] } });
    expect(calls).toEqual(["routing.testFilters"]);
  });

  it("is refused with a pointer to the operator that there is not", async () => {
    const { app, calls } = createFakeApp();

    const body = { ...REQUEST, filters: { match: { a: { $regex: "x" } } } };
    const response = await send(app, TEST, { body });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "validation_failed",
      errors: [{ pointer: "/filters/match/a/$regex" }],
    });
    expect(calls).toEqual([]);
  });

  it.each([
    ["execute", 403],
    ["observe", 200],
    ["orchestrate", 200],
  ])("asked with scope %s answers %i", async (key, status) => {
    const { app } = createFakeApp({
      routing: { testFilters: () => ({ wanted: true, refused_by: [] }) },
    });

    expect((await send(app, TEST, { key, body: REQUEST })).status).toBe(status);
  });
});

describe("a task's deliveries", () => {
  const PATH = "/v1/tasks/t1/deliveries";

  it("are asked for by tenant, task and page", async () => {
    let asked: unknown[] = [];
    const { app } = createFakeApp({
      routing: {
        taskDeliveries: async ({ tenant }, ...rest) => {
          asked = [tenant, ...rest];
          return ok({ task_id: "t1", items: [], next_after: null });
        },
      },
    });

    const response = await send(app, `${PATH}?after=7&limit=3`);

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ task_id: "t1", items: [], next_after: null });
    expect(asked).toEqual(["acme", "t1", { after: 7, limit: 3 }]);
  });

  it("are not found where the task is not", async () => {
    const { app } = createFakeApp({
      routing: {
        taskDeliveries: async () => refuse({ code: "task_not_found", detail: "There is none." }),
      },
    });

    expect((await send(app, PATH)).status).toBe(404);
  });

  it("are not for executors", async () => {
    const { app, calls } = createFakeApp();

    expect((await send(app, PATH, { key: "execute" })).status).toBe(403);
    expect(calls).toEqual([]);
  });
});
