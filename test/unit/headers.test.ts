import { readFileSync } from "node:fs";
import path from "node:path";

import { Hono } from "hono";
import { describe, expect, it } from "vitest";

import { ok } from "../../src/lib/result.ts";
import { protect } from "../../src/rest/edge/headers.ts";
import { rateHeaders } from "../../src/rest/edge/rate-headers.ts";
import { PAGES } from "../../src/rest/pages.ts";
import type { RestEnv } from "../../src/rest/route.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

/** What every answer carries, whatever it says. */
const SAFE = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "X-Frame-Options": "DENY",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
};

describe("security headers", () => {
  it.each([
    ["a success", "/health", {}],
    ["an answer without a body", "/v1/agents/a1", { method: "DELETE" }],
    ["a refusal", "/v1/tasks", { key: null }],
    ["a body beyond the limit", "/v1/tasks", { body: "x".repeat(1_048_577) }],
    ["an unknown address", "/nothing", {}],
    ["a wrong method", "/v1/tasks", { method: "DELETE" }],
    ["an error", "/v1/tasks/t1", {}],
    ["a page", "/docs", { key: null }],
    ["OPTIONS", "/v1/tasks", { method: "OPTIONS" }],
  ] as const)("are on %s", async (_what, address, sent) => {
    const { app } = createFakeApp({ agents: { remove: async () => ok(null) } });

    const { headers } = await send(app, address, sent);

    expect(Object.fromEntries(headers)).toMatchObject(
      Object.fromEntries(Object.entries(SAFE).map(([name, value]) => [name.toLowerCase(), value])),
    );
    for (const name of ["Server", "X-Powered-By"]) expect(headers.get(name)).toBeNull();
  });

  it("say over https that it stays https, and only there", async () => {
    const { app } = createFakeApp();
    const headerOver = async (scheme: string) =>
      (await app.request(`${scheme}://batuta.test/health`)).headers.get(
        "Strict-Transport-Security",
      );

    expect(await headerOver("https")).toBe("max-age=31536000");
    expect(await headerOver("http")).toBeNull();
  });

  it("believe a page that says something else of itself", async () => {
    const app = new Hono<RestEnv>();
    const own = "default-src 'self'";
    app.use(protect);
    app.get("/", (context) => context.body("page", 200, { "Content-Security-Policy": own }));

    expect((await app.request("/")).headers.get("Content-Security-Policy")).toBe(own);
  });
});

describe("pages", () => {
  it.each(PAGES)(
    "carry the ids of their request like any answer, and are no JSON: %s",
    async (page) => {
      const { app, lines } = createFakeApp();

      const response = await send(app, page, { key: null });

      expect(await response.text()).toBe(page);
      expect(response.headers.get("X-Request-Id")).toBe("generated-id");
      expect(lines).toMatchObject([{ event: "request", route: page, status: 200 }]);
    },
  );

  it("have a policy that lets nothing run or look like this but their own files", () => {
    const headers = readFileSync(path.join(import.meta.dirname, "../../assets/_headers"), "utf8");
    const policy = /Content-Security-Policy: (.+)/.exec(headers)?.[1] ?? "";

    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const { "Content-Security-Policy": _own, ...others } = SAFE;
    for (const [name, value] of Object.entries(others)) {
      expect(headers).toContain(`${name}: ${value}`);
    }
  });
});

describe("headers of a quota", () => {
  it("are those of the draft: structured fields, a policy and what is left of it", () => {
    const state = { name: "address", quota: 600, window_s: 60, remaining: 0, reset_s: 17 };

    expect(rateHeaders(state)).toEqual({
      "RateLimit-Policy": '"address";q=600;w=60',
      RateLimit: '"address";r=0;t=17',
    });
  });
});
