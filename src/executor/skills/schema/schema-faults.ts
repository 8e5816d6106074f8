import { dereference, validate, type OutputUnit, type Schema } from "@cfworker/json-schema";

import { PATTERN_RULE, patternsIn, unusableAmong } from "../../../lib/pattern-limits.ts";
import { ok, refuse, type Result } from "../../../lib/result.ts";
import { limitSteps } from "../../../lib/step-limit.ts";
import { escapePointer, isObject, textOf, valueAt } from "../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../skill.ts";
import { nearestName } from "./nearest-name.ts";

/** One place where a value is not what its schema asks for. */
export interface SchemaFault {
  pointer: string;
  keyword: string;
  detail: string;
  /** What would be right there, in words. */
  expected: string;
}

/** Parts of a schema that one judgement may apply, about a second of work: references can double without end. */
const MOST_STEPS = 500_000;
/** Items of one array that are compared each with each. */
const LONGEST_UNIQUE = 5_000;

/** Keywords whose fault only wraps the faults of a part. */
const WRAPPERS = new Set("$ref,$recursiveRef,allOf,if,properties,patternProperties".split(","));
const CHOICES = new Set(["anyOf", "oneOf"]);
const OPEN = new Set(["additionalProperties", "unevaluatedProperties"]);
/** Forms of a choice that are told. */
const MOST_FORMS = 5;
const DRAFTS = { "draft-04": "4", "draft-06": "7", "draft-07": "7", "2019-09": "2019-09" } as const;

/**
 * Every place where a value breaks a JSON Schema (drafts 4 to 2020-12, by `$schema`; else 2020-12).
 *
 * Refused, in words: a schema with a broken or endless reference, a pattern that can take very long, too much work.
 */
export function schemaFaults(
  schema: JsonObject | boolean,
  value: JsonValue,
): Result<SchemaFault[], string> {
  try {
    const root = structuredClone(schema) as Schema | boolean;
    const [pattern] = unusableAmong(patternsIn(schema));
    if (pattern !== undefined) {
      return refuse(
        `its pattern ${JSON.stringify(pattern.slice(0, 80))} can't be used: it must be ${PATTERN_RULE}`,
      );
    }
    if (JSON.stringify(schema).includes('"uniqueItems":true') && hasLongArray(value)) {
      return refuse(`uniqueItems is judged on lists of up to ${LONGEST_UNIQUE} items`);
    }
    const parts = dereference(root);
    const counted = limitSteps(parts, MOST_STEPS, value);
    const { errors } = validate(counted, root, draftOf(schema), parts, false);
    return ok(faultsOf(errors, schema, value));
  } catch (cause) {
    const said = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : "";
    const isEndless = cause instanceof RangeError && /call stack/i.test(said);
    return refuse(isEndless ? "it refers to itself without an end" : said.slice(0, 200));
  }
}

function draftOf(schema: JsonObject | boolean): "4" | "7" | "2019-09" | "2020-12" {
  const named = typeof schema === "object" ? textOf(schema["$schema"]) : "";
  const [, draft = "2020-12"] = Object.entries(DRAFTS).find(([name]) => named.includes(name)) ?? [];
  return draft;
}

function hasLongArray(value: JsonValue): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value) && value.length > LONGEST_UNIQUE) return true;
  return Object.values(value).some((inner) => hasLongArray(inner));
}

function faultsOf(
  errors: readonly OutputUnit[],
  schema: JsonObject | boolean,
  value: JsonValue,
): SchemaFault[] {
  const faults = new Map<string, SchemaFault>();
  let choice: { location: string; fault: SchemaFault; forms: string[] } | null = null;
  for (const [at, error] of errors.entries()) {
    const isUnknown = errors[at + 1]?.keyword === "false" && OPEN.has(error.keyword);
    if (!isUnknown && isTold(errors, at)) continue;
    const fault = faultOf(error, schema, { value, isUnknown });
    if (choice !== null && error.keywordLocation.startsWith(`${choice.location}/`)) {
      addForm(choice, fault);
      continue;
    }
    const isChoice = CHOICES.has(error.keyword);
    choice = isChoice ? { location: error.keywordLocation, fault, forms: [] } : null;
    faults.set(`${fault.pointer} ${error.keywordLocation} ${error.error}`, fault);
  }
  return [...faults.values()];
}

