import { describe, expect, it } from "vitest";

import { ok } from "../../src/lib/result.ts";
import type { LimitsView } from "../../src/protocol/limits.ts";
import { problemSchema } from "../../src/protocol/problem.ts";
import { limitRoutes } from "../../src/rest/limit-routes.ts";
import { classOf } from "../../src/rest/operation-class.ts";
import type { RestPorts } from "../../src/rest/ports.ts";
import { accepting, createFakeApp, PERMIT, send, TASK } from "./rest-fakes.ts";

const NONE = { isAllowed: false, limit: 300, remaining: 0, reset_s: 42 };
const LIMITS = { total: 1_200, execute: 300, status: 720, admin: 60 };
const VIEW: LimitsView = {
  window_seconds: 60,
  auto: true,
  limits: LIMITS,
  effective: { execute: 300, notify: 840, status: 720, admin: 60 },
  factor: { value: 1, reason: "none", since: null, evidence: null },
  keys: [],
  usage: [],
  changes: [],
};

/** The face, with what was drawn and what was told of answers. */
function limitedApp(draw: RestPorts["limits"]["draw"], given: Parameters<typeof createFakeApp>[0]) {
  const drawn: string[] = [];
  const faults: boolean[] = [];
  const app = createFakeApp({
    ...given,
    limits: {
      draw: (by, operation) => {
        drawn.push(`${by.tenant} ${by.key_id} ${operation}`);
        return draw(by, operation);
      },
      answered: (_tenant, isFault) => faults.push(isFault),
      ...given?.limits,
    },
  });
  return { ...app, drawn, faults };
}

describe("a request above the limit", () => {
  it("is refused with 429, the class, the limit and when to try again", async () => {
    const { app, calls } = limitedApp(async () => NONE, accepting);
    const response = await send(app, "/v1/tasks", { body: TASK });

    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({
      code: "rate_limited",
      retry_after: 42,
      operation: "execute",
      limit: 300,
      window_seconds: 60,
    });
    expect(response.headers.get("Retry-After")).toBe("42");
    expect(response.headers.get("RateLimit-Policy")).toBe('"execute";q=300;w=60');
    expect(response.headers.get("RateLimit")).toBe('"execute";r=0;t=42');
    expect(calls).toEqual([]);
  });

  it("is refused before its form is looked at, and after its scope is", async () => {
    const { app, drawn } = limitedApp(async () => NONE, accepting);
    const faulty = await send(app, "/v1/tasks", { body: "{" });
    const foreign = await send(app, "/v1/tasks", { key: "observe", body: TASK });
    const nobody = await send(app, "/v1/tasks", { key: "who", body: TASK });

    expect([faulty.status, foreign.status, nobody.status]).toEqual([429, 403, 401]);
    expect(drawn).toEqual(["acme key_all execute"]);
  });
});

describe("a request within the limit", () => {
  it("is told in standard headers what is left, whatever it is answered", async () => {
    const { app } = limitedApp(async () => PERMIT, accepting);
    const taken = await send(app, "/v1/tasks", { body: TASK });
    const faulty = await send(app, "/v1/tasks", { body: {} });

    expect([taken.status, faulty.status]).toEqual([202, 400]);
    for (const { headers } of [taken, faulty]) {
      expect(headers.get("RateLimit-Policy")).toBe('"execute";q=100;w=60');
      expect(headers.get("RateLimit")).toBe('"execute";r=99;t=60');
      expect(headers.get("Retry-After")).toBe(null);
    }
  });

  it("draws on the budget of its class alone, and on none where no key is needed", async () => {
    const { app, drawn } = limitedApp(async () => PERMIT, {});
    await send(app, "/v1/tasks/t1");
    await send(app, "/v1/keys");
    await send(app, "/v1/agents/ann/claim", { body: {} });
    const open = await send(app, "/health", { key: null });

    expect(drawn).toEqual(["acme key_all status", "acme key_all admin", "acme key_all notify"]);
    expect(open.headers.get("RateLimit")).toBe(null);
  });

  it("is told of as a fault when it is answered with 5xx", async () => {
    const { app, faults } = limitedApp(async () => PERMIT, accepting);
    await send(app, "/v1/tasks", { body: TASK });
    await send(app, "/v1/tasks", { body: {} });
    await send(app, "/v1/tasks/t1");

    expect(faults).toEqual([false, false, true]);
  });
});

describe("the routes of limits", () => {
  it("all draw on the budget of administrators, so that a flood of others locks nobody out", () => {
    expect(limitRoutes.map((route) => classOf(route))).toEqual(limitRoutes.map(() => "admin"));
  });

  it("show limits to administrators and observers, and change them for administrators", async () => {
    const { app } = limitedApp(async () => PERMIT, {
      limits: {
        view: async () => ok(VIEW),
        change: async () => ok(VIEW),
        setKey: async (_by, key_id, limits) => ok({ key_id, limits }),
        clearKey: async () => ok(null),
      },
    });
    const statuses = async (key: string) => {
      const changes = [
        { method: "GET", path: "/v1/limits" },
        { method: "PATCH", path: "/v1/limits", body: { limits: { execute: 5 } } },
        { method: "PUT", path: "/v1/limits/keys/key_1", body: { limits: LIMITS } },
        { method: "DELETE", path: "/v1/limits/keys/key_1" },
      ];
      const answers = await Promise.all(
        changes.map(({ path, ...sent }) => send(app, path, { key, ...sent })),
      );
      return answers.map(({ status }) => status);
    };

    expect(await statuses("admin")).toEqual([200, 200, 200, 204]);
    expect(await statuses("observe")).toEqual([200, 403, 403, 403]);
    expect(await statuses("execute")).toEqual([403, 403, 403, 403]);
  });

  it("list every fault of limits at once", async () => {
    const { app } = limitedApp(async () => PERMIT, {});
    const limits = { total: 0, execute: "many", notify: 4, admin: 9 };
    const patched = await send(app, "/v1/limits", { method: "PATCH", body: { limits } });
    const put = await send(app, "/v1/limits/keys/k", {
      method: "PUT",
      body: { limits: { ...LIMITS, execute: 1_150 } },
    });

    expect(patched.status).toBe(400);
    const { errors } = problemSchema.parse(await patched.json());
    expect(errors?.map(({ pointer }) => pointer).toSorted()).toEqual([
      "/limits/admin",
      "/limits/execute",
      "/limits/notify",
      "/limits/total",
    ]);
    expect(await put.json()).toMatchObject({ errors: [{ pointer: "/limits/total" }] });
  });
});
