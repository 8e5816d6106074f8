import { isList, isObject, memberOf } from "../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../skill.ts";
import type { NumberRules } from "./shape.ts";

/** The fragment of a reference without its percent signs, null when they are broken. */
export function decoded(fragment: string): string | null {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return null;
  }
}

/** The types that a schema names; none when it names none. */
export function typesOf(schema: JsonObject): string[] {
  const { type } = schema;
  return (isList(type) ? type : [type]).filter((each) => typeof each === "string");
}

/** What keywords speak for when `type` is not told. */
export function impliedType(schema: JsonObject): string | null {
  const has = (...keywords: string[]) =>
    keywords.some((keyword) => memberOf(schema, keyword) !== undefined);
  if (has("properties", "required", "additionalProperties")) return "object";
  if (has("items", "prefixItems", "minItems", "maxItems")) return "array";
  if (has("pattern", "minLength", "maxLength")) return "string";
  return has("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum")
    ? "number"
    : null;
}

/** The bounds of numbers. */
export function numberRules(schema: JsonObject): NumberRules {
  const at_least = numberAt(schema, "minimum");
  const at_most = numberAt(schema, "maximum");
  // Draft 4 and OpenAPI 3.0 make the bound itself exclusive by a boolean.
  const isAbove = schema["exclusiveMinimum"] === true;
  const isBelow = schema["exclusiveMaximum"] === true;
  return {
    at_least: isAbove ? null : at_least,
    at_most: isBelow ? null : at_most,
    above: isAbove ? at_least : numberAt(schema, "exclusiveMinimum"),
    below: isBelow ? at_most : numberAt(schema, "exclusiveMaximum"),
    multiple_of: numberAt(schema, "multipleOf"),
  };
}

/** A keyword's number, null when it is none. */
export function numberAt(schema: JsonObject, keyword: string): number | null {
  const value = schema[keyword];
  return typeof value === "number" ? value : null;
}

/** A keyword's text, null when it is none or empty. */
export function textAt(schema: JsonValue | undefined, keyword: string): string | null {
  const value = isObject(schema) ? memberOf(schema, keyword) : undefined;
  return typeof value === "string" && value !== "" ? value : null;
}
