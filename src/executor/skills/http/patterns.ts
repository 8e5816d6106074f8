import safeRegex from "safe-regex2";

/** The bounds of acceptance checks (task/machine/patterns.ts), for the same reason: no pattern may stall us. */
const LONGEST_PATTERN = 200;
const MOST_REPETITIONS = 3;
const LONGEST_TEXT = 10_000;
const LONGEST_TEXT_OF_MANY = 1_000;

function repetitionsOf(pattern: string): number {
  const bare = pattern.replaceAll(/\\./g, "").replaceAll(/\[[^\]]*\]/g, "x");
  return [...bare.matchAll(/[*+]|\{\d+,\}/g)].length;
}

/** What a pattern must be, in words. */
export const PATTERN_RULE = `a regular expression of at most ${LONGEST_PATTERN} characters with at most ${MOST_REPETITIONS} unbounded repetitions, none inside another`;

/** Whether a pattern may be used. */
export function isUsablePattern(pattern: string): boolean {
  if (pattern.length > LONGEST_PATTERN) return false;
  try {
    new RegExp(pattern, "u");
  } catch {
    return false;
  }
  return safeRegex(pattern) && repetitionsOf(pattern) <= MOST_REPETITIONS;
}

/** The longest text that a pattern is tried on; only its beginning is looked at when there is more. */
export function longestTextFor(pattern: string): number {
  return repetitionsOf(pattern) > 1 ? LONGEST_TEXT_OF_MANY : LONGEST_TEXT;
}

/** Whether a usable pattern is found in the part of a text that may be searched. */
export function isFound(pattern: string, text: string): boolean {
  return new RegExp(pattern, "u").test(text.slice(0, longestTextFor(pattern)));
}

/** Every pattern in a JSON Schema. */
export function patternsIn(schema: unknown): string[] {
  if (schema === null || typeof schema !== "object") return [];
  return Object.entries(schema).flatMap(([key, value]): string[] => {
    const isNamed = key === "patternProperties" && value !== null && typeof value === "object";
    const own = isNamed
      ? Object.keys(value)
      : key === "pattern" && typeof value === "string"
        ? [value]
        : [];
    return [...own, ...patternsIn(value)];
  });
}
