import { ok, refuse, type Result } from "../../../lib/result.ts";
import { readEnv } from "../formats/env.ts";
import { isList, isObject } from "../formats/json-value.ts";
import { readJson } from "../formats/json.ts";
import { readProperties } from "../formats/properties.ts";
import { withoutMark, type TextFault } from "../formats/text-fault.ts";
import { readTomlDocument } from "../formats/toml.ts";
import { readYamlDocuments } from "../formats/yaml.ts";
import { refuseInput } from "../input-failure.ts";
import type { JsonObject, JsonValue, SkillFailure } from "../skill.ts";
import { inexactInteger } from "./exact-integers.ts";
import { offsetsOf, placesIn, type Places } from "./places.ts";

export const FORMATS = ["json", "yaml", "toml", "env", "properties"] as const;
export type Format = (typeof FORMATS)[number];

/** A document as it was given: a text to read, or a value. */
export interface GivenDocument {
  name: string;
  format: Format;
  text: string | null;
  value: JsonValue;
}

export interface ConfigurationDocument {
  name: string;
  format: Format;
  value: JsonValue;
  /** Null for a document given as a value: it has no text. */
  places: Places | null;
  /** Pointers of TOML dates, which are read as text. */
  dates: string[];
  has_comments: boolean;
}

const MOST_DOCUMENTS = 20;
/** All texts together; results are several times that and must fit a message of 1 MiB. */
const MOST_CHARACTERS = 300_000;
const MAX_DEPTH = 100;

/**
 * The documents of a task: `documents` or `document`, each `{name?, format?, text | value}` or the text itself.
 *
 * The format is told, else taken from the ending of the name, else recognised by the text.
 */
export function givenDocuments(input: JsonObject): Result<GivenDocument[], SkillFailure> {
  const { documents, document } = input as { [name: string]: JsonValue | undefined };
  const given = isList(documents) ? documents : document === undefined ? [] : [document];
  if (given.length === 0) {
    return refuseDocuments(
      "missing_input",
      "input_data.documents must be a list of documents.",
      "There is none.",
    );
  }
  if (given.length > MOST_DOCUMENTS) {
    return refuseDocuments(
      "too_many_documents",
      `At most ${MOST_DOCUMENTS} documents are read.`,
      `There are ${given.length}.`,
    );
  }
  const found: GivenDocument[] = [];
  for (const [at, each] of given.entries()) {
    const one = oneDocument(each, at);
    if (typeof one === "string") {
      return refuseDocuments(
        "invalid_document",
        `input_data.documents/${at} ${one}.`,
        JSON.stringify(each).slice(0, 200),
      );
    }
    found.push(one);
  }
  const characters = found.reduce(
    (sum, { text, value }) => sum + (text ?? JSON.stringify(value)).length,
    0,
  );
  if (characters > MOST_CHARACTERS) {
    return refuseDocuments(
      "input_too_large",
      `Documents of at most ${MOST_CHARACTERS} characters together are read.`,
      `They have ${characters}.`,
    );
  }
  return ok(found);
}

function oneDocument(given: JsonValue, at: number): GivenDocument | string {
  const fields: JsonObject =
    typeof given === "string" ? { text: given } : isObject(given) ? given : {};
  const { text, value, format, name } = fields as { [name: string]: JsonValue | undefined };
  const called =
    typeof name === "string" && name !== "" ? name.slice(0, 200) : `document ${at + 1}`;
  if (format !== undefined && !isFormat(format))
    return `has a format other than ${FORMATS.join(", ")}`;
  if (typeof text === "string") {
    return { name: called, format: format ?? formatOf(called, text), text, value: null };
  }
  if (value === undefined) return "has neither text nor value";
  if (depthOf(value) > MAX_DEPTH) return `is nested more than ${MAX_DEPTH} deep`;
  return { name: called, format: format ?? "json", text: null, value };
}

function depthOf(value: JsonValue): number {
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce(
    (most: number, inner) => Math.max(most, 1 + depthOf(inner)),
    1,
  );
}

/** Whether a word names a format. */
export function isFormat(word: JsonValue | undefined): word is Format {
  return FORMATS.some((format) => format === word);
}

