/* What regular expressions of callers may be, so that none stalls us. Whether one is safe by its form is safe-regex2's to say. */

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

/** Whether a pattern may be used. @param isSafe whether it has no repetition inside another */
export function isUsablePattern(pattern: string, isSafe: (pattern: string) => boolean): boolean {
  if (pattern.length > LONGEST_PATTERN) return false;
  try {
    new RegExp(pattern, "u");
  } catch {
    return false;
  }
  return isSafe(pattern) && repetitionsOf(pattern) <= MOST_REPETITIONS;
}

/** Longest text that these patterns are tried on. */
export function longestTextFor(patterns: readonly string[]): number {
  return patterns.some((pattern) => repetitionsOf(pattern) > 1)
    ? LONGEST_TEXT_OF_MANY
    : LONGEST_TEXT;
}

/** Patterns that a member of a JSON Schema holds itself: its own, or the names of patternProperties. */
export function ownPatterns(key: string, value: unknown): string[] {
  if (key === "pattern") return typeof value === "string" ? [value] : [];
  const isNamed = key === "patternProperties" && value !== null && typeof value === "object";
  return isNamed ? Object.keys(value) : [];
}

/** Every pattern in a JSON Schema. */
export function patternsIn(schema: unknown): string[] {
  if (schema === null || typeof schema !== "object") return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) => [
    ...ownPatterns(key, value),
    ...patternsIn(value),
  ]);
}
