import { dereference, validate } from "@cfworker/json-schema";
import type { Schema } from "@cfworker/json-schema";

import { limitSteps } from "../../lib/step-limit.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Fault } from "../../protocol/refusal.ts";

/**
 * Parts of a schema that one judgement may apply, about a second of work: references that double from one to
 * the next would otherwise keep the task's object busy until the platform ends it.
 */
const MOST_STEPS = 500_000;

/** Items of one array that are compared each with each. */
const LONGEST_UNIQUE = 5_000;

/** Faults in one answer: enough to see what is wrong. */
const MOST_FAULTS = 100;

interface Judge {
  root: Schema;
  /** The schema and all its parts by their addresses. */
  parts: Record<string, Schema | boolean>;
  /** The document, to be judged once. */
  counted: unknown;
}

/** A copy of a schema that counts how often one of its parts is applied, and throws when that is too often. */
function judgeOf(schema: JsonObject, document: unknown): Judge {
  const root = structuredClone(schema) as Schema;
  const parts = dereference(root);
  return { root, parts, counted: limitSteps(parts, MOST_STEPS, document) };
}

function reasonOf(cause: unknown): string {
  // A schema that refers to itself without an end runs out of stack; that is said in words of the contract.
  if (cause instanceof RangeError && /call stack/i.test(cause.message)) {
    return "it refers to itself without an end";
  }
  return cause instanceof Error ? cause.message.slice(0, 200) : "cannot be used";
}

function asksForUnique(parts: Judge["parts"]): boolean {
  return Object.values(parts).some((part) => typeof part !== "boolean" && part.uniqueItems);
}

function hasLongArray(value: unknown): boolean {
  if (value === null || typeof value !== "object") return false;
  if (Array.isArray(value) && value.length > LONGEST_UNIQUE) return true;
  return Object.values(value).some((inner) => hasLongArray(inner));
}

/** Where a result breaks the schema it must satisfy; the first faults when there are many. */
export function outputFaults(schema: JsonObject, result: unknown): Fault[] {
  try {
    const { root, parts, counted } = judgeOf(schema, result);
    if (asksForUnique(parts) && hasLongArray(result)) {
      throw new RangeError(`uniqueItems is not judged beyond ${LONGEST_UNIQUE} items`);
    }
    return validate(counted, root, "2020-12", parts, false)
      .errors.slice(0, MOST_FAULTS)
      .map((error) => ({
        pointer: `/data/result${error.instanceLocation.replace(/^#/, "")}`,
        code: "output_schema",
        detail: error.error,
      }));
  } catch (cause) {
    // The schema was tried when it came in, but not on every value there is.
    const detail = `output_schema cannot be applied to this result: ${reasonOf(cause)}`;
    return [{ pointer: "/data/result", code: "output_schema", detail }];
  }
}

/** One value of each type: a reference to nothing or a keyword of the wrong form shows on one of them. */
const PROBES = [null, true, 0, "", [], {}];

/** What keeps a schema from being used at all, or null. */
export function schemaFault(schema: JsonObject): Fault | null {
  try {
    const { parts } = judgeOf(schema, null);
    for (const part of Object.values(parts)) {
      for (const probe of PROBES) validate(probe, part, "2020-12", parts, false);
    }
    return null;
  } catch (cause) {
    return {
      pointer: "/contract/output_schema",
      code: "invalid_schema",
      detail: reasonOf(cause),
    };
  }
}
