import { describe, expect, it } from "vitest";

import { ROUTES } from "../../src/rest/app.ts";
import { sharing } from "../../src/rest/edge/cors.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const CONSOLE = "https://console.example.com";
const STRANGER = "https://stranger.example.com";

const ASKS_FIRST = {
  "Access-Control-Request-Method": "POST",
  "Access-Control-Request-Headers": "authorization,idempotency-key",
};

/** An OPTIONS request of a page, and all that its answer says of CORS. */
async function preflight(origins: readonly string[], origin: string, path = "/v1/tasks") {
  const { app } = createFakeApp({ corsOrigins: origins });
  const response = await send(app, path, {
    method: "OPTIONS",
    key: null,
    headers: { Origin: origin, ...ASKS_FIRST },
  });
  return { response, said: saidBy(response) };
}

function saidBy({ headers }: Response): string[] {
  return [...headers.keys()].filter((name) => name.startsWith("access-control-"));
}

describe("requests of pages from elsewhere", () => {
  it.each(["/v1/tasks", "/health", "/openapi.json", "/nothing"])(
    "are told nothing unless an origin is listed: %s",
    async (path) => {
      const { said } = await preflight([], CONSOLE, path);
      const { app } = createFakeApp();
      const answer = await send(app, path, { key: null, headers: { Origin: CONSOLE } });

      expect([...said, ...saidBy(answer)]).toEqual([]);
      expect(answer.headers.get("Vary")).toBeNull();
    },
  );

  it("may ask first, when their origin is listed", async () => {
    const { response } = await preflight([CONSOLE], CONSOLE);
    const said = (name: string) => response.headers.get(`Access-Control-${name}`);

    expect(response.status).toBe(204);
    expect(said("Allow-Origin")).toBe(CONSOLE);
    expect(said("Allow-Credentials")).toBeNull();
    expect(said("Allow-Methods")?.split(",")).toEqual(
      expect.arrayContaining(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
    );
    expect(said("Allow-Headers")?.split(",")).toEqual(
      expect.arrayContaining(["Authorization", "Content-Type", "Idempotency-Key", "Lease-Token"]),
    );
    expect(said("Max-Age")).toBe("7200");
    expect(response.headers.get("Vary")).toContain("Origin");
  });

  it.each([
    STRANGER,
    "https://console.example.com.evil.test",
    "null",
    "http://console.example.com",
  ])("are told nothing when another origin is listed: %s", async (origin) => {
    const { said } = await preflight([CONSOLE], origin);

    expect(said).toEqual([]);
  });

  it.each([
    ["a success", "/health", {}],
    ["a refusal", "/v1/tasks", { key: null }],
    ["an error", "/v1/tasks/t1", {}],
    ["a block", "/health", { headers: { "CF-Connecting-IP": "blocked" } }],
  ] as const)("may read %s when their origin is listed", async (_what, path, sent) => {
    const { app } = createFakeApp({
      corsOrigins: [CONSOLE],
      offenders: { blockedFor: (caller) => (caller === "blocked" ? 1_000 : 0) },
    });
    const headers = "headers" in sent ? sent.headers : {};
    const answered = (origin: string) =>
      send(app, path, { ...sent, headers: { ...headers, Origin: origin } });

    const listed = await answered(CONSOLE);
    const other = await answered(STRANGER);

    expect(listed.headers.get("Access-Control-Allow-Origin")).toBe(CONSOLE);
    expect(listed.headers.get("Access-Control-Expose-Headers")).toMatch(/X-Request-Id/);
    expect(saidBy(other)).toEqual([]);
    expect([listed, other].map((answer) => answer.headers.get("Vary"))).toEqual([
      "Origin",
      "Origin",
    ]);
  });

  it("leave OPTIONS without a preflight to say which methods there are", async () => {
    const { app } = createFakeApp({ corsOrigins: [CONSOLE] });

    const response = await send(app, "/health", {
      method: "OPTIONS",
      headers: { Origin: CONSOLE },
    });

    expect(response.headers.get("Allow")).toBe("GET, HEAD, OPTIONS");
  });

  it("may send every header that a route declares", () => {
    const declared = ROUTES.flatMap(({ headers }) => Object.keys(headers?.shape ?? {}));

    expect(declared).toContain("Lease-Token");
    expect(() => sharing([CONSOLE], ROUTES)).not.toThrow();
  });
});
