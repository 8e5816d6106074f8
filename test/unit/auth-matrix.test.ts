import { describe, expect, it } from "vitest";

import type { Scope } from "../../src/protocol/enums.ts";
import { scopeSchema } from "../../src/protocol/enums.ts";
import { ROUTES } from "../../src/rest/app.ts";
import type { Route } from "../../src/rest/route.ts";
import { createFakeApp } from "./rest-fakes.ts";

/*
 * Who may use which route: every kind of credential on every route of the table. A new route is in it by being in the
 * table; one that needs no key has to be named here by hand.
 */

/** Routes that anyone may use, each by somebody's decision. */
const PUBLIC = [
  "get_health",
  "get_readiness",
  "list_schemas",
  "get_schema",
  "get_openapi",
  "list_versions",
];

/** Routes that show a task to the holder of a public read token. */
const PUBLIC_READABLE = [
  "get_task",
  "list_task_events",
  "stream_task_events",
  "get_task_report",
  "explain_task",
];

/** Routes that an agent may sign for in place of sending a key. */
const SIGNABLE = ["decline_task", "beat_heart", "notify", "end_task"];

const TOKEN = "pt_of-t1";

/** Neither 401 nor 403: the request got as far as its meaning. */
const PASSES = 0;

function isOpenTo(scopes: readonly Scope[] | null, scope: Scope): boolean {
  return scopes === null || scope === "admin" || scopes.includes(scope);
}

/** What a credential opens, by what the route says of itself; the fakes' keys are named by their scopes. */
const CREDENTIALS: Record<
  string,
  { headers: Record<string, string>; expected(route: Route): number }
> = {
  "no credential": { headers: {}, expected: () => 401 },
  "a malformed header": { headers: { Authorization: "Basic abc" }, expected: () => 401 },
  "an empty bearer": { headers: { Authorization: "Bearer " }, expected: () => 401 },
  "an unknown key": { headers: { Authorization: "Bearer bk_unknown" }, expected: () => 401 },
  "two keys": { headers: { Authorization: "Bearer all, Bearer all" }, expected: () => 401 },
  "a forged public token": { headers: { Authorization: "Bearer pt_forged" }, expected: () => 401 },
  "a public token of the task": {
    headers: { Authorization: `Bearer ${TOKEN}` },
    expected: ({ id }) => (PUBLIC_READABLE.includes(id) ? PASSES : 401),
  },
  "a key without scopes": { headers: { Authorization: "Bearer none" }, expected: () => 403 },
  ...Object.fromEntries(
    scopeSchema.options.map((scope) => [
      `a key with ${scope}`,
      {
        headers: { Authorization: `Bearer ${scope}` },
        expected: ({ scopes }: Route) => (isOpenTo(scopes, scope) ? PASSES : 403),
      },
    ]),
  ),
};

const { app } = createFakeApp({
  keys: {
    readerOf: async (token) =>
      token === TOKEN
        ? {
            key_id: "public/t1",
            tenant: "acme",
            scopes: ["observe"],
            isBootstrap: false,
            public_task: { task_id: "t1", expires_at: 9e12 },
          }
        : null,
  },
});

async function statusOf(
  route: Route,
  headers: Record<string, string>,
  query = "",
): Promise<number> {
  const path = route.path.replace(":task_id", "t1").replaceAll(/:\w+/g, "x");
  const hasBody = route.body !== undefined;
  const { status } = await app.request(`${path}${query}`, {
    method: route.method,
    headers: { ...headers, ...(hasBody && { "Content-Type": "application/json" }) },
    ...(hasBody && { body: "{}" }),
  });
  return status === 401 || status === 403 ? status : PASSES;
}

const guarded = ROUTES.filter(({ scopes }) => scopes !== null);

describe("the matrix of credentials and routes", () => {
  it.each(Object.entries(CREDENTIALS))("holds for %s on every route", async (_name, credential) => {
    const got = await Promise.all(
      guarded.map(async (route) => [route.id, await statusOf(route, credential.headers)]),
    );

    expect(guarded.length).toBeGreaterThan(80);
    expect(got).toEqual(guarded.map((route) => [route.id, credential.expected(route)]));
  });

  it("holds for a public token in the address, where no key may stand", async () => {
    const at = (route: Route, token: string) => statusOf(route, {}, `?access_token=${token}`);
    const [byToken, byKey] = [
      await Promise.all(guarded.map(async (route) => [route.id, await at(route, TOKEN)])),
      await Promise.all(guarded.map(async (route) => [route.id, await at(route, "all")])),
    ];

    expect(byToken).toEqual(
      guarded.map(({ id }) => [id, PUBLIC_READABLE.includes(id) ? PASSES : 401]),
    );
    expect(byKey).toEqual(guarded.map(({ id }) => [id, 401]));
  });

  it("has by hand which routes need no key, show one task to anyone, or take a signature", () => {
    const idsOf = (isMeant: (route: Route) => boolean) =>
      ROUTES.filter(isMeant)
        .map(({ id }) => id)
        .toSorted();

    expect(idsOf(({ scopes }) => scopes === null)).toEqual(PUBLIC.toSorted());
    expect(idsOf((route) => route.isPublicReadable === true)).toEqual(PUBLIC_READABLE.toSorted());
    expect(idsOf((route) => route.isSignable === true)).toEqual(SIGNABLE.toSorted());
    // A token says which task it is of: a path without one could not be checked against it.
    for (const route of ROUTES.filter(({ isPublicReadable }) => isPublicReadable === true)) {
      expect(route).toMatchObject({ method: "GET" });
      expect(route.path).toContain(":task_id");
    }
  });
});
