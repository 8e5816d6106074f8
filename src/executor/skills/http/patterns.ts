import { longestTextFor, stepsOf } from "../../../lib/pattern-limits.ts";
import type { Unmet } from "./assertions.ts";

/** Steps that all searches of one judgement may take: about half a second (lib/pattern-limits.ts). */
const MOST_STEPS = 50_000_000;

/** What of a pattern speaks of the text behind what it has found. */
const ENDS = /\$|\\[bB]|\(\?[=!]/;

/** The searches of one judgement, which are bounded together. */
export class Searches {
  #left = MOST_STEPS;

  /**
   * Whether a usable pattern is found in the part of a text that may be searched: its beginning, when it is long. A
   * pattern that speaks of a text's end is not found in one of which the end is not searched, and none is when the
   * searches before it took too long.
   */
  finds(pattern: string, text: string): boolean {
    const longest = longestTextFor([pattern]);
    if (text.length > longest && ENDS.test(pattern)) return false;
    this.#left -= stepsOf([pattern], Math.min(text.length, longest));
    return this.#left >= 0 && new RegExp(pattern, "u").test(text.slice(0, longest));
  }

  /** What is to be told when not everything was searched. */
  unmet(): Unmet[] {
    const expected = `searches of at most ${MOST_STEPS} steps in all`;
    const received = "more: the last patterns were not tried, shorten the texts or the patterns";
    return this.#left >= 0 ? [] : [{ path: "matches", expected, received }];
  }
}
