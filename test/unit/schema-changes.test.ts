import { describe, expect, it } from "vitest";

import { breakingChanges } from "../openapi-changes.ts";

/* The comparer of OpenAPI documents by both directions of every rule, on documents of its own. */

type Json = Record<string, unknown>;

const TEXT = { type: "string" };

interface Given {
  input?: unknown;
  output?: unknown;
  operation?: Json;
}

function documentOf({ input = TEXT, output = TEXT, operation = {} }: Given) {
  const json = (schema: unknown) => ({ "application/json": { schema } });
  return {
    paths: {
      "/a": {
        post: {
          operationId: "a",
          security: [{ key: ["x"] }, { key: ["admin"] }],
          requestBody: { content: json(input) },
          responses: { 200: { content: json(output) } },
          ...operation,
        },
      },
    },
    components: {
      schemas: {
        Tree: {
          type: "object",
          required: [] as string[],
          properties: { below: { $ref: "#/components/schemas/Tree" } },
        },
      },
    },
  };
}

const object = (properties: Json, required: string[] = [], more: Json = {}) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
  ...more,
});

/** From the first to the second schema more fits: fine for input, a surprise in output; and the other way round. */
const WIDER: [string, unknown, unknown][] = [
  ["a value more", { ...TEXT, enum: ["a"] }, { ...TEXT, enum: ["a", "b"] }],
  ["any value in place of some", { ...TEXT, enum: ["a"] }, TEXT],
  ["values in place of one", { ...TEXT, const: "a" }, { ...TEXT, enum: ["a", "b"] }],
  ["a higher maximum", { type: "integer", maximum: 5 }, { type: "integer", maximum: 6 }],
  ["no maximum", { type: "integer", maximum: 5 }, { type: "integer" }],
  ["a lower minimum", { type: "number", minimum: 1 }, { type: "number", minimum: 0 }],
  ["a lower exclusive minimum", { exclusiveMinimum: 1 }, { exclusiveMinimum: 0 }],
  ["longer texts", { ...TEXT, maxLength: 5 }, { ...TEXT, maxLength: 6 }],
  ["shorter texts", { ...TEXT, minLength: 5 }, { ...TEXT, minLength: 4 }],
  ["longer lists", { type: "array", maxItems: 5 }, { type: "array", maxItems: 6 }],
  ["no pattern", { ...TEXT, pattern: "^a" }, TEXT],
  ["no format", { ...TEXT, format: "uri" }, TEXT],
  ["any number in place of a whole one", { type: "integer" }, { type: "number" }],
  ["null as well, by a list", TEXT, { type: ["string", "null"] }],
  ["null as well, by branches", TEXT, { anyOf: [TEXT, { type: "null" }] }],
  [
    "a branch more",
    { anyOf: [TEXT, { type: "null" }] },
    { anyOf: [TEXT, { type: "null" }, { type: "number" }] },
  ],
  ["anything", TEXT, {}],
  [
    "wider items",
    { type: "array", items: { type: "integer" } },
    { type: "array", items: { type: "number" } },
  ],
  ["a wider field", object({ a: { type: "integer" } }), object({ a: { type: "number" } })],
  ["a field that may be missing", object({ a: TEXT }, ["a"]), object({ a: TEXT })],
  ["unknown fields", object({ a: TEXT }), object({ a: TEXT }, [], { additionalProperties: {} })],
  [
    "wider values of free fields",
    { type: "object", additionalProperties: { type: "integer" } },
    { type: "object", additionalProperties: { type: "number" } },
  ],
  [
    "wider names of free fields",
    { type: "object", propertyNames: { ...TEXT, maxLength: 5 } },
    { type: "object", propertyNames: TEXT },
  ],
  [
    "a wider field of one branch of several",
    { oneOf: [object({ k: { const: 1 }, a: { type: "integer" } }), object({ k: { const: 2 } })] },
    { oneOf: [object({ k: { const: 1 }, a: { type: "number" } }), object({ k: { const: 2 } })] },
  ],
];

/** As broken in one direction as in the other. */
const OTHER: [string, unknown, unknown][] = [
  ["another type", TEXT, { type: "number" }],
  ["another pattern", { ...TEXT, pattern: "^a" }, { ...TEXT, pattern: "^b" }],
  ["a field less", object({ a: TEXT, b: TEXT }), object({ a: TEXT })],
  ["other branches", { anyOf: [TEXT, { type: "null" }] }, { anyOf: [TEXT, { type: "number" }] }],
];

/** Of no matter to anyone. */
const SAME: [string, unknown, unknown][] = [
  ["a description", { ...TEXT, description: "old" }, { ...TEXT, description: "new" }],
  ["a default", { ...TEXT, default: "a" }, { ...TEXT, default: "b" }],
  ["a notice", TEXT, { ...TEXT, deprecated: true }],
  ["a field more", object({ a: TEXT }), object({ a: TEXT, b: TEXT })],
  ["another order", { ...TEXT, enum: ["a", "b"] }, { ...TEXT, enum: ["b", "a"] }],
  [
    "a list in place of branches",
    { anyOf: [TEXT, { type: "null" }] },
    { type: ["null", "string"] },
  ],
  [
    "a schema that holds itself",
    { $ref: "#/components/schemas/Tree" },
    { $ref: "#/components/schemas/Tree" },
  ],
];

