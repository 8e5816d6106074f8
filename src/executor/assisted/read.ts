import * as z from "zod";

import { ok, refuse, type Result } from "../../lib/result.ts";
import type { ModelAnswer } from "../models/model-port.ts";
import type { Finding } from "../quality/assessment.ts";
import type { JsonObject, JsonValue } from "../skills/skill.ts";

/** A model's answer as a task's result. */
export interface AssistedResult {
  /** An object, unless the contract's schema wants something else. */
  output: JsonValue;
  summary: string;
  next_steps: string[];
  lessons_learned: string[];
}

/** What protocol.md allows of texts in a notification, and of them in a list. */
const MAX_TEXT = 2_000;
const MAX_TEXTS = 20;

/** Stands in for a summary where the answer has no words at all. */
const NO_SUMMARY = "The answer holds no text.";

const objectSchema = z.record(z.string(), z.json());

/** Openings of an answer that declines instead of answering; only looked for in short answers. */
const REFUSAL =
  /^\W{0,10}(?:i(?:['’]m| am)? (?:really |very |so )?(?:sorry|unable|not able|afraid)|(?:sorry|apologies|unfortunately)[, ]{1,3}(?:but )?i|i (?:can(?:no|['’])t|cannot|can not|won['’]t|will not|must decline|have to decline)|as an ai\b|lo siento|no puedo (?:ayudar|hacer|cumplir|responder|proporcionar)|me temo que no)/iu;
const SHORT = 400;

function finding(code: string, location: string, detail: string): Finding {
  return { check: "syntactic", code, location, detail, is_blocking: true };
}

/** The JSON of a text: the whole, the first fenced block, or from the first brace to the last. */
function jsonIn(text: string): JsonObject | null {
  const fenced = /```(?:json)?[ \t]*\n([\s\S]*?)\n[ \t]*```/.exec(text)?.[1];
  const from = text.indexOf("{");
  const braced = from === -1 ? undefined : text.slice(from, text.lastIndexOf("}") + 1);
  for (const candidate of [text, fenced, braced]) {
    const value = candidate === undefined ? null : parsed(candidate);
    if (value !== null) return value;
  }
  return null;
}

function parsed(text: string): JsonObject | null {
  try {
    const value = objectSchema.safeParse(JSON.parse(text));
    return value.success ? value.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function textsOf(value: JsonValue | undefined): string[] {
  if (!Array.isArray(value)) return [];
  return (value as JsonValue[])
    .filter((item): item is string => typeof item === "string" && item.trim() !== "")
    .slice(0, MAX_TEXTS)
    .map((item) => item.slice(0, MAX_TEXT));
}

/** All that a value says, for a look at its beginning. */
function firstText(value: JsonValue, depth = 0): string {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object" || depth > 4) return "";
  for (const inner of Object.values(value)) {
    const text = firstText(inner, depth + 1);
    if (text.trim() !== "") return text;
  }
  return "";
}

function isRefusal(value: JsonValue): boolean {
  const text = firstText(value);
  return text.length <= SHORT && REFUSAL.test(text);
}

function isEmpty(value: JsonValue): boolean {
  if (value === null) return true;
  if (typeof value === "string") return value.trim() === "";
  if (typeof value !== "object") return false;
  return Object.values(value).every((inner: JsonValue) => isEmpty(inner));
}

/** Required members that are missing or say nothing. */
function missingParts(result: JsonObject, schema: JsonObject): Finding[] {
  const required = schema["required"];
  if (!Array.isArray(required)) return [];
  return (required as JsonValue[]).flatMap((name) => {
    if (typeof name !== "string" || Object.hasOwn(result, name)) return [];
    return [finding("missing_field", `/${name}`, `the result has no ${name}`)];
  });
}

/** The result within an answer: in its envelope, or bare where a model left the envelope out. */
function resultIn(value: JsonObject, schema: JsonObject): JsonValue {
  if (Object.hasOwn(value, "result")) return value["result"] ?? null;
  return missingParts(value, schema).length === 0 ? value : null;
}

/** The type of a value in the words of JSON Schema. */
function typeOf(value: JsonValue): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** What keeps a result from being one: of another type than the schema's, empty, or without required members. */
function wrongForm(result: JsonValue, schema: JsonObject): Finding[] {
  const { type = "object" } = schema;
  const found = typeOf(result);
  // A list of types is the contract's to judge.
  if (typeof type === "string" && found !== (type === "integer" ? "number" : type)) {
    return [
      finding("wrong_type", "/result", `the result must be of type ${type}, and is ${found}`),
    ];
  }
  if (isEmpty(result)) return [finding("empty_output", "", "the result says nothing")];
  const object = objectSchema.safeParse(result);
  return object.success ? missingParts(object.data, schema) : [];
}

function faultsOf(answer: ModelAnswer, value: JsonObject | null): Finding[] {
  if (answer.finish_reason === "content_filter") {
    return [finding("refusal", "", "the provider's filter stopped the answer")];
  }
  if (value === null && answer.finish_reason === "length") {
    return [
      finding(
        "cut_off",
        "",
        "the answer was cut off at the limit of output tokens: answer shorter",
      ),
    ];
  }
  if (isRefusal(value ?? answer.text)) {
    const said = firstText(value ?? answer.text).trim();
    return [finding("refusal", "", `the model declines: ${said.slice(0, 300)}`)];
  }
  if (value !== null) return [];
  return answer.text.trim() === ""
    ? [finding("empty_output", "", "the answer is empty")]
    : [finding("no_json", "", "the answer is not the JSON object that was asked for")];
}

/**
 * A model's answer as a result, or what is wrong with it as findings that go back to the model: refusal, cut_off,
 * no_json, empty_output, missing_field. What the contract says of the result is not judged here.
 *
 * @param schema of the result, not of the envelope
 * @param notes what the reader of the result should know of how it came about
 */
export function readAnswer(
  answer: ModelAnswer,
  schema: JsonObject,
  notes: readonly string[],
): Result<AssistedResult, Finding[]> {
  const given = objectSchema.safeParse(answer.value);
  const value = given.success ? given.data : jsonIn(answer.text);
  const faults = faultsOf(answer, value);
  if (value === null || faults.length > 0) return refuse(faults);
  const result = resultIn(value, schema);
  if (result === null) {
    return refuse([finding("missing_field", "/result", "the answer has no result")]);
  }
  const wrong = wrongForm(result, schema);
  if (wrong.length > 0) return refuse(wrong);
  const summary = typeof value["summary"] === "string" ? value["summary"].trim() : "";
  return ok({
    output: result,
    summary: (summary || firstText(result).trim() || NO_SUMMARY).slice(0, MAX_TEXT),
    next_steps: textsOf(value["next_steps"]),
    lessons_learned: [...notes, ...textsOf(value["lessons_learned"])].slice(0, MAX_TEXTS),
  });
}
