import * as z from "zod";

import { ok, refuse } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import type { Fault } from "../../../protocol/refusal.ts";
import type { JsonObject, JsonValue } from "../../skills/skill.ts";

/** Judges a value by a JSON Schema; no faults: it satisfies it. */
export type Judge = (schema: JsonObject, value: unknown) => Fault[];

/** Faults that are told: enough for the model to correct itself. */
const MOST_FAULTS = 5;

const jsonSchema: z.ZodType<JsonValue> = z.json();

/**
 * What asks a model in words for JSON, where its provider does not see to it. Not the schema itself: it came with a task,
 * and stands in the turn in quotes.
 */
export const JSON_REQUEST =
  "Answer with one JSON value and nothing else: no explanation, no Markdown. It has to satisfy the JSON Schema of the answer that is quoted above.";

/** The text that may be JSON: without a thinking model's thoughts, and what is inside a code fence where there is one. */
function candidate(text: string): string {
  const said = text.replace(/^\s*<think>[^]*?<\/think>/, "");
  const fenced = /```(?:json)?[^\S\n]*\n([^]*?)\n?[^\S\n]*```/i.exec(said);
  return (fenced?.[1] ?? said).trim();
}

/**
 * The value that a model was asked for, out of what it said. Refused with where it breaks the schema.
 *
 * A code fence around it, or sentences around the fence, are forgiven; JSON that has to be mended is not.
 */
export function readAnswer(
  text: string,
  schema: JsonObject,
  judge: Judge,
): Result<JsonValue, string> {
  let raw: unknown;
  try {
    raw = JSON.parse(candidate(text));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : "unreadable";
    return refuse(`the answer is not JSON: ${reason}`);
  }
  const faults = judge(schema, raw);
  if (faults.length === 0) return ok(jsonSchema.parse(raw));
  const told = faults.slice(0, MOST_FAULTS).map(({ pointer, detail }) => `${pointer} ${detail}`);
  const rest = faults.length > told.length ? `; and ${faults.length - told.length} more` : "";
  return refuse(`the answer breaks its schema: ${told.join("; ")}${rest}`);
}
