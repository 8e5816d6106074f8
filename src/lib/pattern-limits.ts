import { searchSteps } from "./pattern-steps.ts";

/* What regular expressions of callers may be, so that none stalls us. */

const LONGEST_PATTERN = 200;

/**
 * Steps that one search may take. Measured in the worst texts, a step of a compiled pattern is 2 ns at most, so these
 * are about half a second. In 10,000 characters an address of mail takes 100 million, `# .*Reference` 280 million.
 */
const MOST_SEARCH_STEPS = 300_000_000;

/** Longest text that a pattern is tried on; less where it would take more steps. */
const LONGEST_TEXT = 10_000;

/** A pattern that takes more steps than these on a text of this length is of no use. */
const SHORTEST_TEXT = 100;
const MOST_SHORT_STEPS = 10_000_000;

/** Different patterns of one schema: the hardest to weigh take some milliseconds each. */
const MOST_PATTERNS = 200;

/** What a pattern must be, in words. */
export const PATTERN_RULE = `a regular expression of at most ${LONGEST_PATTERN} characters that finds its way in ${SHORTEST_TEXT} characters within ${MOST_SHORT_STEPS} steps: not (a+)+, (a|a)* or a*a*a*a*b, where each character has several ways to match; ${MOST_PATTERNS} different ones in a schema at most`;

/** What of a pattern was weighed: a judgement asks for the same few again and again. */
interface Weight {
  steps(length: number): number;
  longest: number;
}

const KEPT = 500;
const weights = new Map<string, Weight>();

function weightOf(pattern: string): Weight {
  const known = weights.get(pattern);
  if (known !== undefined) return known;
  const steps = searchSteps(pattern);
  const weight = { steps, longest: longestWithin(steps) };
  if (weights.size >= KEPT) weights.clear();
  weights.set(pattern, weight);
  return weight;
}

function longestWithin(steps: Weight["steps"]): number {
  let fits = 0;
  let breaks = LONGEST_TEXT + 1;
  while (breaks - fits > 1) {
    const middle = Math.floor((fits + breaks) / 2);
    if (steps(middle) <= MOST_SEARCH_STEPS) fits = middle;
    else breaks = middle;
  }
  return fits;
}

/** Steps that a search for a usable pattern takes at most in a text of `length` characters. */
export function stepsOf(pattern: string, length: number): number {
  return weightOf(pattern).steps(length);
}

/**
 * A usable pattern, ready to search. V8 interprets the first search for a pattern in a text below 1,000 characters, 15 ns
 * a step, and compiles it for the second, also of another RegExp that is the same: so the first one is in no text.
 */
export function readyPattern(pattern: string): RegExp {
  const ready = new RegExp(pattern, "u");
  ready.test("");
  return ready;
}

/** Longest text that a usable pattern may be tried on. Characters. */
export function longestTextFor(pattern: string): number {
  return weightOf(pattern).longest;
}

/** Whether a pattern may be used. */
export function isUsablePattern(pattern: string): boolean {
  if (pattern.length > LONGEST_PATTERN) return false;
  try {
    new RegExp(pattern, "u");
  } catch {
    return false;
  }
  return stepsOf(pattern, SHORTEST_TEXT) <= MOST_SHORT_STEPS;
}

/** Those patterns of a schema that may not be used: each that is not usable, and all beyond the first 200 different ones. */
export function unusableAmong(patterns: readonly string[]): ReadonlySet<string> {
  const different = [...new Set(patterns)];
  return new Set([
    ...different.slice(0, MOST_PATTERNS).filter((pattern) => !isUsablePattern(pattern)),
    ...different.slice(MOST_PATTERNS),
  ]);
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
