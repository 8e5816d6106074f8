import safeRegex from "safe-regex2";

import { isUsablePattern as isWithinLimits, longestTextFor } from "../../../lib/pattern-limits.ts";

/** Whether a pattern may be used, by the rule of acceptance checks. */
export function isUsablePattern(pattern: string): boolean {
  return isWithinLimits(pattern, safeRegex);
}

/** Whether a usable pattern is found in the part of a text that may be searched: its beginning, when it is long. */
export function isFound(pattern: string, text: string): boolean {
  return new RegExp(pattern, "u").test(text.slice(0, longestTextFor([pattern])));
}
