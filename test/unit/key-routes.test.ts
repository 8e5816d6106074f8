import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import type { KeyView, Principal } from "../../src/protocol/access.ts";
import { publicTokenSchema } from "../../src/protocol/public-token.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const KEY: KeyView = {
  key_id: "key_1",
  name: "ci",
  tenant: "acme",
  scopes: ["observe"],
  created_at: "2026-11-22T10:00:00.000Z",
  expires_at: null,
  state: "active",
  rotated_at: null,
  retiring_until: null,
  last_used_at: null,
};

describe("keys", () => {
  it("are created with 201 and shown once", async () => {
    const { app } = createFakeApp({ keys: { create: async () => ok({ ...KEY, key: "bk_x" }) } });

    const response = await send(app, "/v1/keys", {
      key: "admin",
      body: { name: "ci", scopes: ["observe"] },
    });

    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ ...KEY, key: "bk_x" });
  });

  it("are refused to one who asks for more than they hold", async () => {
    const { app } = createFakeApp({
      keys: { create: async () => refuse({ code: "forbidden", detail: "not yours to give" }) },
    });

    const response = await send(app, "/v1/keys", { body: { name: "ci", scopes: ["admin"] } });

    expect(response.status).toBe(403);
  });

  it.each([
    { scopes: [] },
    { scopes: ["root"] },
    { name: "" },
    { tenant: "a/b" },
    { expires_at: "soon" },
  ])("are refused for %j", async (fault) => {
    const { app, calls } = createFakeApp();

    const response = await send(app, "/v1/keys", {
      body: { name: "ci", scopes: ["observe"], ...fault },
    });

    expect(response.status).toBe(400);
    expect(calls).toEqual([]);
  });

  it("are listed, read, rotated, changed and revoked for whoever asks, and the tenant that they name", async () => {
    const asked: unknown[] = [];
    const told = (by: Principal, of: unknown) => {
      asked.push([by.tenant, of]);
      return ok(KEY);
    };
    const { app } = createFakeApp({
      keys: {
        list: async (by, page) => {
          told(by, page);
          return ok({ items: [KEY], next_cursor: null });
        },
        get: async (by, _key_id, of) => told(by, of),
        rotate: async (by, _key_id, of) => told(by, of),
        change: async (by, _key_id, of) => told(by, of),
        remove: async (by, _key_id, of) => {
          told(by, of);
          return ok(null);
        },
      },
    });

    const answers = [
      await send(app, "/v1/keys?tenant=beta"),
      await send(app, "/v1/keys/key_1"),
      await send(app, "/v1/keys/key_1/rotate?tenant=beta", { body: { overlap_seconds: 60 } }),
      await send(app, "/v1/keys/key_1/rotate", { body: {} }),
      await send(app, "/v1/keys/key_1", { method: "PATCH", body: { expires_at: null } }),
      await send(app, "/v1/keys/key_1?tenant=beta", { method: "DELETE" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 204]);
    expect(asked).toEqual([
      ["acme", { tenant: "beta", limit: 50 }],
      ["acme", {}],
      ["acme", { tenant: "beta", overlap_seconds: 60 }],
      ["acme", { overlap_seconds: 86_400 }],
      ["acme", { change: { schema_version: "2.0", expires_at: null } }],
      ["acme", { tenant: "beta" }],
    ]);
  });

  it.each([
    ["PATCH", "/v1/keys/key_1", {}],
    ["PATCH", "/v1/keys/key_1", { scopes: ["admin"] }],
    ["PATCH", "/v1/keys/key_1", { expires_at: "tomorrow" }],
    ["POST", "/v1/keys/key_1/rotate", { overlap_seconds: 604_801 }],
    ["POST", "/v1/keys/key_1/rotate", { overlap_seconds: -1 }],
    ["POST", "/v1/tasks/t1/tokens", { expires_in_seconds: 59 }],
    ["POST", "/v1/tasks/t1/tokens", { expires_in_seconds: 604_801 }],
  ])("are refused %s %s with %j, and nobody is asked", async (method, path, body) => {
    const { app, calls } = createFakeApp();

    const response = await send(app, path, { method, body });

    expect(response.status).toBe(400);
    expect(calls).toEqual([]);
  });
});

describe("a public token of a task", () => {
  it("is answered with the address of its stream", async () => {
    const expires_at = "2026-11-22T11:00:00.000Z";
    const seconds: number[] = [];
    const { app } = createFakeApp({
      keys: {
        mintToken: async (_by, _task_id, expiresInSeconds) => {
          seconds.push(expiresInSeconds);
          return ok({ token: "pt_x.y", expires_at });
        },
      },
    });

    const response = await send(app, "/v1/tasks/t1/tokens", { body: {}, key: "observe" });

    expect(response.status).toBe(201);
    expect(publicTokenSchema.parse(await response.json())).toEqual({
      token: "pt_x.y",
      task_id: "t1",
      expires_at,
      stream_url: "http://localhost/v1/tasks/t1/stream?access_token=pt_x.y",
    });
    expect(seconds).toEqual([3_600]);
  });
});
