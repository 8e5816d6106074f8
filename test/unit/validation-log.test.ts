import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import { accepting, createFakeApp, send, TASK, TASK_VIEW } from "./rest-fakes.ts";

const SECRET = "hunter2-sesame";

describe("a validation", () => {
  it("that passed is told once with what was checked and which declared fields were there", async () => {
    const { app, told, lines } = createFakeApp(accepting);

    await send(app, "/v1/tasks", {
      headers: { "Idempotency-Key": SECRET },
      body: { ...TASK, metadata: { [SECRET]: SECRET } },
    });

    expect(told).toEqual([
      {
        outcome: "passed",
        code: null,
        route: "/v1/tasks",
        operation: "submit_task",
        request_id: "generated-id",
        tenant: "acme",
        key_id: "key_all",
        validations: [
          "size",
          "content_type",
          "json",
          "complexity",
          "query",
          "headers",
          "body",
          "meaning",
          "output",
        ],
        fields: ["/headers/Idempotency-Key", "/task_type", "/description", "/metadata"],
        unknown_fields: 0,
        errors: [],
        faults: 0,
        warnings: [],
        duration_us: 0,
      },
    ]);
    expect(lines.map(({ event }) => event)).toEqual(["request"]);
    expect(JSON.stringify([told, lines])).not.toContain(SECRET);
  });

  it("that failed names the places of its faults, but no name that nobody declared and no value", async () => {
    const { app, told, lines } = createFakeApp();

    await send(app, `/v1/tasks?${SECRET}=1`, {
      headers: { "X-Request-Id": "bk_0123456789" },
      body: {
        task_type: SECRET,
        [SECRET]: SECRET,
        requires: { labels: { [SECRET]: [] } },
      },
    });

    expect(told).toMatchObject([
      {
        outcome: "refused",
        code: "validation_failed",
        request_id: "generated-id",
        fields: ["/task_type", "/requires"],
        unknown_fields: 2,
        errors: expect.arrayContaining([
          { pointer: "/query/*", code: "unrecognized_keys" },
          { pointer: "/*", code: "unrecognized_keys" },
          { pointer: "/requires/labels/*", code: "invalid_type" },
          { pointer: "/task_type", code: "invalid_value" },
          { pointer: "/description", code: "invalid_type" },
        ]),
        faults: 5,
      },
    ]);
    expect(lines.find(({ event }) => event === "validation_refused")).toMatchObject({
      level: "info",
      code: "validation_failed",
      checks: "size content_type json complexity query headers body",
      faults: 5,
    });
    expect(JSON.stringify([told, lines])).not.toContain(SECRET);
    expect(JSON.stringify(told)).not.toContain("bk_0123456789");
  });

  it.each([
    [
      "the type",
      { headers: { "Content-Type": "text/plain" }, body: "{}" },
      "unsupported_media_type",
      "content_type",
    ],
    ["no JSON", { body: "{" }, "malformed_json", "json"],
    ["its depth", { body: "[".repeat(40) + "]".repeat(40) }, "body_too_complex", "complexity"],
    ["its size", { body: "x".repeat(1_048_577) }, "body_too_large", "size"],
  ])("ends with the check that failed: %s", async (_what, sent, code, last) => {
    const { app, told } = createFakeApp();

    await send(app, "/v1/tasks", { method: "POST", ...sent });

    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ outcome: "refused", code });
    expect(told[0]?.validations.at(-1)).toBe(last);
  });

  it("by meaning belongs to it too: what a room refuses is told with its code", async () => {
    const { app, told } = createFakeApp({
      tasks: { view: async () => refuse({ code: "task_not_found", detail: "none" }) },
    });

    await send(app, "/v1/tasks/t1");

    expect(told).toMatchObject([
      {
        outcome: "refused",
        code: "task_not_found",
        validations: ["size", "path", "query", "meaning"],
        fields: ["/path/task_id"],
      },
    ]);
  });

  it("is told with how long it took, in whole microseconds", async () => {
    let now = 1_000.25;
    const micros = () => (now += 41.5);
    const { app, told, lines } = createFakeApp({ validations: { micros } });

    await send(app, "/v1/tasks", { body: {} });
    await send(app, "/v1/tasks", { method: "POST", body: "{" });

    expect(told.map(({ duration_us }) => duration_us)).toEqual([42, 42]);
    expect(
      lines
        .filter(({ event }) => event === "validation_refused")
        .map(({ duration_us }) => duration_us),
    ).toEqual([42, 42]);
  });

  it("is not told of who never got as far, and breaks of ours are not laid at its door", async () => {
    const { app, told } = createFakeApp();

    await send(app, "/v1/tasks/t1", { key: null });
    await send(app, "/v1/tasks/t1", { key: "none" });
    await send(app, "/nowhere");
    const before = told.length;
    const broken = await send(app, "/v1/tasks/t1");

    expect(before).toBe(0);
    expect(broken.status).toBe(500);
    expect(told).toMatchObject([
      { outcome: "passed", code: null, validations: ["size", "path", "query"] },
    ]);
  });
});

describe("a planted fault", () => {
  it("in an answer is withheld, told of with its places, and replaced by a problem", async () => {
    const { app, told } = createFakeApp({
      tasks: {
        view: async () =>
          ok({ ...TASK_VIEW, [SECRET]: 1, seq: "7" } as unknown as typeof TASK_VIEW),
      },
    });

    const response = await send(app, "/v1/tasks/t1");

    expect([response.status, (await response.text()).includes(SECRET)]).toEqual([500, false]);
    expect(told).toMatchObject([
      {
        outcome: "withheld",
        operation: "get_task",
        validations: ["size", "path", "query", "meaning", "output"],
        errors: [
          { pointer: "/seq", code: "invalid_type" },
          { pointer: "/", code: "unrecognized_keys" },
        ],
        faults: 2,
      },
    ]);
    expect(JSON.stringify(told)).not.toContain(SECRET);
  });

  it("in a refusal of a room is withheld as well", async () => {
    const broken = { code: "gossip", detail: SECRET, errors: [{ pointer: 7 }] };
    const { app, told } = createFakeApp({
      tasks: { view: async () => refuse(broken as never) },
    });

    const response = await send(app, "/v1/tasks/t1");

    expect([response.status, (await response.text()).includes(SECRET)]).toEqual([500, false]);
    expect(told[0]?.outcome).toBe("withheld");
    expect(told[0]?.errors.map(({ pointer }) => pointer)).toContain("/code");
  });

  it("in a line of an export breaks the export off", async () => {
    const entry = {
      audit_id: "a1",
      at: "2026-11-22T10:00:00.000Z",
      actor: "k1",
      actor_kind: "key" as const,
      subject_kind: "webhook",
      request_id: null,
      action: "webhook_created",
      subject: "wh_1",
      detail: {},
    };
    async function* pages() {
      yield [entry];
      yield [{ ...entry, detail: SECRET }] as never;
    }
    const { app, told } = createFakeApp({ audit: { all: async () => ok(pages()) } });

    const response = await send(app, "/v1/webhooks/wh_1/audit", {
      headers: { Accept: "application/x-ndjson" },
    });

    await expect(response.text()).rejects.toThrow("withheld");
    expect(told.find(({ outcome }) => outcome === "withheld")).toMatchObject({
      route: "export:list_webhook_audit",
      errors: [{ pointer: "/detail", code: "invalid_type" }],
    });
  });
});
