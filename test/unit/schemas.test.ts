import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import addFormats from "ajv-formats";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { jsonSchemaOf, MESSAGES, messageNameSchema } from "../../src/protocol/registry.ts";
import { ROUTES } from "../../src/rest/app.ts";
import { openApiDocument } from "../../src/rest/openapi.ts";

/* schemas/*.json are generated here (`npm run schemas`), and held against zod by one corpus of samples. */

const samplesFolder = path.join(import.meta.dirname, "../samples");
const schemasFolder = path.join(import.meta.dirname, "../../schemas");

const samplesOf = z.record(z.string(), z.unknown());
const corpusSchema = z.strictObject({
  valid: samplesOf,
  invalid: samplesOf,
  /** Relations between fields, which zod refuses and JSON Schema cannot say. */
  beyond_json_schema: samplesOf,
});

function corpusOf(name: string): z.infer<typeof corpusSchema> {
  const text = readFileSync(path.join(samplesFolder, `${name}.json`), "utf8");
  return corpusSchema.parse(JSON.parse(text));
}

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
addFormats(ajv);

const NAMES = messageNameSchema.options;
/** Folders beside the messages hold what skills are tried on. */
const namesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name.replace(/\.json$/, ""));

describe("schemas/", () => {
  it.each(NAMES)("%s is written down as zod has it", async (name) => {
    await expect(`${JSON.stringify(jsonSchemaOf(name), null, 2)}\n`).toMatchFileSnapshot(
      path.join(schemasFolder, `${name}.json`),
    );
  });

  it("holds the OpenAPI document, so that a change of the API is seen as one", async () => {
    const document = openApiDocument(ROUTES);

    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot(
      path.join(schemasFolder, "openapi.json"),
    );
  });

  it("holds them all, and nothing else", () => {
    expect(namesIn(schemasFolder).toSorted()).toEqual([...NAMES, "openapi"].toSorted());
    expect(namesIn(samplesFolder).toSorted()).toEqual([...NAMES].toSorted());
  });
});

describe.each(NAMES)("samples of %s", (name) => {
  const { schema } = MESSAGES[name];
  const isValid = ajv.compile(jsonSchemaOf(name));
  const { valid, invalid } = corpusOf(name);

  it("has samples of both kinds", () => {
    expect(Object.keys(valid)).not.toEqual([]);
    expect(Object.keys(invalid)).not.toEqual([]);
  });

  it.each(Object.entries(valid))("zod and JSON Schema accept: %s", (_title, sample) => {
    expect(schema.safeParse(sample).error).toBeUndefined();
    expect(isValid(sample) ? [] : isValid.errors).toEqual([]);
  });

  it.each(Object.entries(invalid))("zod and JSON Schema refuse: %s", (_title, sample) => {
    expect(schema.safeParse(sample).success).toBe(false);
    expect(isValid(sample)).toBe(false);
  });
});

describe("relations between fields", () => {
  const relations = NAMES.flatMap((name) =>
    Object.entries(corpusOf(name).beyond_json_schema).map(([title, sample]) => ({
      name,
      title,
      sample,
    })),
  );

  it.each(relations)("are refused by zod alone: $name, $title", ({ name, sample }) => {
    expect(MESSAGES[name].schema.safeParse(sample).success).toBe(false);
    expect(ajv.validate(jsonSchemaOf(name), sample)).toBe(true);
  });
});
