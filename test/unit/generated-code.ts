import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import ts from "typescript";

import { codeGeneration } from "../../src/executor/skills/code-generation.ts";
import type { JsonObject, JsonValue } from "../../src/executor/skills/skill.ts";
import { expectResult, runSkill } from "./skill-run.ts";

const root = path.join(import.meta.dirname, "../..");
// Inside the project, so that what is generated finds zod.
const folder = path.join(root, `node_modules/.generated-${process.pid}`);

/** Takes away what a test file had stored; the next one may share this module. */
export function removeStored(): void {
  rmSync(folder, { recursive: true, force: true });
}

export function generate(input: JsonObject, configuration: JsonObject): JsonObject {
  return expectResult(runSkill(codeGeneration, input, { configuration }).outcome).output;
}

export function codeOf(input: JsonObject, configuration: JsonObject): string {
  const files = generate(input, configuration)["files"] as { content: string }[];
  return files[0]?.content ?? "";
}

let written = 0;
export function store(code: string, ending: string): string {
  written += 1;
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `generated${written}.${ending}`);
  writeFileSync(file, code);
  return file;
}

/** What the compiler says of a file under `strict`. */
export function compile(file: string): string[] {
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

export async function validatorOf(schema: JsonValue, name: string): Promise<Validator> {
  const loaded: Record<string, Validator> = await import(
    store(codeOf({ schema }, { target: "zod", name }), "ts")
  );
  const validator = loaded[name];
  if (validator === undefined) throw new Error(`no ${name}`);
  return validator;
}

export const ORDER: JsonObject = {
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
export const GOOD: JsonObject = {
  id: "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
  lines: [{ sku: "AB1", count: 1, more: true }],
  status: "open",
  extra: 1,
};
