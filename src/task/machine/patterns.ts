import safeRegex from "safe-regex2";

import { pointerOf } from "../../protocol/faults.ts";
import type { Fault } from "../../protocol/refusal.ts";

/** Longest regular expression of an acceptance check or an output schema. */
const LONGEST_PATTERN = 200;

/** Repetitions without a bound in one pattern: n of them may take time in the n-th power of the text. */
const MOST_REPETITIONS = 3;

/** Longest text that a pattern is tried on: shorter when it has more than one repetition without a bound. */
const LONGEST_TEXT = 10_000;
const LONGEST_TEXT_OF_MANY = 1_000;

function repetitionsOf(pattern: string): number {
  // Escaped characters and classes hold no repetition.
  const bare = pattern.replaceAll(/\\./g, "").replaceAll(/\[[^\]]*\]/g, "x");
  return [...bare.matchAll(/[*+]|\{\d+,\}/g)].length;
}

/** What a pattern must be, in words. */
export const PATTERN_RULE = `a regular expression of at most ${LONGEST_PATTERN} characters with at most ${MOST_REPETITIONS} unbounded repetitions, none inside another`;

/** Whether a pattern may be used: one that can take very long would let a task stall its object. */
export function isUsablePattern(pattern: unknown): pattern is string {
  if (typeof pattern !== "string" || pattern.length > LONGEST_PATTERN) return false;
  try {
    new RegExp(pattern, "u");
  } catch {
    return false;
  }
  return safeRegex(pattern) && repetitionsOf(pattern) <= MOST_REPETITIONS;
}

/** Longest text that these patterns are tried on; a longer one counts as no match. */
export function longestTextFor(patterns: readonly string[]): number {
  return patterns.some((pattern) => repetitionsOf(pattern) > 1)
    ? LONGEST_TEXT_OF_MANY
    : LONGEST_TEXT;
}

/** Every pattern in a schema, with its place. */
export function patternsIn(schema: unknown, pointer = ""): { pointer: string; pattern: string }[] {
  if (schema === null || typeof schema !== "object") return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    const at = pointer + pointerOf([key]);
    const patterns =
      key === "patternProperties" && value !== null && typeof value === "object"
        ? Object.keys(value)
        : key === "pattern" && typeof value === "string"
          ? [value]
          : [];
    return [...patterns.map((pattern) => ({ pointer: at, pattern })), ...patternsIn(value, at)];
  });
}

/** The patterns of a schema that may not be used. */
export function patternFaults(schema: unknown, pointer: string): Fault[] {
  return patternsIn(schema, pointer)
    .filter(({ pattern }) => !isUsablePattern(pattern))
    .map((found) => ({
      pointer: found.pointer,
      code: "unsafe_pattern",
      detail: `must be ${PATTERN_RULE}`,
    }));
}
