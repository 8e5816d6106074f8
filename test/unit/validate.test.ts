import fc from "fast-check";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { ok } from "../../src/lib/result.ts";
import { problemSchema } from "../../src/protocol/problem.ts";
import { ROUTES } from "../../src/rest/app.ts";
import { answer } from "../../src/rest/edge/answer.ts";
import { validate } from "../../src/rest/edge/validate.ts";
import { json, route } from "../../src/rest/route.ts";
import type { RestEnv } from "../../src/rest/route.ts";
import { createFakeApp, send, TASK } from "./rest-fakes.ts";
import type { Sent } from "./rest-fakes.ts";

async function faultsOf(path: string, sent: Sent) {
  const { app } = createFakeApp();
  const response = await send(app, path, sent);
  const problem = problemSchema.parse(await response.json());
  return { status: response.status, problem, errors: problem.errors ?? [] };
}

async function pointersOf(path: string, sent: Sent): Promise<string[]> {
  const { errors } = await faultsOf(path, sent);
  return errors.map(({ pointer }) => pointer).toSorted();
}

describe("validate", () => {
  it("lists every fault of path, query, headers and body in one answer", async () => {
    const pointers = await pointersOf("/v1/tasks/bad%20id/end?verbose=1", {
      headers: { "Lease-Token": "two words" },
      body: { reason: "tired", agent_id: "", surplus: 1 },
    });

    expect(pointers).toEqual([
      "/agent_id",
      "/headers/Lease-Token",
      "/path/task_id",
      "/query/verbose",
      "/reason",
      "/surplus",
      "/task_id",
      "/timestamp",
    ]);
  });

  it("says which rule, what was expected and what came", async () => {
    const { status, errors } = await faultsOf("/v1/tasks", {
      body: { ...TASK, task_type: "cooking", timeout: 0 },
    });

    expect(status).toBe(400);
    expect(errors).toEqual([
      expect.objectContaining({
        pointer: "/task_type",
        code: "invalid_value",
        expected: expect.stringContaining('"data_analysis"'),
        received: '"cooking"',
      }),
      expect.objectContaining({
        pointer: "/timeout",
        code: "too_small",
        expected: "at least 1",
        received: "0",
      }),
    ]);
  });

  it("points at a missing field and at an unknown one themselves", async () => {
    const pointers = await pointersOf("/v1/tasks", {
      body: { task_type: "general", "odd/name": 1, parameters: { constraint: {} } },
    });

    expect(pointers).toEqual(["/description", "/odd~1name", "/parameters/constraint"]);
  });

  it.each([[[]], ["text"], [7], [null], [true]])(
    "refuses %j where an object belongs",
    async (body) => {
      const { status, errors } = await faultsOf("/v1/tasks", { body: JSON.stringify(body) });

      expect(status).toBe(400);
      expect(errors).toEqual([expect.objectContaining({ pointer: "", expected: "object" })]);
    },
  );

  it.each(["?limit=0", "?limit=201", "?limit=ten", "?limit=1&limit=2", "?limit=1.5", "?limit="])(
    "refuses the query %s",
    async (query) => {
      expect(await pointersOf(`/v1/tasks${query}`, {})).toEqual(["/query/limit"]);
    },
  );

  it("fills in the defaults of a query", async () => {
    let limit = 0;
    const { app } = createFakeApp({
      tasks: {
        list: async (_tenant, query) => {
          limit = query.limit;
          return ok({ items: [], next_cursor: null });
        },
      },
    });

    await send(app, "/v1/tasks");

    expect(limit).toBe(50);
  });

  it.each(["1.0", "3.0", "banana"])("refuses version %s with the list", async (schema_version) => {
    const { status, problem, errors } = await faultsOf("/v1/tasks", {
      body: { ...TASK, schema_version, timeout: 0 },
    });

    expect(status).toBe(400);
    expect(problem).toMatchObject({ code: "unsupported_version", supported_versions: "2, 2.0" });
    expect(errors.map(({ pointer }) => pointer)).toEqual(["/schema_version", "/timeout"]);
  });

  it.each(["2", "2.0", "2.7"])("accepts version %s", async (schema_version) => {
    expect(
      await pointersOf("/v1/tasks", { body: { ...TASK, schema_version, timeout: 0 } }),
    ).toEqual(["/timeout"]);
  });

  it("takes no body for one whose fields are all optional", async () => {
    const { app } = createFakeApp({ agents: { claim: async () => ok({ tasks: [] }) } });

    const response = await send(app, "/v1/agents/a1/claim", { method: "POST" });

    expect(response.status).toBe(200);
  });

  it("names what is missing when a body with mandatory fields is missing", async () => {
    expect(await pointersOf("/v1/tasks", { method: "POST" })).toEqual([
      "/description",
      "/task_type",
    ]);
  });

  it("does not answer a flood of faults with a flood", async () => {
    const body = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, 1]));

    const { problem, errors } = await faultsOf("/v1/tasks", { body });

    expect(errors).toHaveLength(1_000);
    expect(problem.detail).toBe("5002 faults");
  });

  it("never fails on generated bodies, whatever the route", async () => {
    const bodies = ROUTES.filter((candidate) => candidate.body !== undefined);
    const { app, calls } = createFakeApp();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...bodies), fc.jsonValue(), async (candidate, body) => {
        calls.length = 0;
        const response = await send(app, candidate.path.replaceAll(/:\w+/g, "x1"), {
          method: candidate.method,
          body: JSON.stringify(body),
        });
        await response.text();

        // A body that happens to fit reaches a fake, which throws.
        expect(response.status).toBe(calls.length > 0 ? 500 : 400);
      }),
      { numRuns: 300, seed: 2 },
    );
  });
});