/** Whether a neighbour says all that a fault says: what the next explains from within, or what wraps it. */
function isTold(errors: readonly OutputUnit[], at: number): boolean {
  const { keyword = "", keywordLocation = "" } = errors[at] ?? {};
  if (WRAPPERS.has(keyword)) return true;
  if (keyword === "false") return OPEN.has(errors[at - 1]?.keyword ?? "");
  const next = errors[at + 1]?.keywordLocation ?? "";
  return !CHOICES.has(keyword) && next.startsWith(`${keywordLocation}/`);
}

/** What a form of a choice asks for becomes part of what the choice asks for. */
function addForm({ fault, forms }: { fault: SchemaFault; forms: string[] }, form: SchemaFault) {
  const where = form.pointer === fault.pointer ? "" : ` at ${form.pointer}`;
  forms.push(`${form.expected.replace(/\.$/, "")}${where}`);
  const told = [...new Set(forms)].slice(0, MOST_FORMS).join("; or ");
  fault.expected = `${told.slice(0, 500)}.`;
}

function faultOf(
  error: OutputUnit,
  schema: JsonObject | boolean,
  { value, isUnknown }: { value: JsonValue; isUnknown: boolean },
): SchemaFault {
  const { keyword } = error;
  const pointer = decodeURIComponent(error.instanceLocation.replace(/^#/, ""));
  const asked = schemaAt(schema, error.keywordLocation);
  if (isUnknown) {
    const name = /^Property "([\s\S]*)" does not match/.exec(error.error)?.[1] ?? "";
    return {
      pointer: `${pointer}/${escapePointer(name)}`,
      keyword,
      ...unknownName(name, asked.parent),
    };
  }
  const rule = asked.value === undefined ? "" : JSON.stringify(asked.value).slice(0, 300);
  const missing = /required property "([\s\S]*)"/.exec(error.error)?.[1] ?? "";
  const actual = valueAt(value, pointer);
  const expected =
    keyword === "required"
      ? `The property ${JSON.stringify(missing)}.`
      : expectedOf(keyword, rule, actual);
  return { pointer, keyword, detail: error.error, expected };
}

function unknownName(
  name: string,
  parent: JsonValue | undefined,
): { detail: string; expected: string } {
  const known =
    isObject(parent) && isObject(parent["properties"]) ? Object.keys(parent["properties"]) : [];
  const near = nearestName(name, known);
  const meant = near === null ? "" : ` Did you mean ${JSON.stringify(near)}?`;
  return {
    detail: `The name ${JSON.stringify(name)} is not known here.${meant}`,
    expected:
      known.length === 0 ? "No name." : `One of the names ${known.slice(0, 30).join(", ")}.`,
  };
}

function expectedOf(keyword: string, rule: string, actual: JsonValue | undefined): string {
  if (keyword === "type") {
    const types = rule.replaceAll(/["[\]]/g, "").replaceAll(",", " or ");
    return `A value of type ${types}${quotesNote(rule, actual)}.`;
  }
  if (keyword === "enum") return `One of ${rule}.`;
  if (CHOICES.has(keyword))
    return `${keyword === "oneOf" ? "Exactly one" : "One"} of the forms that the schema lists.`;
  return rule === "" ? "What the schema asks for." : `${keyword}: ${rule}.`;
}

/** The commonest slip in configurations: a number in quotes. */
function quotesNote(rule: string, actual: JsonValue | undefined): string {
  if (typeof actual !== "string") return "";
  if (/number|integer/.test(rule) && /^-?\d+(?:\.\d+)?$/.test(actual))
    return ", without the quotes";
  return /boolean/.test(rule) && /^(?:true|false)$/.test(actual) ? ", without the quotes" : "";
}

/** The keyword's value, following references on the way, and the schema it stands in. */
function schemaAt(
  root: JsonObject | boolean,
  location: string,
): { parent: JsonValue | undefined; value: JsonValue | undefined } {
  let parent: JsonValue | undefined;
  let here: JsonValue | undefined = root;
  for (const part of location.replace(/^#\/?/, "").split("/")) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    parent = here;
    here = here === undefined ? undefined : valueAt(here, `/${escapePointer(name)}`);
    if (name === "$ref" && typeof here === "string") here = valueAt(root, here.replace(/^#/, ""));
  }
  return { parent, value: here };
}
