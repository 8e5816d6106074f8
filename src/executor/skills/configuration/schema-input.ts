import { ok, type Result } from "../../../lib/result.ts";
import { isObject } from "../formats/json-value.ts";
import { refuseInput } from "../input-failure.ts";
import type { JsonObject, JsonValue, SkillFailure } from "../skill.ts";
import { formatOf, readDocument } from "./documents.ts";

/**
 * A JSON Schema, or another object, as an input holds it: the object itself, or its text in JSON or YAML.
 *
 * @param field its name in input_data, for the refusal
 */
export function readObject(given: JsonValue, field: string): Result<JsonObject, SkillFailure> {
  let value = given;
  if (typeof given === "string") {
    const text = given.slice(0, 500_001);
    const read = readDocument({ name: field, format: formatOf("", text), text, value: null });
    if (!read.ok) {
      const { line, column, detail } = read.refusal;
      return refuseObject(field, `line ${line}, column ${column}: ${detail}`);
    }
    if (read.value.length > 1) {
      return refuseObject(field, `The text holds ${read.value.length} documents; one is expected.`);
    }
    value = read.value[0]?.value ?? null;
  }
  if (isObject(value)) return ok(value);
  return refuseObject(field, `It is ${JSON.stringify(value).slice(0, 100)}.`);
}

/** The schema of an input, null when it has none. */
export function readSchema(input: JsonObject): Result<JsonObject | null, SkillFailure> {
  return input["schema"] === undefined ? ok(null) : readObject(input["schema"], "schema");
}

function refuseObject(field: string, evidence: string) {
  return refuseInput(
    "invalid_input",
    `input_data.${field} must be an object, or the text of one in JSON or YAML.`,
    evidence,
    [`Correct input_data.${field}.`],
  );
}

/** The failure of a task whose schema can't be applied. */
export function refuseSchema(why: string, to: string) {
  return refuseInput(
    "unusable_schema",
    `input_data.schema can't be applied to ${to}: ${why}.`,
    why,
    ["Correct input_data.schema."],
  );
}
