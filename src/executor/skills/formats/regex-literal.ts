const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** Longer ones are not written by hand. Characters. */
const LONGEST = 2_000;
/** Slashes of one line that may turn out to begin nothing: after them the line is no program, and each costs a search. */
const MOST_TRIES = 100;

/** Finds regular expression literals of JavaScript in time that grows with the text, whatever the text is. */
export class RegexLiterals {
  readonly #text: string;
  #lineEnd = -1;
  #failed = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /**
   * The literal that begins at a slash, with its flags, or null where none ends on that line within 2,000 characters.
   * Whether a value may stand there is the caller's to know. Ask from left to right.
   */
  at(start: number): string | null {
    if (start > this.#lineEnd) {
      const end = this.#text.indexOf("\n", start);
      this.#lineEnd = end < 0 ? this.#text.length : end;
      this.#failed = 0;
    }
    if (this.#failed > MOST_TRIES) return null;
    REGEX.lastIndex = 0;
    const found = REGEX.exec(this.#text.slice(start, Math.min(start + LONGEST, this.#lineEnd)));
    if (found === null) this.#failed += 1;
    return found?.[0] ?? null;
  }
}
