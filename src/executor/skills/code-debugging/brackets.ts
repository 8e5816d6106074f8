import { RegexLiterals } from "../formats/regex-literal.ts";
import { placeOf } from "../formats/text-fault.ts";
import { brokenAt, type Diagnosis } from "./diagnosis.ts";

export type CodeLanguage = "c_like" | "javascript" | "python";

const PAIRS: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };
const OPENERS = new Set("([{");
const ENDINGS: readonly (readonly [RegExp, CodeLanguage])[] = [
  [/\.(?:[cm]?[jt]sx?|vue|svelte)$/i, "javascript"],
  [/\.pyi?$/i, "python"],
  [/\.(?:java|kts?|c|h|cc|cpp|hpp|cs|go|rs|swift|scala|php|dart)$/i, "c_like"],
];

/** The kind of code that a name or the text itself speaks for, or null when it looks like no code. */
export function codeLanguageOf(name: string, text: string): CodeLanguage | null {
  const named = ENDINGS.find(([ending]) => ending.test(name));
  if (named !== undefined) return named[1];
  const head = text.slice(0, 20_000);
  if (/^(?:def \w+\(|class \w+.*:$|from [\w.]+ import |import \w+$)/m.test(head)) return "python";
  if (/^(?:import .+ from |export |(?:async )?function \w+|const \w+ ?= |let \w+ ?= )/m.test(head))
    return "javascript";
  return /^(?:#include |package [\w.]+;?$|using [\w.]+;|fn \w+|func \w+|public |private |int main)/m.test(
    head,
  )
    ? "c_like"
    : null;
}

/** Code that has markup with text in it, where quotes and brackets are marks of the prose. */
const MARKUP_ENDING = /\.(?:[jt]sx|vue|svelte)$/i;
const MARKUP = /(?:\breturn|=>|[=(?:&])\s*(?:\(\s*)?<(?:[A-Za-z][\w.]*(?:\s[^<>=]*=|\s*\/?>)|>)/;

function hasMarkup(name: string | null, text: string): boolean {
  if (MARKUP_ENDING.test(name ?? "")) return true;
  // In TypeScript the same marks are arguments of a type: "= <T>(a: T) => a".
  return !/\.[cm]?ts$/i.test(name ?? "") && MARKUP.test(text.slice(0, MARKUP_SOUGHT));
}

interface Fault {
  offset: number;
  class: string;
  detail: string;
  suggestions: string[];
}

/**
 * The first bracket, quote or (in Python) indentation of a program that does not fit, or null when all do.
 *
 * Strings, comments, template literals and most regular expressions are skipped; it is no parser of the language. Where
 * there is markup (JSX, Vue, Svelte) no quote is judged: an apostrophe of its text opens no string.
 */
export function unbalancedCode(
  text: string,
  name: string | null,
  language: CodeLanguage,
): Diagnosis | null {
  const isMarkup = language === "javascript" && hasMarkup(name, text);
  const balance = new Balance(text, language, isMarkup);
  const unbalanced = balance.fault();
  const fault = unbalanced ?? (language === "python" ? indentationFault(balance.bare()) : null);
  if (fault === null) return null;
  const { excerpt, ...told } = brokenAt(text, name, fault);
  const more = { language, excerpt, repaired: null, repairs: [] };
  return {
    ...told,
    kind: "code",
    certainty: isMarkup ? CERTAINTY_IN_MARKUP : CERTAINTY,
    coverage: 0.8,
    more,
  };
}

/** Characters that are looked at for markup. */
const MARKUP_SOUGHT = 100_000;
/** How far a fault is one: it is no parser; and where there is markup, its text may hold the mark. */
const CERTAINTY = 0.8;
const CERTAINTY_IN_MARKUP = 0.5;

/** Stands for a character of a string or a line break inside brackets: no program holds it. */
const FILL = "\u0001";

class Balance {
  private readonly text: string;
  private readonly language: CodeLanguage;
  private readonly isMarkup: boolean;
  private readonly regexes: RegexLiterals;
  /** Openers and their offsets; "`" stands for a template literal around a "${". */
  private readonly open: { bracket: string; at: number }[] = [];
  private readonly kept: string[] = [];
  private at = 0;

  constructor(text: string, language: CodeLanguage, isMarkup: boolean) {
    this.isMarkup = isMarkup;
    this.text = text;
    this.language = language;
    this.regexes = new RegexLiterals(text);
  }

  fault(): Fault | null {
    while (this.at < this.text.length) {
      const start = this.at;
      const here = this.text[start] ?? "";
      const isComment = this.comment(here);
      const isInside = here === "\n" && this.open.length > 0;
      const found = this.at > start ? null : this.step(here);
      if (found !== null) return found;
      const isString = /["'`]/.test(here) && this.at - start > 1;
      const fill = isComment ? " " : FILL;
      const isHidden = isComment || isInside || isString;
      this.kept.push(isHidden ? fill.repeat(this.at - start) : here);
    }
    const left = this.open.at(-1);
    if (left === undefined) return null;
    const advice = "Close it; compare the indentation below to see where it should end.";
    return broken(left.at, "unclosed_bracket", `"${left.bracket}" is never closed.`, advice);
  }

  /** The text with strings, comments and line breaks inside brackets filled; every offset stays. */
  bare(): string {
    return this.kept.join("");
  }

  private step(here: string): Fault | null {
    if (here === '"' || here === "'" || here === "`") return this.string(here);
    if (OPENERS.has(here)) this.open.push({ bracket: here, at: this.at });
    this.at += 1;
    const wanted = PAIRS[here];
    return wanted === undefined ? null : this.close(here, wanted);
  }

  private close(here: string, wanted: string): Fault | null {
    const last = this.open.pop();
    if (last?.bracket === wanted) return null;
    if (last?.bracket === "`" && here === "}") return this.template(last.at);
    const at = this.at - 1;
    if (last === undefined) {
      const detail = `"${here}" closes nothing that is open.`;
      return broken(at, "stray_bracket", detail, "Remove it, or add its opening bracket before.");
    }
    const { line, column } = placeOf(this.text, last.at);
    return broken(
      at,
      "mismatched_bracket",
      `"${here}" meets "${last.bracket}", open since line ${line}, column ${column}.`,
      `Close "${last.bracket}" of line ${line} before, or remove this bracket.`,
    );
  }

  /** Skips the comment or regular expression that begins here; true when there is one. */
  private comment(here: string): boolean {
    const isPython = this.language === "python";
    if (here !== (isPython ? "#" : "/")) return false;
    const next = this.text[this.at + 1];
    if (isPython || next === "/") this.at = this.endOf("\n", 0);
    else if (next === "*") this.at = this.endOf("*/", 2);
    else if (this.language === "javascript") return this.regex();
    else return false;
    return true;
  }

  private endOf(mark: string, length: number): number {
    const end = this.text.indexOf(mark, this.at + length);
    return end === -1 ? this.text.length : end + length;
  }

  /** A slash where a value may begin opens a regular expression, which ends on its line. */
  private regex(): boolean {
    const before = this.text.slice(Math.max(0, this.at - 20), this.at).trimEnd();
    if (!/(?:[(=,:[!&|?{};+]|^|=>|\breturn)$/.test(before)) return false;
    const found = this.regexes.at(this.at);
    this.at += found?.length ?? 0;
    return found !== null;
  }

  private string(quote: string): Fault | null {
    const start = this.at;
    const isScript = this.language === "javascript";
    if (quote === "`" && isScript) return this.template(start);
    const triple = quote.repeat(3);
    if (!isScript && this.text.startsWith(triple, start)) {
      const end = this.text.indexOf(triple, start + 3);
      this.at = end + 3;
      return end === -1 ? this.unclosed(start, triple) : null;
    }
    const isChar = quote === "'" && this.language === "c_like";
    // Rust's lifetimes ('a) and C++'s digit separators are no characters.
    if (isChar && !/^'(?:\\[^\n]{1,10}?|[^\\'\n]{1,2})'/.test(this.text.slice(start, start + 14))) {
      this.at += 1;
      return null;
    }
    return this.plainString(quote);
  }

  private plainString(quote: string): Fault | null {
    const start = this.at;
    const isApostrophe =
      this.isMarkup && /\p{L}$/u.test(this.text.slice(Math.max(0, start - 2), start));
    const form = quote === '"' ? DOUBLE : quote === "'" ? SINGLE : RAW;
    form.lastIndex = start;
    const found = isApostrophe ? undefined : form.exec(this.text)?.[0];
    if (found === undefined && this.isMarkup) {
      this.at += 1;
      return null;
    }
    this.at += found?.length ?? 0;
    return found === undefined ? this.unclosed(start, quote) : null;
  }

  /** Goes on in a template literal until its end or the next "${". */
  private template(start: number): Fault | null {
    let end = this.at === start ? start + 1 : this.at;
    for (; end < this.text.length && this.text[end] !== "`"; end += 1) {
      if (this.text[end] === "\\") end += 1;
      else if (this.text.startsWith("${", end)) {
        this.open.push({ bracket: "`", at: start });
        this.at = end + 2;
        return null;
      }
    }
    this.at = end + 1;
    return end < this.text.length ? null : this.unclosed(start, "`");
  }

  private unclosed(at: number, quote: string): Fault {
    const detail = `The text that ${quote} opens is not closed.`;
    return broken(at, "unclosed_string", detail, "Close the quote, or escape the quote inside.");
  }
}

/** Each ends on its line, so none scans far. */
const DOUBLE = /"(?:[^"\\\n]|\\[\s\S]){0,100000}"/y;
const SINGLE = /'(?:[^'\\\n]|\\[\s\S]){0,100000}'/y;
const RAW = /`[^`]*`/y;

function broken(offset: number, kind: string, detail: string, suggestion: string): Fault {
  return { offset, class: kind, detail, suggestions: [suggestion] };
}

const BLOCK = /^\s*(?:def|class|if|elif|else|for|while|try|except|finally|with)\b/;

const INDENTATION: Readonly<Record<string, readonly [detail: string, advice: string]>> = {
  mixed_indentation: [
    "The indentation mixes tabs and spaces.",
    "Indent with four spaces everywhere.",
  ],
  missing_block: [
    "A block must follow the line before, indented.",
    "Indent this line, or write pass.",
  ],
  unexpected_indentation: [
    "The line is indented more than the one before.",
    "Align it with the line before.",
  ],
  unindent_mismatch: [
    "The line is indented as no block above it.",
    "Align it with one of the blocks above.",
  ],
  missing_colon: ["The line opens a block and has no colon.", 'Put ":" at its end.'],
};

/** The first line of a Python program that is indented wrongly, or opens a block without a colon. */
function indentationFault(bare: string): Fault | null {
  const levels = [0];
  let offset = 0;
  let isOpened = false;
  for (const line of bare.replaceAll("\\\n", FILL + FILL).split("\n")) {
    const start = offset;
    offset += line.length + 1;
    const code = line.replaceAll(FILL, " ").trimEnd();
    // What is filled is a string, which is a statement; a comment is none.
    if (line.trim() === "") continue;
    const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
    const kind = levelFault(indent, levels, isOpened);
    if (kind !== null) return indentation(start + indent.length, kind);
    if (BLOCK.test(code) && !code.includes(":"))
      return indentation(start + code.length, "missing_colon");
    isOpened = code.endsWith(":");
  }
  return null;
}

function indentation(at: number, kind: string): Fault {
  const [detail = "", advice = ""] = INDENTATION[kind] ?? [];
  return broken(at, kind, detail, advice);
}

/** What is wrong with an indentation after these levels, which it changes. */
function levelFault(indent: string, levels: number[], isOpened: boolean): string | null {
  if (/ \t|\t /.test(indent)) return "mixed_indentation";
  const width = indent.replaceAll("\t", "        ").length;
  const current = levels.at(-1) ?? 0;
  if (isOpened) {
    levels.push(width);
    return width > current ? null : "missing_block";
  }
  if (width > current) return "unexpected_indentation";
  while (width < (levels.at(-1) ?? 0)) levels.pop();
  return width === levels.at(-1) ? null : "unindent_mismatch";
}
