/** How a family of languages writes strings and comments, as far as brackets depend on it. */
interface Family {
  line_comments: readonly string[];
  has_block_comments: boolean;
  /** Marks of strings that may run over lines, the longest first. */
  long_strings: readonly string[];
  /** Marks of strings that end with their line. */
  short_strings: readonly string[];
  /** An apostrophe begins a character, or nothing. */
  has_characters: boolean;
  /** A backslash keeps the next character from ending a string. */
  has_escapes: boolean;
  /** Templates with `${…}` and regular expressions between slashes. */
  is_script: boolean;
}

const CURLY: Family = {
  line_comments: ["//"],
  has_block_comments: true,
  long_strings: ['"""'],
  short_strings: ['"'],
  has_characters: true,
  has_escapes: true,
  is_script: false,
};
const SCRIPT: Family = {
  ...CURLY,
  long_strings: [],
  short_strings: ['"', "'"],
  has_characters: false,
  is_script: true,
};
const PYTHON: Family = {
  line_comments: ["#"],
  has_block_comments: false,
  long_strings: ['"""', "'''"],
  short_strings: ['"', "'"],
  has_characters: false,
  has_escapes: true,
  is_script: false,
};
const SQL: Family = {
  ...CURLY,
  line_comments: ["--"],
  long_strings: ["$$", "'", '"'],
  short_strings: [],
  has_characters: false,
  has_escapes: false,
};
const CSS: Family = {
  ...CURLY,
  line_comments: [],
  long_strings: [],
  short_strings: ['"', "'"],
  has_characters: false,
};

const FAMILIES: Readonly<Record<string, Family>> = {
  typescript: SCRIPT,
  tsx: SCRIPT,
  javascript: SCRIPT,
  jsx: SCRIPT,
  go: { ...CURLY, long_strings: ["`"] },
  rust: { ...CURLY, long_strings: ['"'], short_strings: [] },
  java: CURLY,
  kotlin: CURLY,
  scala: CURLY,
  swift: CURLY,
  csharp: CURLY,
  c: { ...CURLY, long_strings: [] },
  cpp: { ...CURLY, long_strings: [] },
  dart: { ...SCRIPT, long_strings: ['"""', "'''"], is_script: false },
  python: PYTHON,
  sql: SQL,
  css: CSS,
};

/** What does not balance. `offset` counts characters from 0. */
export interface BracketFault {
  code: "unbalanced_bracket" | "unterminated_string" | "unterminated_comment";
  offset: number;
  detail: string;
}

