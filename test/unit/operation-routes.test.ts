import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import type { KeyView } from "../../src/protocol/access.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const KEY: KeyView = {
  key_id: "key_1",
  name: "ci",
  tenant: "acme",
  scopes: ["observe"],
  created_at: "2026-11-22T10:00:00.000Z",
  expires_at: null,
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

  it("are listed and revoked inside the tenant of the asking key", async () => {
    const tenants: string[] = [];
    const { app } = createFakeApp({
      keys: {
        list: async (tenant) => {
          tenants.push(tenant);
          return { items: [KEY], next_cursor: null };
        },
        remove: async (tenant) => {
          tenants.push(tenant);
          return ok(null);
        },
      },
    });

    const listed = await send(app, "/v1/keys");
    const removed = await send(app, "/v1/keys/key_1", { method: "DELETE" });

    expect(await listed.json()).toEqual({ items: [KEY], next_cursor: null });
    expect(removed.status).toBe(204);
    expect(tenants).toEqual(["acme", "acme"]);
  });
});

describe("health", () => {
  it("answers without a key and without asking anything", async () => {
    const { app, calls } = createFakeApp();

    const response = await send(app, "/health", { key: null });

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok" });
    expect(calls).toEqual([]);
  });

  it.each([
    [true, 200, "ready"],
    [false, 503, "unavailable"],
  ])("says whether everything answers (%s)", async (isReady, code, status) => {
    const dependencies = { d1: isReady ? "ok" : "timed out" };
    const { app } = createFakeApp({ health: { ready: async () => ({ isReady, dependencies }) } });

    const response = await send(app, "/health/ready", { key: null });

    expect(response.status).toBe(code);
    expect(await response.json()).toEqual({ status, dependencies });
  });

  const letter = {
    id: "dl_1",
    received_at: "2026-11-22T10:00:00.000Z",
    queue: "batuta-events",
    reason: "no JSON",
    body: "{",
  };

  it("shows dead letters to whom the room shows them", async () => {
    let asked = "";
    const { app } = createFakeApp({
      health: {
        deadLetters: async (by) => {
          asked = by.key_id;
          return ok({ items: [letter], next_cursor: null });
        },
      },
    });

    const response = await send(app, "/v1/dead-letters", { key: "observe" });

    expect(await response.json()).toEqual({ items: [letter], next_cursor: null });
    expect(asked).toBe("key_observe");
  });

  it("says that a cursor of another list was in the query", async () => {
    const errors = [{ pointer: "/cursor", code: "custom", detail: "is not a cursor of this list" }];
    const { app } = createFakeApp({
      health: {
        deadLetters: async () => refuse({ code: "validation_failed", detail: "cursor", errors }),
      },
    });

    const response = await send(app, "/v1/dead-letters?cursor=x");

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ pointer: "/query/cursor" }] });
  });
});
