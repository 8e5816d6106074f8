import { describe, expect, it } from "vitest";

import { ok } from "../../src/lib/result.ts";
import { continueTrace } from "../../src/rest/edge/correlation.ts";
import { accepting, createFakeApp, send, TASK, TASK_VIEW } from "./rest-fakes.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const newHex = (bytes: number): string => "ab".repeat(bytes);

describe("request id", () => {
  it.each(["a", "req-1.b_C", "x".repeat(128)])("takes over %s", async (id) => {
    const { app } = createFakeApp();

    const response = await send(app, "/health", { headers: { "X-Request-Id": id } });

    expect(response.headers.get("X-Request-Id")).toBe(id);
  });

  it.each(["has space", "x".repeat(129), "a/b", "ä", "bk_0123456789", "eyJ0123456789"])(
    "makes its own for %s",
    async (id) => {
      const { app } = createFakeApp();

      const response = await send(app, "/health", {
        headers: { "X-Request-Id": id.replace("ä", "%C3") },
      });

      expect(response.headers.get("X-Request-Id")).toBe("generated-id");
    },
  );
});

describe("trace", () => {
  it("continues the caller's trace with a span of its own", () => {
    expect(continueTrace(`00-${TRACE}-b7ad6b7169203331-00`, newHex, 7)).toEqual({
      traceId: TRACE,
      spanId: "abababababababab",
      parentId: "b7ad6b7169203331",
      flags: "00",
      receivedAt: 7,
    });
  });

  it("reads what it knows of a later version", () => {
    expect(continueTrace(`01-${TRACE}-b7ad6b7169203331-01-more`, newHex, 0).traceId).toBe(TRACE);
  });

  it.each([
    ["00", "00", "00"],
    ["00", "01", "01"],
    ["00", "fe", "00"],
    ["00", "ff", "01"],
    ["cc", "03", "01"],
  ])("of version %s keeps of the flags %s what is known: %s", (version, sent, kept) => {
    const header = `${version}-${TRACE}-b7ad6b7169203331-${sent}`;

    expect(continueTrace(header, newHex, 0).flags).toBe(kept);
  });

  it.each([
    undefined,
    "",
    "nonsense",
    `ff-${TRACE}-b7ad6b7169203331-01`,
    `00-${TRACE}-b7ad6b7169203331-01-more`,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`,
  ])("begins a new trace for %s", (header) => {
    expect(continueTrace(header, newHex, 0)).toMatchObject({
      traceId: "ab".repeat(16),
      parentId: null,
    });
  });

  it("hands the trace id to the task and names it in the answer", async () => {
    let traceId = "";
    const { app } = createFakeApp({
      tasks: {
        submit: async (_by, _task, request) => {
          traceId = request.traceId;
          return ok({ view: TASK_VIEW, isNew: true });
        },
      },
    });

    const response = await send(app, "/v1/tasks", {
      body: TASK,
      headers: { traceparent: `00-${TRACE}-b7ad6b7169203331-01` },
    });

    expect(traceId).toBe(TRACE);
    expect(response.headers.get("traceparent")).toBe(`00-${TRACE}-abababababababab-01`);
  });
});

describe("every answer", () => {
  it.each([
    ["a success", "/health", {}],
    ["a refusal", "/v1/tasks", { key: null }],
    ["an unknown address", "/nothing", {}],
    ["an error", "/v1/tasks/t1", {}],
  ] as const)("carries ids and safe headers: %s", async (_what, path, sent) => {
    const { app } = createFakeApp();

    const { headers } = await send(app, path, sent);

    expect(headers.get("X-Request-Id")).toBe("generated-id");
    expect(headers.get("traceparent")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Cache-Control")).toBe("no-store");
  });
});

describe("log", () => {
  it("writes one line per request: pattern, status, time, ids, tenant, and no body", async () => {
    const { app, lines } = createFakeApp(accepting);

    await send(app, "/v1/tasks", { body: { ...TASK, description: "a private matter" } });
    await send(app, "/v1/tasks/t-42", { key: null });

    expect(lines).toEqual([
      {
        level: "info",
        event: "request",
        method: "POST",
        route: "/v1/tasks",
        status: 202,
        duration_ms: 15,
        request_id: "generated-id",
        trace_id: "ab".repeat(16),
        tenant: "acme",
        validation: "passed",
        checks: "size content_type json complexity query headers body meaning output",
      },
      expect.objectContaining({ route: "/v1/tasks/:task_id", status: 401, tenant: null }),
    ]);
    expect(JSON.stringify(lines)).not.toContain("private");
  });
});
