import { describe, expect, it } from "vitest";

import { ok } from "../../src/lib/result.ts";
import type { Scope } from "../../src/protocol/enums.ts";
import { problemSchema } from "../../src/protocol/problem.ts";
import { ROUTES } from "../../src/rest/app.ts";
import { accepting, createFakeApp, send, TASK, TASK_VIEW } from "./rest-fakes.ts";
import type { Sent } from "./rest-fakes.ts";

const MEBIBYTE = 1_048_576;

async function codeOf(response: Response): Promise<string> {
  return problemSchema.parse(await response.json()).code;
}

/** An address that a pattern of the table matches. */
function addressOf(path: string): string {
  return path.replaceAll(/:\w+/g, "x1");
}

describe("order of checks", () => {
  const tooLarge = "x".repeat(MEBIBYTE + 1);
  const faulty: [what: string, sent: Sent, status: number, code: string][] = [
    [
      "size before authentication",
      { key: null, headers: { "Content-Type": "text/plain" }, body: tooLarge },
      413,
      "body_too_large",
    ],
    [
      "authentication before scope and content type",
      { key: "unknown", headers: { "Content-Type": "text/plain" }, body: "{" },
      401,
      "unauthenticated",
    ],
    [
      "scope before content type",
      { key: "observe", headers: { "Content-Type": "text/plain" }, body: "{" },
      403,
      "forbidden",
    ],
    [
      "content type before JSON",
      { headers: { "Content-Type": "text/plain" }, body: "{" },
      415,
      "unsupported_media_type",
    ],
    [
      "JSON before the schema",
      { body: "{", headers: { "Idempotency-Key": "ü" } },
      400,
      "malformed_json",
    ],
    [
      "complexity before the schema",
      { body: "[".repeat(33) + "]".repeat(33) },
      400,
      "body_too_complex",
    ],
    ["the schema before meaning", { body: { task_type: "general" } }, 400, "validation_failed"],
  ];

  it.each(faulty)("judges %s, and nothing is called", async (_what, sent, status, code) => {
    const { app, calls } = createFakeApp(accepting);

    const response = await send(app, "/v1/tasks", sent);

    expect(response.status).toBe(status);
    expect(await codeOf(response)).toBe(code);
    expect(calls).toEqual([]);
  });

  it("calls the room when every check has passed", async () => {
    const { app, calls } = createFakeApp(accepting);

    const response = await send(app, "/v1/tasks", { body: TASK });

    expect(response.status).toBe(202);
    expect(calls).toEqual(["tasks.submit"]);
  });
});

