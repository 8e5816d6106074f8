import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { verdictOf } from "../../src/dispatch/push/push-answer.ts";
import { ok } from "../../src/lib/result.ts";
import { VERSION_HEADER } from "../../src/protocol/versions.ts";
import { validate } from "../../src/rest/edge/validate.ts";
import { kindOf, noticeHeaders, stampVersion } from "../../src/rest/edge/version.ts";
import { openApiDocument } from "../../src/rest/openapi.ts";
import { json, route } from "../../src/rest/route.ts";
import type { RestEnv } from "../../src/rest/route.ts";
import { createFakeApp } from "./rest-fakes.ts";

const SINCE = "2026-11-26";

describe("noticeHeaders", () => {
  it("says nothing where there is no notice", () => {
    expect(noticeHeaders([])).toEqual({});
  });

  it("gives the earliest dates in the forms of RFC 9745 and RFC 8594", () => {
    const headers = noticeHeaders([
      { text: "b", deprecated_since: "2027-01-01", sunset: "2028-06-01" },
      { text: "a", deprecated_since: SINCE, sunset: null },
      { text: "c", deprecated_since: "2027-02-01", sunset: "2028-01-01" },
    ]);

    expect(headers).toEqual({
      Deprecation: "@1795651200",
      Sunset: "Sat, 01 Jan 2028 00:00:00 GMT",
      Link: '</v1/versions>; rel="deprecation"',
    });
  });
});

describe("a route that is deprecated", () => {
  const old = route({
    id: "old_call",
    method: "GET",
    path: "/old",
    tag: "Operations",
    summary: "Is there for those who know it",
    deprecated: { text: "/old is deprecated, call /new", deprecated_since: SINCE, sunset: null },
    scopes: null,
    answers: { 200: json(z.unknown(), "Something") },
    handle: async () => ok({ status: 200, body: {} }),
  });

  it("tells so with each answer and in the record of the request", async () => {
    const app = new Hono<RestEnv>();
    app.use(stampVersion());
    app.use((context, next) => {
      context.set("trace", { traceId: "", spanId: "", parentId: null, flags: "", receivedAt: 0 });
      return next();
    });
    app.get("/old", validate(old, createFakeApp().ports), (context) =>
      context.json(context.get("warnings") ?? []),
    );

    const response = await app.request("/old");

    expect(await response.json()).toEqual(["/old is deprecated, call /new"]);
    expect(response.headers.get("Deprecation")).toBe("@1795651200");
    expect(response.headers.get(VERSION_HEADER)).toBe("2.0");
  });

  it("is marked in the OpenAPI document, as a field is by its schema", () => {
    const field = z.strictObject({ old: z.string().optional().meta({ deprecated: true }) });
    const { audit: _none, ...rest } = old;
    const post = route({
      ...rest,
      id: "old_field",
      method: "POST",
      body: field,
      audit: "changes nothing",
    });

    expect(openApiDocument([old, post])).toMatchObject({
      paths: {
        "/old": {
          get: { deprecated: true },
          post: {
            requestBody: {
              content: {
                "application/json": { schema: { properties: { old: { deprecated: true } } } },
              },
            },
          },
        },
      },
    });
  });
});

describe("kindOf", () => {
  it("is the id of a schema, and nothing for one that has none", () => {
    expect(kindOf(z.string().meta({ id: "Word" }))).toBe("Word");
    expect(kindOf(z.string())).toBeUndefined();
  });
});

describe("the answer to a push", () => {
  const declined = (body: unknown) =>
    verdictOf({ status_code: 409, fault: null, response_body: JSON.stringify(body) });

  it.each(["2", "2.0", "2.4"])("is read in version %s", (schema_version) => {
    expect(declined({ schema_version, reason: "busy" })).toEqual({
      outcome: "declined",
      reason: "busy",
    });
  });

  it("is not read in another major, which the reason says", () => {
    const verdict = declined({ schema_version: "1.0", reason: "busy" });

    expect(verdict).toMatchObject({ outcome: "declined" });
    expect(verdict).toMatchObject({
      reason: "declined in version 1.0, which is not spoken here; supported: 2, 2.0",
    });
  });
});
