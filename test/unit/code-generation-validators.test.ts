import addFormats from "ajv-formats";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";

import type { JsonObject, JsonValue } from "../../src/executor/skills/skill.ts";
import {
  codeOf,
  compile,
  generate,
  GOOD,
  ORDER,
  store,
  validatorOf,
  removeStored,
} from "./generated-code.ts";

afterAll(removeStored);

describe("zod", () => {
  const ajv = new Ajv2020({ strict: false });
  addFormats(ajv);
  const schema = { ...ORDER, properties: { ...(ORDER["properties"] as JsonObject), extra: {} } };

  it("compiles, and takes and refuses what the schema does", async () => {
    const judge = ajv.compile(schema);
    const validator = await validatorOf(schema, "Order");
    const { extra: _extra, ...without } = GOOD;
    const samples: JsonValue[] = [
      GOOD,
      without,
      { ...GOOD, parent: GOOD },
      { ...GOOD, parent: { ...GOOD, id: "x" } },
      { ...GOOD, unknown: 1 },
      { ...GOOD, status: null },
      { ...GOOD, status: "shut" },
      { ...GOOD, lines: [] },
      { ...GOOD, lines: [{ sku: "ab1" }] },
      { ...GOOD, lines: [{ sku: "AB1", count: 0 }] },
      { ...GOOD, lines: [{ sku: "AB1", count: 1.5 }] },
      { ...GOOD, note: null },
      { ...GOOD, note: "123456" },
      { ...GOOD, placed_at: "2026-01-01T00:00:00+02:00" },
      { ...GOOD, placed_at: "yesterday" },
      { ...GOOD, "ship-to": { city: "x", zip: "1" } },
      { ...GOOD, "ship-to": { city: "x" } },
      { ...GOOD, "ship-to": "" },
      { ...GOOD, tags: { a: 1 } },
      { ...GOOD, tags: { a: "1" } },
      { ...GOOD, pair: ["a"] },
      { ...GOOD, pair: ["a", 1] },
      { ...GOOD, pair: ["a", 1, 2] },
      { ...GOOD, pair: [] },
      { ...GOOD, 'quote"\n`${x}': 'a"b' },
      { ...GOOD, 'quote"\n`${x}': "a" },
      [],
      null,
    ];

    expect(compile(store(codeOf({ schema }, { target: "zod" }), "ts"))).toEqual([]);
    for (const sample of samples) {
      expect([sample, validator.safeParse(sample).success]).toEqual([sample, judge(sample)]);
    }
    expect(samples.filter((sample) => judge(sample))).toHaveLength(10);
  });

  it("agrees with the schema on any value of small schemas", async () => {
    const small: JsonObject = {
      anyOf: [
        { type: "integer", minimum: 0 },
        { type: "array", items: { type: ["boolean", "null"] }, uniqueItems: true, maxItems: 2 },
        {
          type: "object",
          properties: { a: { $ref: "#" } },
          required: ["a"],
          additionalProperties: { type: "string" },
        },
      ],
    };
    const judge = ajv.compile(small);
    const validator = await validatorOf(small, "Small");
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        fc.integer({ min: -2, max: 2 }),
        fc.constantFrom(null, true, 0.5, "x"),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b"), tie("any"), { maxKeys: 2 }),
      ),
    })).any;

    fc.assert(
      fc.property(value, (each) => {
        expect(validator.safeParse(each).success).toBe(judge(each));
      }),
      { numRuns: 500 },
    );
  });
});

describe("samples", () => {
  const examples: JsonValue[] = [
    {
      id: 1,
      at: "2026-01-01T00:00:00Z",
      mail: "a@b.co",
      size: 1,
      tags: ["x"],
      owner: { name: "a" },
      link: "https://a.b/c",
    },
    { id: 2, at: "2026-01-02T00:00:00Z", mail: "c@d.org", size: 1.5, tags: [], owner: null },
  ];

  it("infers what samples show", () => {
    const { schema } = generate({ examples }, { target: "json_schema", name: "Item" });

    expect(schema).toEqual({
      type: "object",
      properties: {
        id: { type: "integer" },
        at: { type: "string", format: "date-time" },
        mail: { type: "string", format: "email" },
        size: { type: "number" },
        tags: { type: "array", items: { type: "string" } },
        owner: {
          anyOf: [
            { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
            { type: "null" },
          ],
        },
        link: { type: "string", format: "uri" },
      },
      required: ["id", "at", "mail", "size", "tags", "owner"],
    });
  });

  it("writes a schema that takes every sample, for any JSON", () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats(ajv);
    const json = fc.array(fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>, {
      minLength: 1,
      maxLength: 4,
    });

    fc.assert(
      fc.property(json, (samples) => {
        fc.pre(!JSON.stringify(samples).includes("__proto__"));
        const judge = ajv.compile(
          JSON.parse(codeOf({ examples: samples }, { target: "json_schema" })),
        );

        expect(samples.filter((sample) => !judge(sample))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
