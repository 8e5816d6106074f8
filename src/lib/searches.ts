import { longestTextFor, readyPattern, stepsOf } from "./pattern-limits.ts";

/** Steps that all searches of one judgement may take: about two seconds at worst (lib/pattern-limits.ts). */
const MOST_STEPS = 1_000_000_000;

/** What a search came to. Where nothing was found, what of the text it did not search, in words; "" for nothing. */
export type Search = { isFound: true } | { isFound: false; unsearched: string };

/** An escape or a class: one character, whatever signs it is written with. */
const ONE_CHARACTER = /\\[^bB]|\[(?:\\.|[^\]\\])*\]/gu;
/** A look ahead as far as it is long, which is no further than the pattern is. */
const SHORT_LOOK = /\(\?[=!][^()*+{]*\)/g;
const LOOK = /\(\?[=!]/;
const BORDER = /\$|\\[bB]/;
const AGAIN = /\\[1-9k]/;

/** The searches of one judgement, which are bounded together. */
export class Searches {
  #left = MOST_STEPS;

  /**
   * Searches a text for a usable pattern: the beginning, when it is longer than the pattern may be tried on, and nothing
   * when the searches before it took too long. What only the cut text holds, for its end is none, is not found.
   */
  search(pattern: string, text: string): Search {
    const longest = longestTextFor(pattern);
    const length = Math.min(text.length, longest);
    const steps = stepsOf(pattern, length);
    if (steps > this.#left) {
      const unsearched = `not searched: the searches before it took most of ${MOST_STEPS} steps`;
      return { isFound: false, unsearched };
    }
    this.#left -= steps;
    const found = readyPattern(pattern).exec(text.slice(0, length));
    if (length === text.length) {
      return found === null ? { isFound: false, unsearched: "" } : { isFound: true };
    }
    const end = found === null ? length : found.index + found[0].length;
    if (found !== null && end + reachOf(pattern) <= length) return { isFound: true };
    const unsearched = `found in none of the first ${longest} of ${text.length} characters, the most for this pattern`;
    return { isFound: false, unsearched };
  }
}

/** How many characters behind what it has found a pattern may speak of, of two code units each at most. */
function reachOf(pattern: string): number {
  const signs = pattern.replaceAll(ONE_CHARACTER, "_");
  const isShort = !LOOK.test(signs.replaceAll(SHORT_LOOK, "")) && !AGAIN.test(pattern);
  if (LOOK.test(signs)) return isShort ? 2 * pattern.length : Infinity;
  return BORDER.test(signs) ? 1 : 0;
}
