import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import addFormats from "ajv-formats";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";

import { codeGeneration } from "../../src/executor/skills/code-generation.ts";
import type { JsonObject, JsonValue } from "../../src/executor/skills/skill.ts";
import { expectFailure, expectResult, runSkill } from "./skill-run.ts";

const root = path.join(import.meta.dirname, "../..");
// Inside the project, so that what is generated finds zod.
const folder = mkdtempSync(path.join(root, "node_modules/.generated-"));
afterAll(() => rmSync(folder, { recursive: true }));

function generate(input: JsonObject, configuration: JsonObject): JsonObject {
  return expectResult(runSkill(codeGeneration, input, { configuration }).outcome).output;
}

function codeOf(input: JsonObject, configuration: JsonObject): string {
  const files = generate(input, configuration)["files"] as { content: string }[];
  return files[0]?.content ?? "";
}

let written = 0;
function store(code: string, ending: string): string {
  written += 1;
  const file = path.join(folder, `generated${written}.${ending}`);
  writeFileSync(file, code);
  return file;
}

/** What the compiler says of a file under `strict`. */
function compile(file: string): string[] {
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    exactOptionalPropertyTypes: false,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

interface Validator {
  safeParse(value: unknown): { success: boolean };
}

async function validatorOf(schema: JsonValue, name: string): Promise<Validator> {
  const loaded: Record<string, Validator> = await import(
    store(codeOf({ schema }, { target: "zod", name }), "ts")
  );
  const validator = loaded[name];
  if (validator === undefined) throw new Error(`no ${name}`);
  return validator;
}

const ORDER: JsonObject = {
  type: "object",
  title: "Order",
  description: "What was bought. */ export const evil = 1; /*",
  required: ["id", "lines", "status", "extra"],
  properties: {
    id: { type: "string", format: "uuid" },
    placed_at: { type: "string", format: "date-time" },
    status: { enum: ["open", "paid", null] },
    lines: { type: "array", minItems: 1, items: { $ref: "#/$defs/line" } },
    note: { type: ["string", "null"], maxLength: 5 },
    "ship-to": { oneOf: [{ $ref: "#/$defs/address" }, { type: "string", minLength: 1 }] },
    parent: { $ref: "#" },
    tags: { type: "object", additionalProperties: { type: "integer" } },
    pair: {
      type: "array",
      prefixItems: [{ type: "string" }, { type: "number" }],
      items: false,
      minItems: 1,
    },
    __proto__2: { type: "boolean" },
    'quote"\n`${x}': { const: 'a"b' },
  },
  additionalProperties: false,
  $defs: {
    line: {
      type: "object",
      required: ["sku"],
      properties: {
        sku: { type: "string", pattern: "^[A-Z]{2}\\d+$" },
        count: { type: "integer", exclusiveMinimum: 0, maximum: 99 },
      },
    },
    address: {
      allOf: [
        { type: "object", required: ["city"], properties: { city: { type: "string" } } },
        { type: "object", properties: { zip: { type: "string" } }, required: ["zip"] },
      ],
    },
  },
};
const GOOD: JsonObject = {
  id: "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
  lines: [{ sku: "AB1", count: 1, more: true }],
  status: "open",
  extra: 1,
};

describe("TypeScript", () => {
  it("writes types that compile under strict, whatever the names", () => {
    const schema = { ...ORDER, properties: { ...(ORDER["properties"] as JsonObject), extra: {} } };
    const code = codeOf({ schema }, { target: "typescript" });

    expect(compile(store(code, "ts"))).toEqual([]);
    expect(code).toContain("export interface Order {");
    expect(code).toContain("  lines: Array<Line>;");
    expect(code).toContain('  status: "open" | "paid" | null;');
    expect(code).not.toMatch(/^export const evil/m);
  });

  it("compiles for the schemas of this repository", () => {
    for (const name of ["task_execution", "notification", "webhook"]) {
      const schema = readFileSync(path.join(root, "schemas", `${name}.schema.json`), "utf8");

      expect(compile(store(codeOf({ schema }, { target: "typescript" }), "ts"))).toEqual([]);
    }
  });

  it("gives each schema of an OpenAPI document its name once", () => {
    const schemas = {
      "pet-item": { type: "object", properties: { owner: { $ref: "#/components/schemas/Owner" } } },
      PetItem: { type: "object", properties: { nick: { type: "string", nullable: true } } },
      Owner: {
        type: "object",
        properties: { pets: { type: "array", items: { $ref: "#/components/schemas/pet-item" } } },
      },
      Record: { type: "object", additionalProperties: { $ref: "#/components/schemas/Owner" } },
    };
    const output = generate({ openapi: { openapi: "3.0.3", components: { schemas } } }, {});

    expect((output["types"] as string[]).toSorted()).toEqual([
      "Owner",
      "PetItem",
      "PetItem2",
      "RecordType",
    ]);
    expect(compile(store(codeOf({ openapi: { components: { schemas } } }, {}), "ts"))).toEqual([]);
  });
});

describe("zod", () => {
  const ajv = new Ajv2020({ strict: false });
  addFormats["default"](ajv);
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
    expect(samples.filter((sample) => judge(sample))).toHaveLength(9);
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
    addFormats["default"](ajv);
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

/** Whether a program is there to check what was generated. */
function has(program: string, ...words: string[]): boolean {
  try {
    execFileSync(program, words, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("Python and Go", () => {
  const schema = {
    ...ORDER,
    properties: { ...(ORDER["properties"] as JsonObject), class: {}, extra: {} },
  };

  it.runIf(has("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"))(
    "writes Python that runs in both styles",
    () => {
      for (const style of ["dataclass", "typed_dict"]) {
        const file = store(codeOf({ schema }, { target: "python", style }), "py");

        expect(execFileSync("python3", [file], { encoding: "utf8" })).toBe("");
      }
    },
    20_000,
  );

  it.runIf(has("gofmt", "-h") || has("go", "version"))(
    "writes Go that vets",
    () => {
      const file = store(codeOf({ schema }, { target: "go" }), "go");

      expect(execFileSync("go", ["vet", file], { encoding: "utf8", stdio: "pipe" })).toBe("");
    },
    60_000,
  );

  it("keeps hostile names and descriptions inside their quotes", () => {
    const python = codeOf({ schema }, { target: "python" });
    const go = generate({ schema }, { target: "go" });

    expect(python).toContain('metadata={"name": "quote\\"\\n`${x}"}');
    expect(python).toContain("class_: Any");
    expect(JSON.stringify(go["warnings"])).toContain("json tag");
  });
});

describe("what code_generation refuses", () => {
  it.each([
    [{}, {}, "missing_input"],
    [{ schema: "{" }, {}, "invalid_input"],
    [{ schema: {} }, { target: "cobol" }, "invalid_configuration"],
    [{ openapi: { paths: {} } }, {}, "no_schemas"],
  ])("%j with %j", (input, configuration, cause) => {
    const { outcome } = runSkill(codeGeneration, input, { configuration });

    expect(expectFailure(outcome).root_cause.class).toBe(cause);
  });

  it.each([
    [{ $ref: "#/$defs/none" }, "leads to nothing"],
    [{ $ref: "https://example.com/x.json" }, "leads to nothing"],
    [{ $ref: "#" }, "nothing but itself"],
    [{ not: { type: "string" } }, "not is not carried over"],
    [{ properties: { a: true } }, "No type is told"],
  ])("warns of %j", (schema, said) => {
    expect(JSON.stringify(generate({ schema }, { target: "zod" })["warnings"])).toContain(said);
  });

  it("lacks a model for code that is only described", () => {
    const task = { description: "Write a web shop", configuration: {} };

    expect(codeGeneration.lack?.({ ...task, input_data: {} })).toContain("needs a model");
    expect(codeGeneration.lack?.({ ...task, input_data: { example: 1 } })).toBeNull();
  });
});
