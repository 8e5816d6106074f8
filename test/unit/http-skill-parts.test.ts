import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { assertionSchema, unmet } from "../../src/executor/skills/http/assertions.ts";
import { expectationSchema, unmetBy } from "../../src/executor/skills/http/expectations.ts";
import { pathSteps, valueAt } from "../../src/executor/skills/http/json-path.ts";
import { Redaction, shownUrl } from "../../src/executor/skills/http/redaction.ts";
import { schemaJudge } from "../../src/executor/skills/http/schema-judge.ts";
import {
  filledJson,
  filledUrl,
  missingIn,
  steeringIn,
  type Variables,
} from "../../src/executor/skills/http/template.ts";
import type { JsonValue } from "../../src/executor/skills/skill.ts";
import { Searches } from "../../src/lib/searches.ts";

const DOCUMENT: JsonValue = {
  id: 7,
  name: "Ada",
  ratio: 0.5,
  tags: ["new", "paid"],
  items: [{ price: 3 }, { price: 5 }],
  "a.b": { '"': true },
  none: null,
};

describe("a path", () => {
  it.each<[string, JsonValue | undefined]>([
    ["$", DOCUMENT],
    ["$.id", 7],
    ["id", 7],
    ["$.items[1].price", 5],
    ["$.items[-1].price", 5],
    ["$.items.0.price", 3],
    ['$["a.b"]["\\""]', true],
    ["$['name']", "Ada"],
    ["$.none", null],
    ["$.none.more", undefined],
    ["$.items[2]", undefined],
    ["$.constructor", undefined],
    ["$.tags.length", undefined],
  ])("%s names its value", (path, value) => {
    expect(valueAt(DOCUMENT, path)).toEqual(value);
  });

  it.each([
    "",
    "$..price",
    "$.items[*]",
    "$.items[?(@.price>3)]",
    "$ .id",
    "$.",
    "a b",
    "$id[",
    "x".repeat(501),
  ])("is refused when it is %j", (path) => {
    expect(pathSteps(path)).toBeNull();
  });

  it("is taken or refused for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (path) => {
        expect(() => valueAt(DOCUMENT, path)).not.toThrow();
      }),
    );
  });
});

describe("an assertion", () => {
  it.each<[string, string, JsonValue | undefined, boolean]>([
    ["$.id", "eq", 7, true],
    ["$.id", "eq", "7", false],
    ["$.items", "eq", [{ price: 3 }, { price: 5 }], true],
    ["$.absent", "ne", 7, true],
    ["$.id", "ne", 7, false],
    ["$.id", "gt", 6, true],
    ["$.id", "gt", 7, false],
    ["$.id", "gte", 7, true],
    ["$.id", "lt", "8", false],
    ["$.name", "lte", "Bob", true],
    ["$.name", "in", ["Bob", "Ada"], true],
    ["$.none", "exists", undefined, true],
    ["$.absent", "exists", false, true],
    ["$.absent", "exists", true, false],
    ["$.name", "matches", "^A.a$", true],
    ["$.id", "matches", "7", false],
    ["$.tags", "contains", "paid", true],
    ["$.name", "contains", "da", true],
    ["$.items[0]", "contains", { price: 3 }, true],
    ["$.items", "contains", { price: 4 }, false],
    ["$.tags", "length", 2, true],
    ["$.tags", "length", { min: 3 }, false],
    ["$.id", "length", 1, false],
    ["$.id", "type", "integer", true],
    ["$.id", "type", "number", true],
    ["$.ratio", "type", "integer", false],
    ["$.none", "type", "null", true],
    ["$.tags", "type", "object", false],
  ])("%s %s %j: %s", (path, op, value, isMet) => {
    const assertion = assertionSchema.parse({ path, op, value });

    expect(unmet(assertion, DOCUMENT, new Searches()) === null).toBe(isMet);
  });

  it("says where, what was wanted and what was there", () => {
    const assertion = assertionSchema.parse({ path: "$.tags", op: "length", value: 3 });

    expect(unmet(assertion, DOCUMENT, new Searches())).toEqual({
      path: "$.tags",
      expected: "length 3",
      received: "2 (array)",
    });
  });

  it.each([
    { path: "$..x", op: "exists" },
    { path: "$.x", op: "matches", value: "(a+)+$" },
    { path: "$.x", op: "matches", value: "(" },
    { path: "$.x", op: "matches" },
    { path: "$.x", op: "in", value: 3 },
    { path: "$.x", op: "type", value: "date" },
    { path: "$.x", op: "gt", value: null },
    { path: "$.x", op: "eq" },
    { path: "$.x", op: "like", value: 1 },
  ])("is refused as %j", (assertion) => {
    expect(assertionSchema.safeParse(assertion).success).toBe(false);
  });
});

