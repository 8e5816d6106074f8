import { searchSteps } from "./pattern-steps.ts";

/* What regular expressions of callers may be, so that none stalls us. */

const LONGEST_PATTERN = 200;

/** Steps that one search may take: about 10 ns each before V8 compiles a pattern, so about a tenth of a second. */
export const MOST_SEARCH_STEPS = 10_000_000;

/** Longest text that a pattern is tried on; less where it would take more steps. */
const LONGEST_TEXT = 10_000;

/** A pattern that takes too many steps on a text of this length is of no use. */
const SHORTEST_TEXT = 100;

/** Different patterns of one schema: the hardest to weigh take some milliseconds each. */
const MOST_PATTERNS = 200;

/** What a pattern must be, in words. */
export const PATTERN_RULE = `a regular expression of at most ${LONGEST_PATTERN} characters that finds its way in ${SHORTEST_TEXT} characters within ${MOST_SEARCH_STEPS} steps: not (a+)+, (a|a)* or a*a*a*a*b, where each character has several ways to match; ${MOST_PATTERNS} different ones in a schema at most`;

/** Kept of patterns that were weighed: a judgement asks for the same few again and again. */
const KEPT = 500;
const weights = new Map<string, (length: number) => number>();

function weightOf(pattern: string): (length: number) => number {
  const known = weights.get(pattern);
  if (known !== undefined) return known;
  const steps = searchSteps(pattern);
  if (weights.size >= KEPT) weights.clear();
  weights.set(pattern, steps);
  return steps;
}

/** Steps that usable patterns take at most, each tried once on a text of `length` characters. */
export function stepsOf(patterns: readonly string[], length: number): number {
  return patterns.reduce((sum, pattern) => sum + weightOf(pattern)(length), 0);
}

/** Whether a pattern may be used. */
export function isUsablePattern(pattern: string): boolean {
  if (pattern.length > LONGEST_PATTERN) return false;
  try {
    new RegExp(pattern, "u");
  } catch {
    return false;
  }
  return stepsOf([pattern], SHORTEST_TEXT) <= MOST_SEARCH_STEPS;
}

/** Those patterns of a schema that may not be used: each that is not usable, and all beyond the first 200 different ones. */
export function unusableAmong(patterns: readonly string[]): ReadonlySet<string> {
  const different = [...new Set(patterns)];
  return new Set([
    ...different.slice(0, MOST_PATTERNS).filter((pattern) => !isUsablePattern(pattern)),
    ...different.slice(MOST_PATTERNS),
  ]);
}

/** Longest text that each of these usable patterns may be tried on once. Characters. */
export function longestTextFor(patterns: readonly string[]): number {
  let fits = 0;
  let breaks = LONGEST_TEXT + 1;
  while (breaks - fits > 1) {
    const middle = Math.floor((fits + breaks) / 2);
    if (stepsOf(patterns, middle) <= MOST_SEARCH_STEPS) fits = middle;
    else breaks = middle;
  }
  return fits;
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