describe("keys and scopes", () => {
  const guarded = ROUTES.filter((route) => route.scopes !== null);
  const open = ROUTES.filter((route) => route.scopes === null);

  it("asks for no key only where protocol.md §7 says so", () => {
    expect(open.map(({ path }) => path)).toEqual([
      "/health",
      "/health/ready",
      "/v1/versions",
      "/v1/schemas",
      "/v1/schemas/:name",
      "/openapi.json",
    ]);
  });

  it.each(guarded.map(({ method, path }) => [method, path] as const))(
    "answers 401 with a challenge without a key: %s %s",
    async (method, path) => {
      const { app, calls } = createFakeApp();

      const response = await send(app, addressOf(path), { method, key: null });

      expect(response.status).toBe(401);
      expect(response.headers.get("WWW-Authenticate")).toMatch(/^Bearer /);
      expect(calls).toEqual([]);
    },
  );

  const scopes: readonly (Scope | "none")[] = [
    "orchestrate",
    "execute",
    "observe",
    "admin",
    "none",
  ];
  const matrix = guarded.flatMap((route) =>
    scopes.map((scope) => {
      const isAllowed =
        scope === "admin" || (scope !== "none" && route.scopes?.includes(scope) === true);
      return { verb: isAllowed ? "lets pass" : "refuses", isAllowed, scope, ...route };
    }),
  );

  it.each(matrix)("$verb the scope $scope on $method $path", async (row) => {
    const { app, calls } = createFakeApp();

    const response = await send(app, addressOf(row.path), { method: row.method, key: row.scope });

    // What passes meets a fake that throws, or the schema.
    expect(response.status !== 403).toBe(row.isAllowed);
    expect(row.isAllowed || calls.length === 0).toBe(true);
  });

  /** Protocol.md §7, Scopes, in one line each. */
  const granted: Record<Scope, readonly string[]> = {
    orchestrate: [
      "submit_task",
      "command_task",
      "resolve_escalation",
      "create_webhook",
      "list_tasks",
    ],
    execute: [
      "put_agent",
      "claim_tasks",
      "decline_task",
      "beat_heart",
      "notify",
      "end_task",
      "get_task",
    ],
    observe: [
      "get_task",
      "list_tasks",
      "list_webhooks",
      "get_delivery",
      "list_agents",
      "list_dead_letters",
    ],
    admin: ["create_key", "delete_key", "get_callback_secret", "rebuild_task"],
  };
  const denied: Record<Exclude<Scope, "admin">, readonly string[]> = {
    orchestrate: ["claim_tasks", "notify", "create_key", "get_callback_secret"],
    execute: ["submit_task", "command_task", "create_webhook", "list_tasks", "create_key"],
    observe: ["submit_task", "notify", "create_webhook", "replay_delivery", "create_key"],
  };

  it.each(Object.entries(granted))("grants %s what the contract grants it", (scope, ids) => {
    const routes = ROUTES.filter(({ id }) => ids.includes(id));

    expect(routes.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    for (const route of routes) expect(route.scopes).toContain(scope);
  });

  it.each(Object.entries(denied))("denies %s what is not its own", (scope, ids) => {
    const routes = ROUTES.filter(({ id }) => ids.includes(id));

    expect(routes.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    for (const route of routes) expect(route.scopes).not.toContain(scope);
  });
});

describe("addresses", () => {
  it("answers an unknown address with a problem", async () => {
    const { app } = createFakeApp();

    const response = await send(app, "/v1/nothing", { key: null });

    expect(response.status).toBe(404);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(await codeOf(response)).toBe("not_found");
  });

  it("answers a wrong method with 405 and the right ones", async () => {
    const { app } = createFakeApp();

    const response = await send(app, "/v1/tasks/t1", { method: "DELETE" });

    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe("GET, HEAD, OPTIONS");
    expect(await codeOf(response)).toBe("method_not_allowed");
  });

  it("tells a program what an address can do", async () => {
    const { app } = createFakeApp();

    const response = await send(app, "/v1/tasks", { method: "OPTIONS", key: null });

    expect(response.status).toBe(204);
    expect(response.headers.get("Allow")).toBe("POST, GET, HEAD, OPTIONS");
  });

  it("answers HEAD as GET without a body", async () => {
    const { app } = createFakeApp({ tasks: { view: async () => ok(TASK_VIEW) } });

    const response = await send(app, "/v1/tasks/t1", { method: "HEAD" });

    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });
});

describe("errors", () => {
  it("says nothing of an error but writes it down under the same request id", async () => {
    const { app, lines } = createFakeApp({
      tasks: { view: () => Promise.reject(new Error("no such table: secret_plans")) },
    });

    const response = await send(app, "/v1/tasks/t1", { headers: { "X-Request-Id": "r-1" } });

    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toContain("secret_plans");
    expect(JSON.parse(text)).toMatchObject({ code: "internal_error", request_id: "r-1" });
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: "error",
        event: "request_failed",
        request_id: "r-1",
        error: "no such table: secret_plans",
      }),
    );
  });

  it.each(["overloaded", "retryable", "durableObjectReset"])(
    "asks for patience when the platform marks an error as %s",
    async (mark) => {
      const passing = Object.assign(new Error("Durable Object is not there"), { [mark]: true });
      const { app } = createFakeApp({ tasks: { view: () => Promise.reject(passing) } });

      const response = await send(app, "/v1/tasks/t1");

      expect(response.status).toBe(503);
      expect(response.headers.get("Retry-After")).toBe("1");
      expect(await codeOf(response)).toBe("unavailable");
    },
  );
});