const CLOSER: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
const CHARACTER = /'(?:\\[^\n]{1,10}?|[^\\'\n]{1,4})'/y;
/** What may stand before a regular expression; after anything else a slash divides. */
const BEFORE_PATTERN = /(?:^|[(,=:[!&|?{};+\-*%~^<>\n]|\b(?:return|typeof|case|in|of|do|else))$/;

/** Whether brackets of a language can be judged here. Shell, Ruby, PHP and HTML are not: they need a parser. */
export function isJudged(language: string): boolean {
  return Object.hasOwn(FAMILIES, language);
}

/**
 * The first bracket, string or comment of a text that does not end as it should; null when all do.
 *
 * Judges the languages of `isJudged`; knows strings, comments, templates and regular expressions of each family, so
 * that brackets in them don't count. Text of markup within a script (JSX) is read with tolerance for apostrophes.
 * Time grows with the length alone.
 */
export function bracketFault(text: string, language: string): BracketFault | null {
  const family = FAMILIES[language];
  return family === undefined ? null : new Scan(text, family).run();
}

class Scan {
  readonly #text: string;
  readonly #family: Family;
  readonly #open: { mark: string; at: number }[] = [];
  readonly #hasMarkup: boolean;
  #at = 0;

  constructor(text: string, family: Family) {
    this.#text = text;
    this.#family = family;
    this.#hasMarkup = family.is_script && /<\/[A-Za-z>]|\/>/.test(text);
  }

  run(): BracketFault | null {
    while (this.#at < this.#text.length) {
      const fault = this.#step();
      if (fault !== null) return fault;
    }
    const last = this.#open.at(-1);
    if (last === undefined) return null;
    const { mark, at } = last;
    return mark === "`" ? unterminated(at) : unbalanced(at, `"${mark}" is never closed`);
  }

  #step(): BracketFault | null {
    const char = this.#text[this.#at] ?? "";
    if (this.#open.at(-1)?.mark === "`") return this.#inTemplate(char);
    if (this.#skipComment()) return null;
    const comment = this.#openComment();
    if (comment !== null) return comment;
    const string = this.#string(char);
    if (string !== undefined) return string;
    return this.#bracket(char);
  }

  #skipComment(): boolean {
    const isComment = this.#family.line_comments.some((mark) =>
      this.#text.startsWith(mark, this.#at),
    );
    // In the text of markup two slashes are mostly those of a URL.
    if (isComment && !(this.#hasMarkup && this.#text[this.#at - 1] === ":")) {
      this.#goTo(this.#text.indexOf("\n", this.#at));
      return true;
    }
    if (!this.#family.has_block_comments || !this.#text.startsWith("/*", this.#at)) return false;
    const end = this.#text.indexOf("*/", this.#at + 2);
    if (end === -1) return false;
    this.#at = end + 2;
    return true;
  }

  #openComment(): BracketFault | null {
    if (!this.#family.has_block_comments || !this.#text.startsWith("/*", this.#at)) return null;
    return { code: "unterminated_comment", offset: this.#at, detail: '"/*" is never closed' };
  }

  /** Undefined when no string begins here. */
  #string(char: string): BracketFault | null | undefined {
    const { long_strings, short_strings, has_characters, is_script } = this.#family;
    const long = long_strings.find((mark) => this.#text.startsWith(mark, this.#at));
    if (long !== undefined) return this.#stringOf(long, true);
    if (short_strings.includes(char)) return this.#stringOf(char, false);
    if (has_characters && char === "'") return this.#character();
    if (!is_script) return undefined;
    if (char === "`") {
      this.#open.push({ mark: "`", at: this.#at });
      this.#at += 1;
      return null;
    }
    return char === "/" ? this.#pattern() : undefined;
  }

  #stringOf(mark: string, isLong: boolean): BracketFault | null {
    const start = this.#at;
    for (let at = start + mark.length; at < this.#text.length; at += 1) {
      const char = this.#text[at];
      // Backquotes hold raw text wherever they are no templates.
      if (char === "\\" && this.#family.has_escapes && mark !== "`") {
        at += 1;
      } else if (char === "\n" && !isLong) {
        break;
      } else if (this.#text.startsWith(mark, at)) {
        this.#at = at + mark.length;
        return null;
      }
    }
    if (!this.#hasMarkup) return unterminated(start);
    this.#at = start + 1;
    return null;
  }

  /** A character between apostrophes; a lone one is a lifetime, a label or part of a number. */
  #character(): null {
    CHARACTER.lastIndex = this.#at;
    this.#at = CHARACTER.test(this.#text) ? CHARACTER.lastIndex : this.#at + 1;
    return null;
  }

  #pattern(): null | undefined {
    const before = this.#text.slice(Math.max(0, this.#at - 40), this.#at).replace(/[ \t]+$/, "");
    if (!BEFORE_PATTERN.test(before)) return undefined;
    let isClass = false;
    for (let at = this.#at + 1; at < this.#text.length && this.#text[at] !== "\n"; at += 1) {
      const char = this.#text[at];
      if (char === "\\") at += 1;
      else if (char === "[") isClass = true;
      else if (char === "]") isClass = false;
      else if (char === "/" && !isClass) {
        this.#at = at + 1;
        return null;
      }
    }
    return undefined;
  }

  #inTemplate(char: string): null {
    if (char === "\\") this.#at += 1;
    else if (char === "`") this.#open.pop();
    else if (this.#text.startsWith("${", this.#at)) {
      this.#at += 1;
      this.#open.push({ mark: "{", at: this.#at });
    }
    this.#at += 1;
    return null;
  }

  #bracket(char: string): BracketFault | null {
    const at = this.#at;
    this.#at += 1;
    if (Object.hasOwn(CLOSER, char)) {
      this.#open.push({ mark: char, at });
      return null;
    }
    if (char !== ")" && char !== "]" && char !== "}") return null;
    const last = this.#open.pop();
    if (last === undefined) return unbalanced(at, `"${char}" closes nothing`);
    const wanted = CLOSER[last.mark] ?? "";
    return wanted === char
      ? null
      : unbalanced(at, `"${char}" stands where "${wanted}" must close a "${last.mark}"`);
  }

  #goTo(at: number): void {
    this.#at = at === -1 ? this.#text.length : at;
  }
}

function unbalanced(offset: number, detail: string): BracketFault {
  return { code: "unbalanced_bracket", offset, detail };
}

function unterminated(offset: number): BracketFault {
  return { code: "unterminated_string", offset, detail: "the string never ends" };
}
