import {
  isUsablePattern as isUsable,
  ownPatterns,
  PATTERN_RULE,
  unusableAmong,
} from "../../lib/pattern-limits.ts";
import { pointerOf } from "../../protocol/faults.ts";
import type { Fault } from "../../protocol/refusal.ts";

/** Whether a pattern may be used: one that can take very long would let a task stall its object. */
export function isUsablePattern(pattern: unknown): pattern is string {
  return typeof pattern === "string" && isUsable(pattern);
}

/** Every pattern in a schema, with its place. */
function placedPatterns(schema: unknown, pointer: string): { pointer: string; pattern: string }[] {
  if (schema === null || typeof schema !== "object") return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) => {
    const at = pointer + pointerOf([key]);
    const own = ownPatterns(key, value).map((pattern) => ({ pointer: at, pattern }));
    return [...own, ...placedPatterns(value, at)];
  });
}

/** The patterns of a schema that may not be used. */
export function patternFaults(schema: unknown, pointer: string): Fault[] {
  const placed = placedPatterns(schema, pointer);
  const unusable = unusableAmong(placed.map(({ pattern }) => pattern));
  return placed
    .filter(({ pattern }) => unusable.has(pattern))
    .map((found) => ({
      pointer: found.pointer,
      code: "unsafe_pattern",
      detail: `must be ${PATTERN_RULE}`,
    }));
}
