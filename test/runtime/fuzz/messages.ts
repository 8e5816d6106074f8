import fc from "fast-check";
import { z } from "zod";

import { FRAGMENTS } from "./hostile.ts";

/* Messages that a JSON Schema allows. Only what zod writes is understood; anything else is an error, not a gap. */

const jsonSchemaSchema = z.record(z.string(), z.unknown());
type JsonSchema = z.infer<typeof jsonSchemaSchema>;

/** Below this a schema that holds itself, or any JSON, comes to its end. */
const DEEPEST = 6;
/** Optional fields that one object has at most: all at once break some relation nearly always. */
const MOST_OPTIONAL = 4;
const MOST_ITEMS = 3;
const LONGEST_TEXT = 40;

/** What says nothing about which values there are. */
const ANNOTATIONS = new Set(["$schema", "$defs", "title", "description", "default", "deprecated"]);
const KNOWN = new Set([
  ...ANNOTATIONS,
  "$ref",
  "type",
  "properties",
  "required",
  "additionalProperties",
  "propertyNames",
  "minProperties",
  "items",
  "minItems",
  "maxItems",
  "uniqueItems",
  "anyOf",
  "oneOf",
  "enum",
  "const",
  "pattern",
  "format",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "prefixItems",
  "multipleOf",
]);

/** A place that stands for something of the world until the message is sent. */
export const placeholder = (name: string): string => `<<${name}>>`;

/** What is drawn for a property of a name, whatever its schema says; `otherwise` draws from the schema. */
export type ByName = (name: string, otherwise: fc.Arbitrary<unknown>) => fc.Arbitrary<unknown>;

interface Place {
  definitions: Readonly<Record<string, unknown>>;
  byName: ByName;
  depth: number;
}

const asSchema = (value: unknown): JsonSchema => jsonSchemaSchema.parse(value);
const numberOf = (value: unknown, otherwise: number): number =>
  typeof value === "number" ? value : otherwise;
const inner = (place: Place): Place => ({ ...place, depth: place.depth + 1 });

/** Any JSON, as where a contract leaves the form to its users. */
function anyJson(depth: number): fc.Arbitrary<unknown> {
  const text = fc.oneof(fc.string({ maxLength: LONGEST_TEXT }), fc.constantFrom(...FRAGMENTS));
  const leaf = fc.oneof(
    text,
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
  );
  return depth >= DEEPEST
    ? leaf
    : fc.oneof(
        { weight: 4, arbitrary: leaf },
        { weight: 1, arbitrary: fc.array(leaf, { maxLength: MOST_ITEMS }) },
        { weight: 1, arbitrary: fc.dictionary(text, leaf, { maxKeys: MOST_ITEMS }) },
      );
}

/** Instants are asked for around now; a pattern of 400 characters would give the year 7316. */
const instants = fc.oneof(
  { weight: 6, arbitrary: fc.constant(placeholder("now")) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "2020-02-29T23:59:59Z",
      "2026-11-26T10:00:00.123456789+14:00",
      "0000-01-01T00:00:00Z",
      "9999-12-31T23:59:59.999Z",
    ),
  },
);

function textOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema["format"] === "date-time") return instants;
  const minLength = numberOf(schema["minLength"], 0);
  const maxLength = Math.min(numberOf(schema["maxLength"], LONGEST_TEXT), minLength + LONGEST_TEXT);
  if (typeof schema["pattern"] === "string") {
    return fc.stringMatching(new RegExp(schema["pattern"]), { size: "-1" });
  }
  const fragments = FRAGMENTS.map((text) => text.padEnd(minLength, "~")).filter(
    (text) => text.length <= numberOf(schema["maxLength"], Infinity),
  );
  const plain = fc.string({ unit: "grapheme", minLength, maxLength });
  const edge = schema["maxLength"];
  return fc.oneof(
    { weight: 4, arbitrary: plain },
    { weight: 2, arbitrary: fc.constantFrom("x".repeat(minLength), ...fragments) },
    ...(typeof edge === "number" ? [{ weight: 1, arbitrary: fc.constant("y".repeat(edge)) }] : []),
  );
}