describe("what is expected of an answer", () => {
  const answer = {
    status: 201,
    headers: { "content-type": "application/json", "set-cookie": "session=abc" },
    text: '{"id":7}',
    bytes: 8,
    is_cut: false,
    duration_ms: 40,
  };

  it.each<[object, string[]]>([
    [{}, []],
    [{ status: 201 }, []],
    [{ status: ["2xx", 404] }, []],
    [{ status: 200 }, ["status"]],
    [{ max_latency_ms: 39 }, ["latency_ms"]],
    [{ contains: ['"id"', "absent"] }, ["body"]],
    [{ matches: "id.:8" }, ["body"]],
    [{ json: [{ path: "$.id", value: 8 }] }, ["$.id"]],
    [{ schema: { type: "object", required: ["name"] } }, ["#"]],
    [{ headers: { "Content-Type": { matches: "^application/json" } } }, []],
    [
      { headers: { etag: { exists: true }, "content-type": "text/html" } },
      ["headers.etag", "headers.content-type"],
    ],
    [{ headers: { "set-cookie": "x" } }, ["headers.set-cookie"]],
  ])("%j is judged", (expected, paths) => {
    const found = unmetBy(expectationSchema.parse(expected), answer);

    expect(found.map(({ path }) => path)).toEqual(paths);
    expect(JSON.stringify(found)).not.toContain("session=abc");
  });

  it.each([
    ["not JSON", { text: "<html>" }, '"<html>"'],
    ["nothing", { text: "" }, "an empty body"],
    ["cut", { is_cut: true }, "a body cut after 8 bytes"],
  ])("a body that is %s breaks what is said of its JSON", (_what, part, received) => {
    const expected = expectationSchema.parse({ json: [{ path: "$.id", value: 7 }] });

    expect(unmetBy(expected, { ...answer, ...part })).toEqual([
      { path: "$", expected: "a JSON document", received },
    ]);
  });
});

describe("a JSON Schema", () => {
  it.each<[string, object]>([
    ["a type that there is not", { type: "text" }],
    ["a pattern that may stall", { pattern: "(a+)+$" }],
    ["a reference to nothing", { $ref: "#/$defs/none" }],
    ["a reference to itself", { $ref: "#" }],
  ])("is refused with %s", (_what, schema) => {
    expect(schemaJudge(schema as never).ok).toBe(false);
  });

  it("that doubles with each reference does not stall", () => {
    const $defs: Record<string, object> = { d0: { type: "object" } };
    for (let depth = 1; depth < 40; depth += 1) {
      const $ref = `#/$defs/d${depth - 1}`;
      $defs[`d${depth}`] = { allOf: [{ $ref }, { $ref }] };
    }

    const judge = schemaJudge({ $defs, $ref: "#/$defs/d39" } as never);

    expect(judge).toMatchObject({ ok: false, refusal: expect.stringMatching(/too (often|many)/) });
  });
});

describe("variables", () => {
  const variables: Variables = {
    given: { base: "https://a.example", id: 7, user: { name: "Ada" } },
    saved: { path: "../x?y=@evil.example/" },
  };

  it("become their values, of their own type where they stand alone", () => {
    const form = { id: "{{id}}", text: "no. {{ id }}", list: ["{{user}}"] };

    expect(filledJson(form, variables)).toEqual({ id: 7, text: "no. 7", list: [{ name: "Ada" }] });
  });

  it("that an answer brought cannot change where a request goes", () => {
    expect(filledUrl("{{base}}/{{path}}", variables)).toBe(
      "https://a.example/..%2Fx%3Fy%3D%40evil.example%2F",
    );
  });

  it.each([
    ["{{base}}{{path}}/x", ["path"]],
    ["https://{{path}}/", ["path"]],
    ["{{path}}", ["path"]],
    ["https://a.example:{{path}}/", ["path"]],
    ["https://{{path}}@a.example/", ["path"]],
    ["{{base}}/{{path}}", []],
    ["{{base}}?x={{path}}", []],
    ["https://a.example/{{path}}{{path}}", []],
  ])("of an answer stand in the host of %s: %j", (url, names) => {
    expect(steeringIn(url, variables)).toEqual(names);
  });

  it("that nobody gives are named", () => {
    expect(missingIn({ a: "{{id}} {{lost}}", "{{gone}}": 1 }, variables)).toEqual(["lost", "gone"]);
  });
});

describe("what is told", () => {
  it("holds no credential that a request carried, in whatever form", () => {
    const redaction = new Redaction();
    redaction.learn({
      url: "https://a.example/x?api_key=quux%20123&page=elephant",
      headers: { Authorization: 'Bearer ab"cdef', accept: "application/json" },
    });

    const told = redaction.json({ a: 'x ab"cdef', b: ['ab\\"cdef', "quux 123", "elephant"] });

    expect(JSON.stringify(told)).not.toMatch(/cdef|quux/);
    expect(told.b[2]).toBe("elephant");
  });

  it.each([
    ['{"user":"lovelace","db":{"password":"hunter2hunter2","port":5432}}', "lovelace"],
    ["user=lovelace&pass=hunter2hunter2", "lovelace"],
    ['[{"auth":["hunter2hunter2"],"path":"compass-rose"}]', "compass-rose"],
  ])("holds no secret of the body %s", (body, open) => {
    const redaction = new Redaction();
    redaction.learn({ url: "https://a.example/x", body });

    expect(redaction.text(`you sent hunter2hunter2 of ${open}`)).toBe(
      `you sent [redacted] of ${open}`,
    );
  });

  it("shows addresses without their query", () => {
    expect(shownUrl("https://a.example:8443/x?key=1#y")).toBe("https://a.example:8443/x?…");
    expect(shownUrl("not an address?key=1")).toBe("not an address");
  });
});