describe("the middleware", () => {
  const greeting = route({
    id: "greet",
    method: "POST",
    audit: "changes nothing",
    path: "/",
    tag: "Operations",
    summary: "Greets",
    scopes: null,
    body: z.strictObject({ name: z.string().default("you") }),
    answers: { 200: json(z.unknown(), "A greeting") },
    handle: async (_ports, { body }) => ok({ status: 200, body: { hello: body.name } }),
  });

  function createGreeter(isValidated: boolean) {
    const { ports } = createFakeApp();
    const app = new Hono<RestEnv>();
    app.use(async (context, next) => {
      context.set("trace", { traceId: "", spanId: "", parentId: null, flags: "", receivedAt: 0 });
      context.set("bytes", new Uint8Array(await context.req.arrayBuffer()));
      const unchecked = { name: 7 };
      context.set("request", {
        principal: { key_id: "", tenant: "", scopes: [], isBootstrap: false },
        params: {},
        query: {},
        headers: {},
        body: unchecked,
        sentBody: unchecked,
        traceId: "",
        hop: { span_id: "", parent_id: null, received_at: 0 },
        origin: "",
        isHead: false,
        requestId: "generated-id",
        version: null,
        isStillGood: async () => true,
      });
      return next();
    });
    const handler = answer(greeting, ports);
    if (isValidated) app.post("/", validate(greeting, ports), handler);
    else app.post("/", handler);
    return app;
  }

  const post = (isValidated: boolean, body: string) =>
    createGreeter(isValidated).request("/", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });

  it("guards the same handler where it is mounted, and only there", async () => {
    const guarded = await post(true, '{"name": 7}');
    const unguarded = await post(false, '{"name": 7}');

    expect(guarded.status).toBe(400);
    expect(unguarded.status).toBe(200);
    expect(await unguarded.json()).toEqual({ hello: 7 });
  });

  it("hands parsed input with its defaults to the handler", async () => {
    const response = await post(true, "{}");

    expect(await response.json()).toEqual({ hello: "you" });
  });
});
