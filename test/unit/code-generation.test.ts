import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { codeGeneration } from "../../src/executor/skills/code-generation.ts";
import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { codeOf, compile, generate, ORDER, store, removeStored } from "./generated-code.ts";
import { expectFailure, runSkill } from "./skill-run.ts";

const root = path.join(import.meta.dirname, "../..");

afterAll(removeStored);

describe("TypeScript", () => {
  it("writes types that compile under strict, whatever the names", () => {
    const schema = { ...ORDER, properties: { ...(ORDER["properties"] as JsonObject), extra: {} } };
    const code = codeOf({ schema }, { target: "typescript" });

    expect(compile(store(code, "ts"))).toEqual([]);
    expect(code).toContain("export interface Order {");
    expect(code).toContain("  lines: Array<Line>;");
    expect(code).toContain('  status: "open" | "paid" | null;');
    expect(code).not.toContain("*/ export");
  });

  it("compiles for the schemas of this repository", () => {
    for (const name of ["task_execution", "notification", "webhook"]) {
      const schema = readFileSync(path.join(root, "schemas", `${name}.json`), "utf8");

      expect(compile(store(codeOf({ schema }, { target: "typescript" }), "ts"))).toEqual([]);
    }
  });

  it.each([
    ["anyOf", { anyOf: [{ required: ["mail"] }, { required: ["phone"] }] }],
    ["allOf", { allOf: [{ required: ["mail"] }], additionalProperties: false }],
  ])("keeps the fields of an object beside %s", (_, more) => {
    const properties = { mail: { type: "string" }, phone: { type: "string" } };
    const code = codeOf({ schema: { title: "Contact", type: "object", properties, ...more } }, {});
    const use = `${code}\nexport const fits: Contact = { mail: "a", phone: "b" };
      // @ts-expect-error
      export const wrong: Contact = { mail: 5 };\n`;

    expect(compile(store(use, "ts"))).toEqual([]);
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

function run(program: string, words: string[]): string {
  return execFileSync(program, words, { encoding: "utf8", stdio: "pipe" });
}

/** Whether a program is there to check what was generated. */
function has(program: string, ...words: string[]): boolean {
  try {
    run(program, words);
    return true;
  } catch {
    return false;
  }
}

describe("Python and Go", () => {
  const schema = {
    ...ORDER,
    // A field named "field" would hide the function that the renamed ones call.
    properties: { field: {}, ...(ORDER["properties"] as JsonObject), class: {}, extra: {} },
  };

  it.runIf(has("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"))(
    "writes Python that runs in both styles",
    () => {
      for (const style of ["dataclass", "typed_dict"]) {
        const file = store(codeOf({ schema }, { target: "python", style }), "py");

        expect(run("python3", [file])).toBe("");
      }
    },
    20_000,
  );

  it.runIf(has("go", "version"))(
    "writes Go that vets",
    () => {
      const file = store(codeOf({ schema }, { target: "go" }), "go");

      expect(run("go", ["vet", file])).toBe("");
    },
    60_000,
  );

  it("keeps hostile names and descriptions inside their quotes", () => {
    const python = codeOf({ schema }, { target: "python" });
    const go = generate({ schema }, { target: "go" });

    expect(python).toContain('metadata={"name": "quote\\"\\n`${x}"}');
    expect(python).toContain("class_: Any");
    expect(python).toContain("field_: Any");
    expect(JSON.stringify(go["warnings"])).toContain("json tag");
  });
});

describe("what types of a target can't say", () => {
  const schema = {
    type: "object",
    properties: {
      both: { allOf: [{ properties: { a: {} } }, { properties: { b: {} } }] },
      pair: { type: "array", prefixItems: [{ type: "string" }, { type: "number" }], items: false },
      either: { type: ["string", "integer"] },
      state: { enum: ["open", "paid"] },
      plain: { type: "string", minLength: 1 },
    },
    additionalProperties: { type: "string" },
  };

  it.each([
    ["python", ["/properties/both", "/properties/pair", "/additionalProperties"]],
    [
      "go",
      [
        "/properties/both",
        "/properties/pair",
        "/properties/either",
        "/properties/state",
        "/additionalProperties",
      ],
    ],
  ])("is a warning of %s with its pointer", (target, pointers) => {
    const warnings = generate({ schema }, { target })["warnings"] as { pointer: string }[];
    const ofTypes = warnings.map(({ pointer }) => pointer).filter((at) => !at.includes("allOf"));

    expect(ofTypes).toEqual(pointers);
  });
});

describe("what code_generation refuses", () => {
  it.each([
    [{}, {}, "missing_input"],
    [{ schema: "{" }, {}, "invalid_input"],
    [{ schema: "type: string\n---\ntype: number" }, {}, "invalid_input"],
    [{ openapi: "---\n".repeat(25_000) }, {}, "invalid_input"],
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
