import { ok, type Result } from "../../../lib/result.ts";
import { isObject } from "../formats/json-value.ts";
import { plainJson } from "../formats/plain-json.ts";
import { readYaml } from "../formats/yaml.ts";
import { refuseInput } from "../input-failure.ts";
import type { JsonObject, JsonValue, SkillFailure } from "../skill.ts";

/** What a reference can be written from. */
export type Source =
  | { kind: "openapi" | "schema"; root: JsonObject }
  | { kind: "typescript"; text: string };

type Field = "openapi" | "schema" | "typescript" | "text";

/** The body limit of the HTTP face (protocol.md §7), kept for text that the engine fetched. */
const MAX_CHARACTERS = 1_048_576;
const FIELDS: readonly Field[] = ["openapi", "schema", "typescript", "text"];
const TYPESCRIPT =
  /^[ \t]*(?:export\s+)?(?:declare\s+)?(?:default\s+)?(?:abstract\s+)?(?:async\s+)?(?:interface|type|enum|class|function|const|let|var|namespace|module)\s+["\w$]+\s*(?:[<({=:]|extends\s|implements\s|["\w]|;|$)/m;
const STRUCTURED = /^\s*[{]|^\s*["']?(?:openapi|swagger|\$schema|\$defs|properties)["']?\s*:/m;

const HOW_TO_GIVE = [
  'Give an OpenAPI 3.x document in input_data.openapi or a JSON Schema in input_data.schema, as an object or as JSON or YAML text: {"openapi": {"openapi": "3.1.0", …}}.',
  'Or TypeScript declarations in input_data.typescript: {"typescript": "export interface Pet { … }"}.',
];

/** Why the input can't be documented without a model; null when it can, or when it is merely broken. */
export function lacksSource(input: JsonObject): string | null {
  if (["openapi", "schema", "typescript", "url"].some((name) => Object.hasOwn(input, name))) {
    return null;
  }
  const { text } = input;
  const needs =
    "Prose and tutorials need a model; without one, references are written from OpenAPI, JSON Schema or TypeScript declarations";
  if (text === undefined) return `${needs}, and the task brings none of them.`;
  if (typeof text !== "string" || text.trim() === "") return null;
  return STRUCTURED.test(text) || TYPESCRIPT.test(text)
    ? null
    : `${needs}, and input_data.text is none of them.`;
}

/**
 * Reads what is to be documented: `openapi`, `schema`, `typescript`, or `text` that is one of them.
 *
 * Refuses with the class missing_input, empty_input, invalid_input, input_too_large or unsupported_version.
 */
export function readSource(input: JsonObject): Result<Source, SkillFailure> {
  const given = FIELDS.filter((name) => Object.hasOwn(input, name));
  const [field, second] = given;
  if (field === undefined) {
    const names = Object.keys(input).slice(0, 10).join(", ");
    return refuseInput(
      "missing_input",
      "The task brings nothing to document.",
      names === "" ? "input_data has no fields." : `input_data has only the fields ${names}.`,
      HOW_TO_GIVE,
    );
  }
  if (second !== undefined) {
    const evidence = `It has ${given.join(" and ")}.`;
    return refuseSource("invalid_input", "input_data must have one source, not several.", evidence);
  }
  const value = input[field] ?? null;
  return typeof value === "string" ? readText(field, value) : readValue(field, value);
}

function readValue(field: Field, value: JsonValue): Result<Source, SkillFailure> {
  const isText = field === "typescript" || field === "text";
  if (isText || !isObject(value)) {
    const detail = `input_data.${field} must be ${isText ? "a text" : "an object or a text"}.`;
    const type = Array.isArray(value) ? "an array" : value === null ? "null" : `a ${typeof value}`;
    return refuseSource("invalid_input", detail, `It is ${type}.`);
  }
  const plain = plainJson(value);
  return plain.ok
    ? structured(field, plain.value)
    : refuseSource("invalid_input", `input_data.${field} can't be read.`, plain.refusal.detail);
}

function readText(field: Field, text: string): Result<Source, SkillFailure> {
  if (text.length > MAX_CHARACTERS) {
    return refuseInput(
      "input_too_large",
      `input_data.${field} is longer than the built-in executor reads: the limit is ${MAX_CHARACTERS} characters.`,
      `It has ${text.length}.`,
      ["Split it over several tasks."],
    );
  }
  if (text.trim() === "")
    return refuseSource("empty_input", `input_data.${field} is empty.`, "It has no text.");
  const isTypeScript = field === "typescript" || (field === "text" && !STRUCTURED.test(text));
  if (isTypeScript) return ok({ kind: "typescript", text });
  const read = parse(text);
  if (read.ok) return structured(field, read.value);
  const { line, column, detail } = read.refusal;
  return refuseSource(
    "invalid_input",
    `input_data.${field} is neither JSON nor YAML: line ${line}, column ${column}.`,
    detail,
  );
}

/** JSON first: a text that is JSON may have what YAML refuses, like tabs. */
function parse(text: string): ReturnType<typeof readYaml> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // YAML knows better where it breaks, and may be what it is.
    return readYaml(text.replace(/^\ufeff/, ""));
  }
  const plain = plainJson(parsed);
  return plain.ok
    ? plain
    : { ok: false, refusal: { line: 1, column: 1, detail: plain.refusal.detail } };
}

function structured(field: Field, root: JsonValue): Result<Source, SkillFailure> {
  if (!isObject(root)) {
    const evidence = "At its top it is a list or a single value.";
    return refuseSource("invalid_input", `input_data.${field} must hold an object.`, evidence);
  }
  const version = root["openapi"];
  const isOpenApi = field === "openapi" || (field === "text" && version !== undefined);
  if (isOpenApi || root["swagger"] !== undefined) {
    if (typeof version === "string" && /^3\.\d/.test(version)) return ok({ kind: "openapi", root });
    const told = JSON.stringify(version ?? root["swagger"] ?? null).slice(0, 100);
    return refuseInput(
      "unsupported_version",
      "The document is no OpenAPI 3.x document.",
      `Its field "openapi" should be a string like "3.1.0"; it says ${told}.`,
      ["Convert the document to OpenAPI 3, or correct its version.", ...HOW_TO_GIVE],
    );
  }
  return ok({ kind: "schema", root });
}

function refuseSource(cause: string, detail: string, evidence: string) {
  return refuseInput(cause, detail, evidence, HOW_TO_GIVE);
}
