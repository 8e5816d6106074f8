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
    { what: "of a route by its pattern", path: "/v1/tasks/own", key: "all", status: 500 },
    { what: "that was not recognised for nobody", path: "/v1/tasks/own", key: null, status: 401 },
    { what: "that was refused for its tenant", path: "/v1/keys", key: "observe", status: 403 },
    { what: "of an unknown path as unmatched", path: "/v1/made/up", key: "observe", status: 404 },
    { what: "of a page by its path", path: "/docs", key: null, status: 200 },
    { what: "that its schema refuses", path: "/metrics?all=2", key: "observe", status: 400 },
  ])("$what is counted once", async ({ path, key, status }) => {
    const { counted, send } = newFace();

    await send(path, key);

    const route = { "/v1/tasks/own": "/v1/tasks/:task_id", "/v1/made/up": "unmatched" }[path];
    const tenant = key === null || status === 404 ? "" : "acme";
    const [pathname = ""] = path.split("?");
    expect(counted).toEqual([
      { tenant, route: route ?? pathname, method: "GET", status, duration_ms: expect.any(Number) },
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