function numberIn(schema: JsonSchema, isWhole: boolean): fc.Arbitrary<unknown> {
  const above = schema["exclusiveMinimum"];
  const step = isWhole ? 1 : 0.001;
  const low = typeof above === "number" ? above + step : numberOf(schema["minimum"], -1_000_000);
  const min = Math.max(low, Number.MIN_SAFE_INTEGER);
  const max = Math.min(
    numberOf(schema["maximum"], Number.MAX_SAFE_INTEGER),
    Number.MAX_SAFE_INTEGER,
  );
  const ends = fc.constantFrom(min, max);
  const lowest = Math.ceil(min);
  const highest = Math.max(lowest, Math.floor(Math.min(max, lowest + 100)));
  const isRoom = lowest <= max;
  const small = isRoom ? fc.integer({ min: lowest, max: highest }) : ends;
  const all = isWhole
    ? fc.integer({ min, max })
    : fc.double({ min, max, noNaN: true, noDefaultInfinity: true });
  return fc.oneof({ weight: 4, arbitrary: small }, { weight: 2, arbitrary: all }, ends);
}

function listOf(schema: JsonSchema, place: Place): fc.Arbitrary<unknown> {
  const minLength = numberOf(schema["minItems"], 0);
  const most = place.depth >= DEEPEST ? minLength : minLength + MOST_ITEMS;
  const limits = { minLength, maxLength: Math.min(numberOf(schema["maxItems"], most), most) };
  const item = draw(asSchema(schema["items"] ?? {}), inner(place));
  return schema["uniqueItems"] === true
    ? fc.uniqueArray(item, { ...limits, selector: (value) => JSON.stringify(value) })
    : fc.array(item, limits);
}

function recordOf(schema: JsonSchema, place: Place): fc.Arbitrary<unknown> {
  const minKeys = numberOf(schema["minProperties"], 0);
  const keys = draw(asSchema(schema["propertyNames"] ?? { type: "string" }), place).map(String);
  const value = draw(asSchema(schema["additionalProperties"]), inner(place));
  const maxKeys = place.depth >= DEEPEST ? minKeys : minKeys + 2;
  // A place's name would become another key when it is filled.
  return fc.dictionary(keys, value, { minKeys, maxKeys, noNullPrototype: true });
}

function objectOf(schema: JsonSchema, place: Place): fc.Arbitrary<unknown> {
  if (typeof schema["additionalProperties"] === "object" && schema["properties"] === undefined) {
    return recordOf(schema, place);
  }
  const properties = asSchema(schema["properties"] ?? {});
  const required = z.array(z.string()).parse(schema["required"] ?? []);
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  const most = place.depth >= DEEPEST ? 0 : MOST_OPTIONAL;
  const model = Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [
      name,
      place.depth >= DEEPEST && !required.includes(name)
        ? fc.constant(undefined)
        : place.byName(name, draw(asSchema(property), inner(place))),
    ]),
  );
  return fc
    .subarray(optional, { minLength: 0, maxLength: Math.min(most, optional.length) })
    .chain((chosen) =>
      fc.record(
        Object.fromEntries(
          Object.entries(model).filter(
            ([name]) => required.includes(name) || chosen.includes(name),
          ),
        ),
        { noNullPrototype: true },
      ),
    );
}

function byType(schema: JsonSchema, place: Place): fc.Arbitrary<unknown> {
  switch (schema["type"]) {
    case undefined:
      return anyJson(place.depth);
    case "string":
      return textOf(schema);
    case "integer":
      return numberIn(schema, true);
    case "number":
      return numberIn(schema, false);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return listOf(schema, place);
    case "object":
      return objectOf(schema, place);
    default:
      throw new Error(`A type that nobody taught the generator: ${JSON.stringify(schema["type"])}`);
  }
}

function draw(schema: JsonSchema, place: Place): fc.Arbitrary<unknown> {
  const unknown = Object.keys(schema).filter((keyword) => !KNOWN.has(keyword));
  if (unknown.length > 0) throw new Error(`Unknown keywords: ${unknown.join(", ")}`);
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    if (place.depth > DEEPEST) return fc.constant({});
    const name = reference.replace("#/$defs/", "");
    return draw(asSchema(place.definitions[name]), inner(place));
  }
  if ("const" in schema) return fc.constant(schema["const"]);
  if (Array.isArray(schema["enum"])) return fc.constantFrom<unknown>(...schema["enum"]);
  const branches = schema["anyOf"] ?? schema["oneOf"];
  if (!Array.isArray(branches)) return byType(schema, place);
  return fc.oneof(...branches.map((branch) => draw(asSchema(branch), place)));
}

/**
 * Values that the schema allows as far as a JSON Schema can say it; relations between fields are broken now and then.
 *
 * @param byName draws a property by its name instead, where the schema cannot know which values mean something
 * @throws on a keyword that it does not know
 */
export function messagesOf(schema: z.ZodType, byName: ByName): fc.Arbitrary<unknown> {
  const root = asSchema(z.toJSONSchema(schema, { io: "input" }));
  const definitions = asSchema(root["$defs"] ?? {});
  return draw(root, { definitions, byName, depth: 0 });
}
