import { isObject } from "../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../skill.ts";
import { code, plain } from "./markdown.ts";
import type { Link } from "./page.ts";
import {
  fieldOf,
  listOf,
  objectOf,
  pointerPart,
  resolve,
  type SchemaSource,
} from "./schema-source.ts";

/** Types within types are told this deep; a reader of a table cell follows no further. */
const DEEPEST = 4;
const MAX_CHOICES = 20;
const LONGEST_VALUE = 120;
/** Parts told of one type: unions of unions grow with the power of their depth. */
const MAX_PARTS = 60;
const BOUNDS: readonly (readonly [keyword: string, sign: string])[] = [
  ["format", ""],
  ["pattern", "~ "],
  ["minimum", "≥ "],
  ["exclusiveMinimum", "&gt; "],
  ["maximum", "≤ "],
  ["exclusiveMaximum", "&lt; "],
  ["multipleOf", "× "],
];

interface Telling {
  link: Link;
  depth?: number;
  /** Counts the parts told so far. */
  told?: { parts: number };
}

/** The type of a schema as one phrase of safe Markdown, with links to the schemas that have a section. */
export function typeOf(
  schema: JsonValue | undefined,
  source: SchemaSource,
  { link, depth = 0, told = { parts: 0 } }: Telling,
): string {
  const { words } = source;
  told.parts += 1;
  if (schema === false) return words.no_value;
  if (!isObject(schema)) return words.any;
  if (depth > DEEPEST || told.parts > MAX_PARTS) return "…";
  const below = { link, depth: depth + 1, told };
  const inner = (part: JsonValue | undefined) => typeOf(part, source, below);
  const reference = fieldOf(schema, "$ref");
  if (typeof reference === "string") return referenceType(reference, source, below);
  if (Object.hasOwn(schema, "const")) return valueCode(schema["const"]);
  const choices = listOf(schema["enum"]);
  if (choices.length > 0) return choiceOf(choices, source);
  return unionType(schema, source, inner) ?? basicType(schema, source, inner);
}

function unionType(
  schema: JsonObject,
  { words }: SchemaSource,
  inner: (part: JsonValue | undefined) => string,
): string | null {
  for (const [keyword, joint] of [
    ["oneOf", words.or],
    ["anyOf", words.or],
    ["allOf", words.and],
  ] as const) {
    const parts = listOf(schema[keyword]);
    if (parts.length > 0) {
      const each = [...new Set(parts.slice(0, MAX_CHOICES).map(inner))];
      return each.join(` ${joint} `) + (parts.length > MAX_CHOICES ? " …" : "");
    }
  }
  return null;
}

/** Rules and hints beside the type: bounds, pattern, default, examples; safe Markdown for a cell. */
export function rulesOf(schema: JsonObject, { words }: SchemaSource): string[] {
  const bounds = BOUNDS.flatMap(([keyword, sign]) => {
    const value = fieldOf(schema, keyword);
    const isTold = typeof value === "number" || typeof value === "string";
    return isTold ? [`${sign}${shortCode(String(value))}`] : [];
  });
  const flags = [
    schema["uniqueItems"] === true ? words.unique : "",
    schema["readOnly"] === true ? words.read_only : "",
    schema["writeOnly"] === true ? words.write_only : "",
  ].filter((flag) => flag !== "");
  const preset = fieldOf(schema, "default");
  const example = fieldOf(schema, "example");
  const examples = [...listOf(schema["examples"]), ...(example === undefined ? [] : [example])];
  const shown = examples.slice(0, 3).map(valueCode).join(", ");
  return [
    ...bounds,
    ...sizesOf(schema, words),
    ...flags,
    ...(preset === undefined ? [] : [`${words.default} ${valueCode(preset)}`]),
    ...(shown === "" ? [] : [`${words.examples.toLowerCase()}: ${shown}`]),
  ];
}

function sizesOf(schema: JsonObject, words: SchemaSource["words"]): string[] {
  return (
    [
      ["minLength", "maxLength", words.characters],
      ["minItems", "maxItems", words.items],
      ["minProperties", "maxProperties", words.properties.toLowerCase()],
    ] as const
  ).flatMap(([least, most, unit]) => {
    const [from, to] = [schema[least], schema[most]];
    if (typeof from === "number" && typeof to === "number") return [`${from}–${to} ${unit}`];
    if (typeof from === "number") return [`≥ ${from} ${unit}`];
    return typeof to === "number" ? [`≤ ${to} ${unit}`] : [];
  });
}

function referenceType(reference: string, source: SchemaSource, telling: Telling): string {
  const target = resolve(source.root, reference);
  source.page.refer(reference, target !== undefined);
  const name = plain(pointerPart(reference.split("/").at(-1) ?? reference));
  const linked = telling.link(reference, name);
  if (linked !== name || target === undefined) return linked;
  return typeOf(target, source, telling);
}

function choiceOf(choices: readonly JsonValue[], { words }: SchemaSource): string {
  const told = choices.slice(0, MAX_CHOICES).map(valueCode).join(", ");
  const more = choices.length > MAX_CHOICES ? ` … (${choices.length})` : "";
  return choices.length === 1 ? told : `${words.one_of.toLowerCase()} ${told}${more}`;
}

function basicType(
  schema: JsonObject,
  { words }: SchemaSource,
  inner: (part: JsonValue | undefined) => string,
): string {
  const given = schema["type"];
  const names = typeof given === "string" ? [given] : listOf(given).map(String);
  if (names.length === 0) {
    if ("properties" in schema || "additionalProperties" in schema) names.push("object");
    else if ("items" in schema || "prefixItems" in schema) names.push("array");
    else return words.any;
  }
  if (schema["nullable"] === true) names.push("null");
  const told = names.slice(0, MAX_CHOICES).map((name) => {
    if (name === "array") return arrayType(schema, words, inner);
    const values = schema["additionalProperties"];
    const isMap = isObject(values) && Object.keys(objectOf(schema["properties"])).length === 0;
    return name === "object" && isMap ? `${words.map_of} ${inner(values)}` : plain(name);
  });
  return told.join(` ${words.or} `);
}

function arrayType(
  { items, prefixItems }: JsonObject,
  words: SchemaSource["words"],
  inner: (part: JsonValue | undefined) => string,
): string {
  const tuple = listOf(prefixItems);
  if (tuple.length > 0)
    return `${words.tuple_of} ${tuple.slice(0, MAX_CHOICES).map(inner).join(", ")}`;
  return items === undefined ? "array" : `${words.array_of} ${inner(items)}`;
}

function valueCode(value: JsonValue | undefined): string {
  return shortCode(value === undefined ? "" : JSON.stringify(value));
}

function shortCode(text: string): string {
  return code(text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text, "cell");
}
