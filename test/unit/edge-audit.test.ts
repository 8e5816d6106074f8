import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import { ROUTES } from "../../src/rest/app.ts";
import { empty, route } from "../../src/rest/route.ts";
import { createFakeApp, send } from "./rest-fakes.ts";
import type { Given } from "./rest-fakes.ts";

const KEY = {
  key_id: "key_1",
  name: "ci",
  tenant: "other",
  scopes: ["observe" as const],
  created_at: "2026-11-22T10:00:00.000Z",
  expires_at: null,
  state: "active" as const,
  rotated_at: null,
  retiring_until: null,
  last_used_at: null,
};

/** The face over fakes, with what it has told the trail. */
function audited(given: Given) {
  const told: unknown[] = [];
  const fakes = createFakeApp({
    ...given,
    trail: {
      record: async (by, deed) => void told.push([by.key_id, deed]),
      recordDenied: async (by, denied) => void told.push([by.key_id, denied]),
    },
  });
  return { ...fakes, told };
}

const body = { name: "ci", scopes: ["observe"] };
const headers = { "X-Request-Id": "r-1" };

describe("every route", () => {
  it("that may change something says what its entry is, or why it has none", () => {
    const silent = ROUTES.filter(({ method, audit }) => method !== "GET" && audit === undefined);

    expect(silent).toEqual([]);
  });

  it("does not compile without", () => {
    const parts = {
      id: "x",
      path: "/x",
      tag: "Operations",
      summary: "",
      scopes: null,
      answers: { 204: empty("Done") },
      handle: async () => ok({ status: 204 }),
    } as const;

    // @ts-expect-error a route that may change something has to speak of the audit
    route({ ...parts, method: "POST" });
    // @ts-expect-error and its reason has to be one of those that there are
    route({ ...parts, method: "DELETE", audit: "too much work" });
    route({ ...parts, method: "GET" });
    expect(route({ ...parts, method: "PUT", audit: "changes nothing" }).audit).toBeDefined();
  });

  it("has a word of its own for what it does", () => {
    const actions = ROUTES.flatMap(({ audit }) =>
      typeof audit === "object" ? [audit.action] : [],
    );

    expect(new Set(actions).size).toBe(actions.length);
    expect(actions.filter((action) => !/^[a-z]+(_[a-z]+)+$/.test(action))).toEqual([]);
  });
});

describe("what is taken down at the edge", () => {
  it("is who did what to which object of which tenant, once", async () => {
    const { app, told } = audited({ keys: { create: async () => ok({ ...KEY, key: "bk_x" }) } });

    await send(app, "/v1/keys", { body, headers });

    expect(told).toEqual([
      [
        "key_all",
        {
          action: "key_created",
          subject: "key_1",
          subject_kind: "key",
          detail: { ...body, expires_at: null },
          request_id: "r-1",
          tenant: "other",
        },
      ],
    ]);
  });

  it("is nothing when the request was refused, or was to show something and has failed", async () => {
    const refusal = { code: "key_not_found" as const, detail: "" };
    const refusing = audited({ keys: { remove: async () => refuse(refusal) } });
    const failing = audited({
      webhooks: { callbackSecret: () => Promise.reject(new Error("broken")) },
    });

    await send(refusing.app, "/v1/keys/key_1", { method: "DELETE" });
    const response = await send(failing.app, "/v1/callback-secret");

    expect([refusing.told, failing.told]).toEqual([[], []]);
    expect(response.status).toBe(500);
  });

  it("is what may have been done when the handler has failed, in the actor's own tenant", async () => {
    const broken = () => Promise.reject(new Error("broken"));
    const { app, told } = audited({
      keys: { remove: broken, create: broken },
      followUps: { commandAll: broken },
    });

    const response = await send(app, "/v1/keys/key_1?tenant=other", { method: "DELETE", headers });
    await send(app, "/v1/keys", { body });
    await send(app, "/v1/commands", { body: { all: true, command: "cancel", reason: "x" } });
    await send(app, "/v1/commands", {
      body: { all: true, command: "cancel", reason: "x", dry_run: true },
    });

    expect(response.status).toBe(500);
    expect(told).toEqual([
      [
        "key_all",
        {
          action: "key_revoked",
          subject: "key_1",
          subject_kind: "key",
          detail: { outcome: "unknown" },
          request_id: "r-1",
          tenant: undefined,
        },
      ],
      ["key_all", expect.objectContaining({ subject: "unknown" })],
      ["key_all", expect.objectContaining({ subject: "tasks" })],
    ]);
  });

  it.each([
    ["key~other~key_1", "other"],
    ["address~192.0.2.1", undefined],
  ])("is of the lifted block %s in the tenant %s", async (block_id, tenant) => {
    const { app, told } = audited({ blocks: { lift: async () => ok(null) } });

    await send(app, `/v1/blocks/${block_id}`, { method: "DELETE" });

    expect(told).toMatchObject([["key_all", { action: "block_lifted", subject: block_id }]]);
    expect(told).toMatchObject([["key_all", { tenant }]]);
  });

  it("is what was done also when its answer has to be withheld", async () => {
    const wrong = { ...KEY, scopes: ["root"] } as unknown as typeof KEY;
    const { app, told } = audited({ keys: { create: async () => ok(wrong) } });

    const response = await send(app, "/v1/keys", { body });

    expect(response.status).toBe(500);
    expect(told).toMatchObject([["key_all", { action: "key_created", subject: "key_1" }]]);
  });

  it("goes on when the client has hung up", async () => {
    const kept: Promise<unknown>[] = [];
    const context = {
      waitUntil: (work: Promise<unknown>) => void kept.push(work),
      passThroughOnException: () => undefined,
      props: {},
    };
    const { app, told } = audited({ keys: { remove: async () => ok(null) } });
    const request = { method: "DELETE", headers: { Authorization: "Bearer admin" } };

    const asked = app.request("/v1/keys/key_1", request, {}, context);
    await asked;

    expect(kept).toHaveLength(1);
    await kept[0];
    expect(told).toHaveLength(1);
  });

  it("is a known key's attempt at what only administrators may do, and no other refusal", async () => {
    const denying: Given = {
      keys: { create: async () => refuse({ code: "forbidden", detail: "not yours to give" }) },
    };
    const { app, told } = audited(denying);

    await send(app, "/v1/keys", { key: "observe", body, headers });
    await send(app, "/v1/keys", { key: "admin", body, headers });
    await send(app, "/v1/keys", { key: "unknown", body });
    await send(app, "/v1/tasks", { key: "observe", body: {} });

    expect(told).toEqual([
      ["key_observe", { operation: "create_key", request_id: "r-1" }],
      ["key_admin", { operation: "create_key", request_id: "r-1" }],
    ]);
  });
});
