import { dereference, validate } from "@cfworker/json-schema";
import type { Schema } from "@cfworker/json-schema";

import { PATTERN_RULE, patternsIn, unusableAmong } from "../../../lib/pattern-limits.ts";
import { ok, refuse } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import { limitSteps } from "../../../lib/step-limit.ts";
import { schemaFormFaults } from "../../../protocol/schema-form.ts";
import { isList } from "../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../skill.ts";
import { shown } from "./assertions.ts";
import type { Unmet } from "./assertions.ts";

/** Parts of a schema that one judgement may apply: references that double would otherwise go on for hours. */
const MOST_STEPS = 200_000;

/** Items of one list that `uniqueItems` compares each with each. */
const LONGEST_UNIQUE = 5_000;

/** Faults told of one document. */
const MOST_FAULTS = 20;

/** One value of each type: a reference to nothing or a keyword of the wrong form shows on one of them. */
const PROBES: readonly JsonValue[] = [null, true, 0, "", [], {}];

/** Judges documents by one JSON Schema (2020-12). */
export interface SchemaJudge {
  /** Where a document breaks the schema; why it can't be judged, where that is so. */
  judge(document: JsonValue): Unmet[];
}

/** A judge for a schema, or why the schema itself can't be used. */
export function schemaJudge(schema: JsonObject | boolean): Result<SchemaJudge, string> {
  const [unsafe] = unusableAmong(patternsIn(schema));
  if (unsafe !== undefined) return refuse(`the pattern ${shown(unsafe)} must be ${PATTERN_RULE}`);
  const malformed = typeof schema === "boolean" ? [] : schemaFormFaults(schema, "");
  const [form] = malformed;
  if (form !== undefined) return refuse(`${form.pointer || "/"}: ${form.detail}`);
  try {
    const { parts } = copyOf(schema, null);
    for (const part of Object.values(parts)) {
      for (const probe of PROBES) validate(probe, part, "2020-12", parts, false);
    }
    return ok({ judge: (document) => judged(schema, document) });
  } catch (cause) {
    return refuse(reasonOf(cause));
  }
}

interface Copy {
  root: Schema | boolean;
  /** The schema and all its parts by their addresses. */
  parts: Record<string, Schema | boolean>;
  /** The document, to be judged once. */
  counted: JsonValue;
}

/** A copy of a schema that counts how often one of its parts is applied, and throws when that is too often. */
function copyOf(schema: JsonObject | boolean, document: JsonValue): Copy {
  const root: Schema | boolean = structuredClone(schema);
  const parts: Copy["parts"] = dereference(root);
  return { root, parts, counted: limitSteps(parts, MOST_STEPS, document) };
}

function judged(schema: JsonObject | boolean, document: JsonValue): Unmet[] {
  const cannot = (why: string): Unmet[] => [
    { path: "$", expected: "a document that the schema can judge", received: why },
  ];
  try {
    const { root, parts, counted } = copyOf(schema, document);
    const isUnique = Object.values(parts).some((p) => typeof p !== "boolean" && p.uniqueItems);
    if (isUnique && longestList(document) > LONGEST_UNIQUE) {
      return cannot(`a list beyond ${LONGEST_UNIQUE} items, the most for uniqueItems`);
    }
    const { errors } = validate(counted, root, "2020-12", parts, false);
    return errors.slice(0, MOST_FAULTS).map(({ instanceLocation, keyword, error }) => ({
      path: instanceLocation.slice(0, 200),
      expected: keyword,
      received: error.slice(0, 200),
    }));
  } catch (cause) {
    return cannot(reasonOf(cause));
  }
}

function longestList(value: JsonValue): number {
  if (value === null || typeof value !== "object") return 0;
  const own = isList(value) ? value.length : 0;
  return Object.values(value).reduce(
    (most: number, inner) => Math.max(most, longestList(inner)),
    own,
  );
}

function reasonOf(cause: unknown): string {
  if (cause instanceof RangeError && /call stack/i.test(cause.message)) {
    return "it refers to itself without an end, or too often";
  }
  return cause instanceof Error ? cause.message.slice(0, 200) : "it cannot be used";
}