const found = (before: Given, after: Given): boolean =>
  breakingChanges(documentOf(before), documentOf(after)).length > 0;

describe("a change of a schema", () => {
  it.each(WIDER)("to %s breaks readers only", (_what, narrow, wide) => {
    expect(found({ input: narrow }, { input: wide })).toBe(false);
    expect(found({ output: narrow }, { output: wide })).toBe(true);
  });

  it.each(WIDER)("back from %s breaks writers only", (_what, narrow, wide) => {
    expect(found({ input: wide }, { input: narrow })).toBe(true);
    expect(found({ output: wide }, { output: narrow })).toBe(false);
  });

  it.each(OTHER)("to %s breaks both", (_what, one, other) => {
    expect(found({ input: one }, { input: other })).toBe(true);
    expect(found({ output: one }, { output: other })).toBe(true);
  });

  it.each(SAME)("of %s breaks nobody", (_what, one, other) => {
    expect(found({ input: one }, { input: other })).toBe(false);
    expect(found({ output: one }, { output: other })).toBe(false);
  });

  it("to a new field that must be there breaks writers only", () => {
    const [before, after] = [object({ a: TEXT }), object({ a: TEXT, b: TEXT }, ["b"])];

    expect(found({ input: before }, { input: after })).toBe(true);
    expect(found({ output: before }, { output: after })).toBe(false);
  });

  it("behind a reference is found as well", () => {
    const before = documentOf({ input: { $ref: "#/components/schemas/Tree" } });
    const after = structuredClone(before);
    after.components.schemas.Tree.required = ["below"];

    expect(breakingChanges(before, after)).toEqual(["POST /a body Tree/below: is required now"]);
  });
});

const query = (name: string, required: boolean, schema: unknown = TEXT) => ({
  name,
  in: "query",
  required,
  schema,
});
const content = { "application/json": { schema: TEXT } };

describe("a change of an operation", () => {
  const broken: [string, Json, Json][] = [
    ["a new required parameter", {}, { parameters: [query("q", true)] }],
    ["a parameter less", { parameters: [query("q", false)] }, {}],
    [
      "a parameter that is required",
      { parameters: [query("q", false)] },
      { parameters: [query("q", true)] },
    ],
    [
      "a narrower parameter",
      { parameters: [query("q", false)] },
      { parameters: [query("q", false, { ...TEXT, maxLength: 5 })] },
    ],
    ["a body that is required", {}, { requestBody: { required: true, content } }],
    [
      "a new required body",
      { requestBody: undefined },
      { requestBody: { required: true, content } },
    ],
    ["no body", {}, { requestBody: undefined }],
    ["another media type", {}, { requestBody: { content: { "text/plain": { schema: TEXT } } } }],
    ["a scope less", {}, { security: [{ key: ["admin"] }] }],
    ["a second condition", {}, { security: [{ key: ["x", "y"] }, { key: ["admin"] }] }],
    ["a second scheme", {}, { security: [{ key: ["x"], signature: [] }, { key: ["admin"] }] }],
    ["a key where none was needed", { security: [] }, {}],
  ];

  it.each(broken)("to %s breaks callers", (_what, before, after) => {
    expect(found({ operation: before }, { operation: after })).toBe(true);
  });

  const fine: [string, Json, Json][] = [
    ["a parameter that may be left out", {}, { parameters: [query("q", false)] }],
    [
      "a parameter that is optional now",
      { parameters: [query("q", true)] },
      { parameters: [query("q", false)] },
    ],
    ["a scope more", {}, { security: [{ key: ["x"] }, { key: ["y"] }, { key: ["admin"] }] }],
    ["no key", {}, { security: [] }],
    ["a body that may be left out", { requestBody: undefined }, { requestBody: { content } }],
    ["a notice", {}, { deprecated: true }],
  ];

  it.each(fine)("to %s breaks nobody", (_what, before, after) => {
    expect(found({ operation: before }, { operation: after })).toBe(false);
  });
});

describe("a change of what is sent to others", () => {
  const sending = (schema: unknown, statuses: string[]) => ({
    webhooks: {
      news: {
        post: {
          requestBody: { content: { "application/json": { schema } } },
          responses: Object.fromEntries(statuses.map((status) => [status, {}])),
        },
      },
    },
  });

  it("breaks receivers where more fits, or an answer of theirs has no meaning any more", () => {
    const before = sending({ type: "integer" }, ["202", "409"]);

    expect(breakingChanges(before, sending({ type: "integer" }, ["202", "409"]))).toEqual([]);
    expect(breakingChanges(before, sending({ type: "number" }, ["202", "409"]))).toEqual([
      "POST news body: number does not fit integer",
    ]);
    expect(breakingChanges(before, sending({ type: "integer" }, ["202"]))).toEqual([
      "POST news 409: status removed",
    ]);
    expect(breakingChanges(before, { webhooks: {} })).toEqual(["POST news: removed"]);
  });
});
