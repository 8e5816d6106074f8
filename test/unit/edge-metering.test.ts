import { describe, expect, it } from "vitest";

import { ok } from "../../src/lib/result.ts";
import type { AnsweredRequest } from "../../src/rest/meter-port.ts";
import { createFakeApp, type Given } from "./rest-fakes.ts";

/** The face, and what it has counted. */
function newFace(given: Given = {}) {
  const counted: AnsweredRequest[] = [];
  const { app } = createFakeApp({
    ...given,
    meter: { count: (request) => (counted.push(request), null), ...given.meter },
  });
  const send = (path: string, key: string | null = "observe", method = "GET") =>
    app.request(path, { method, headers: key === null ? {} : { authorization: `Bearer ${key}` } });
  return { counted, send };
}

describe("every request", () => {
  it.each([
    [
      "of a route by its pattern",
      "/v1/tasks/very-own-name",
      "all",
      "/v1/tasks/:task_id",
      500,
      "acme",
    ],
    ["that was not recognised for nobody", "/v1/tasks/x", null, "/v1/tasks/:task_id", 401, ""],
    ["that was refused for its tenant", "/v1/keys", "observe", "/v1/keys", 403, "acme"],
    ["of an unknown path as unmatched", "/v1/made/up", "observe", "unmatched", 404, ""],
    ["of a page by its path", "/docs", null, "/docs", 200, ""],
    ["that its route's schema refuses", "/metrics?all=2", "observe", "/metrics", 400, "acme"],
  ])("%s is counted once", async (_, path, key, route, status, tenant) => {
    const { counted, send } = newFace();

    await send(path, key);

    expect(counted).toEqual([
      { tenant, route, method: "GET", status, duration_ms: expect.any(Number) },
    ]);
  });

  it("with a made-up method is counted as other", async () => {
    const { counted, send } = newFace();

    await send("/v1/tasks", "observe", "BREW");

    expect(counted).toMatchObject([{ method: "other", status: 405 }]);
  });

  it("has what follows it go on", async () => {
    let isDone = false;
    const { send } = newFace({
      meter: {
        count: () =>
          Promise.resolve().then(() => {
            isDone = true;
          }),
      },
    });

    await send("/health", null);
    await Promise.resolve();

    expect(isDone).toBe(true);
  });
});

describe("GET /metrics", () => {
  it("answers the text of the key's tenant in Prometheus's media type", async () => {
    const asked: unknown[] = [];
    const { send } = newFace({
      meter: { text: async (by, isAll) => (asked.push([by.tenant, isAll]), ok("# nothing\n")) },
    });

    const response = await send("/metrics");
    await send("/metrics?all=1");

    expect([response.status, await response.text()]).toEqual([200, "# nothing\n"]);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(asked).toEqual([
      ["acme", false],
      ["acme", true],
    ]);
  });
});
