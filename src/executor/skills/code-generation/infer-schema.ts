import { isList, isObject, memberOf, typeOf } from "../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../skill.ts";

/** Formats that texts are recognised by, the stricter first; each is linear. */
const FORMATS: readonly (readonly [string, RegExp])[] = [
  [
    "date-time",
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/,
  ],
  ["date", /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/],
  ["uuid", /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i],
  ["email", /^[\w.+-]{1,64}@[A-Za-z\d-]{1,63}(?:\.[A-Za-z\d-]{1,63}){1,8}$/],
  ["uri", /^https?:\/\/[^\s"<>]{1,2000}$/],
];

/**
 * The JSON Schema (2020-12) of samples: what all of them have is required, what differs becomes a union, whole numbers are
 * integers, texts that all look like one format get it. Nothing is said about bounds: samples show none.
 */
export function inferSchema(samples: readonly JsonValue[]): JsonObject {
  const forms: JsonObject[] = [];
  const types = new Set(samples.map(typeOf));
  // A whole number is one of the numbers when both occur.
  if (types.has("number")) types.delete("integer");
  for (const type of types) {
    const texts = samples.filter((each) => typeof each === "string");
    const format = FORMATS.find(([, pattern]) => texts.every((text) => pattern.test(text)))?.[0];
    if (type === "object") forms.push(objectSchema(samples.filter(isObject)));
    else if (type === "array") {
      const items = samples.filter(isList).flat();
      forms.push({ type, ...(items.length === 0 ? {} : { items: inferSchema(items) }) });
    } else forms.push(type === "string" && format !== undefined ? { type, format } : { type });
  }
  const [first = {}, ...others] = forms;
  if (others.length === 0) return first;
  const isPlain = forms.every((form) => Object.keys(form).length === 1);
  return isPlain ? { type: forms.map((form) => form["type"] ?? null) } : { anyOf: forms };
}

function objectSchema(samples: readonly JsonObject[]): JsonObject {
  const names = [...new Set(samples.flatMap((sample) => Object.keys(sample)))];
  const properties = names.map((name): [string, JsonValue] => {
    const holders = samples.filter((sample) => Object.hasOwn(sample, name));
    return [name, inferSchema(holders.map((sample) => memberOf(sample, name) ?? null))];
  });
  const required = names.filter((name) => samples.every((sample) => Object.hasOwn(sample, name)));
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
  };
}