/** The format that a name or a text speaks for; YAML, which reads most, when nothing does. */
export function formatOf(name: string, text: string): Format {
  const ending = /\.(json|ya?ml|toml|properties)$/i.exec(name)?.[1]?.toLowerCase();
  if (ending !== undefined)
    return ending === "yml" ? "yaml" : (FORMATS.find((each) => each === ending) ?? "yaml");
  if (/(?:^|[/.])env(?:\.|$)/i.test(name)) return "env";
  const bare = withoutMark(text).trimStart().slice(0, 20_000);
  if (/^(?:\{|\[\s*(?:[[{"\]]|-?\d|true|false|null))/.test(bare)) return "json";
  const lines = bare
    .split("\n")
    .filter((line) => !/^\s*(?:#|$)/.test(line))
    .slice(0, 200);
  const share = (pattern: RegExp) =>
    lines.filter((line) => pattern.test(line)).length / Math.max(1, lines.length);
  if (share(/^(?:export\s+)?[A-Z_][A-Z0-9_]*=/) > 0.7) return "env";
  if (share(/^\s*(?:\[.+\]|[\w."-]+\s*=\s*(?:["'[{]|[-+\d]|true|false))/) > 0.7) return "toml";
  return share(/^[\w.-]+\s*=/) > 0.7 ? "properties" : "yaml";
}

/** The values of one given document: several for a YAML stream of several, each with its number in the name. */
export function readDocument(given: GivenDocument): Result<ConfigurationDocument[], TextFault> {
  const { name, format } = given;
  if (given.text === null) {
    return ok([{ name, format, value: given.value, places: null, dates: [], has_comments: false }]);
  }
  const text = withoutMark(given.text);
  const read = valuesOf(text, format);
  if (!read.ok) return read;
  const { values, dates } = read.value;
  const has_comments = hasComments(text, format);
  const offsets = offsetsOf(text, format);
  // TOML's reader refuses them itself; the other formats hold texts.
  const isExact = format !== "json" && format !== "yaml";
  const inexact = isExact ? null : inexactInteger(text, values, offsets);
  if (inexact !== null) return refuse(inexact);
  return ok(
    values.map((value, index) => ({
      name: values.length === 1 ? name : `${name}#${index + 1}`,
      format,
      value,
      places: placesIn(text, offsets[index] ?? new Map()),
      dates,
      has_comments,
    })),
  );
}

function valuesOf(
  text: string,
  format: Format,
): Result<{ values: JsonValue[]; dates: string[] }, TextFault> {
  if (format === "yaml") {
    const read = readYamlDocuments(text);
    if (read.ok && read.value.length === 0)
      return refuse({ line: 1, column: 1, detail: "The text is empty." });
    return read.ok ? ok({ values: read.value, dates: [] }) : read;
  }
  if (format === "toml") {
    const read = readTomlDocument(text);
    return read.ok ? ok({ values: [read.value.value], dates: read.value.dates }) : read;
  }
  const read =
    format === "json" ? readJson(text) : format === "env" ? readEnv(text) : readProperties(text);
  return read.ok ? ok({ values: [read.value], dates: [] }) : read;
}

function hasComments(text: string, format: Format): boolean {
  if (format === "json") return false;
  return format === "properties" ? /^[ \t\f]*[#!]/m.test(text) : /(?:^|\s)#/m.test(text);
}

/** The documents of a task, read; the first that can't be read fails the task with its place. */
export function readAll(
  given: readonly GivenDocument[],
): Result<ConfigurationDocument[], SkillFailure> {
  const documents: ConfigurationDocument[] = [];
  for (const each of given) {
    const read = readDocument(each);
    if (!read.ok) {
      const { line, column, detail } = read.refusal;
      return refuseInput(
        "unreadable_document",
        `${each.name} can't be read as ${each.format}: line ${line}, column ${column}: ${detail}`,
        `Format ${each.format}; line ${line} begins ${JSON.stringify((each.text ?? "").split("\n")[line - 1]?.slice(0, 40) ?? "")}.`,
        [
          `Correct ${each.name} at line ${line}, or tell its format.`,
          "task_type code_debugging with input_data.text locates the fault and repairs what is mechanical.",
        ],
      );
    }
    documents.push(...read.value);
  }
  return ok(documents);
}

function refuseDocuments(cause: string, detail: string, evidence: string) {
  return refuseInput(cause, detail, evidence, [
    'Give input_data.documents as [{"name": "app.yaml", "text": "…"}], or "value" instead of "text".',
  ]);
}
