import { Hono } from "hono";
import { describe, expect, it } from "vitest";

import type { Principal } from "../../src/protocol/access.ts";
import { authenticate, authorize, mayUse } from "../../src/rest/edge/auth.ts";
import type { RestEnv } from "../../src/rest/route.ts";

const principal: Principal = {
  key_id: "key_1",
  tenant: "acme",
  scopes: ["execute"],
  isBootstrap: false,
};

function createGuarded() {
  const asked: string[] = [];
  const app = new Hono<RestEnv>();
  const keys = {
    noteUse: () => null,
    principalOf: async (key: string) => {
      asked.push(key);
      return key === "good" ? principal : null;
    },
  };
  app.get("/", authenticate(keys), (context) => context.text(context.get("principal").tenant));
  app.get("/admin", authenticate(keys), authorize(["orchestrate"]), (context) =>
    context.text("in"),
  );
  return { app, asked };
}

async function get(path: string, authorization?: string) {
  const { app, asked } = createGuarded();
  const headers = authorization === undefined ? {} : { Authorization: authorization };
  const response = await app.request(path, { headers });
  return { response, asked };
}

describe("authenticate", () => {
  it.each(["Bearer good", "bearer good", "BEARER  good "])("accepts %s", async (authorization) => {
    const { response } = await get("/", authorization);

    expect(await response.text()).toBe("acme");
  });

  it.each([
    "good",
    "Basic good",
    "Bearer",
    "Bearer ",
    "Bearer two words",
    `Bearer ${"x".repeat(4_097)}`,
  ])("refuses %s without asking anyone", async (authorization) => {
    const { response, asked } = await get("/", authorization);

    expect(response.status).toBe(401);
    expect(asked).toEqual([]);
  });

  it("tells a bad key from a missing one in its challenge", async () => {
    const missing = await get("/");
    const bad = await get("/", "Bearer bad");

    expect(missing.response.headers.get("WWW-Authenticate")).toBe('Bearer realm="batuta"');
    expect(bad.response.headers.get("WWW-Authenticate")).toContain('error="invalid_token"');
  });
});

describe("authorize", () => {
  it("names the scopes that would do, and the ones that are there", async () => {
    const { response } = await get("/admin", "Bearer good");

    expect(response.status).toBe(403);
    expect(response.headers.get("WWW-Authenticate")).toContain('scope="orchestrate admin"');
    expect(await response.json()).toMatchObject({
      code: "forbidden",
      detail: "needs a key with the scope orchestrate or admin; this one has execute",
    });
  });

  it("takes any one of the scopes, and admin for all", () => {
    expect(mayUse(principal, ["observe", "execute"])).toBe(true);
    expect(mayUse(principal, ["observe"])).toBe(false);
    expect(mayUse({ ...principal, scopes: ["admin"] }, ["observe"])).toBe(true);
    expect(mayUse({ ...principal, scopes: [] }, ["observe"])).toBe(false);
  });
});
