import { scanJson } from "../formats/json.ts";
import { placeOf } from "../formats/text-fault.ts";

/** One mechanical change, with its place in the given text. */
export type Repair = { line: number; column: number; change: string };

const BLANK = /(?:\s|\uFEFF)*/y;
const COMMENT = /\/\/[^\n]*|#[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\//y;
const WORD = /[\p{L}\p{N}_$.+-]+/uy;
const QUOTES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "`": "`",
  "“": "”",
  "„": "“",
  "‘": "’",
  "”": "”",
};
const LITERALS: Readonly<Record<string, string>> = {
  True: "true",
  False: "false",
  None: "null",
  undefined: "null",
  NaN: "null",
  Infinity: "null",
};
const MAX_DEPTH = 100;
const MAX_CHANGES = 500;

class GivenUp extends Error {}

/**
 * A JSON text made valid by mechanical changes alone, each of them told; null when that is not enough.
 *
 * Known: commas too many or missing, comments, quotes of other kinds, names without quotes, words of Python and
 * JavaScript, numbers such as +1 or .5, brackets left open at the end, a byte order mark. Nothing is guessed: a string
 * without its end is left to a person.
 */
export function repairJson(text: string): { text: string; changes: Repair[] } | null {
  const repairer = new Repairer(text);
  try {
    const repaired = repairer.whole();
    const { changes } = repairer;
    return changes.length > 0 && scanJson(repaired).ok ? { text: repaired, changes } : null;
  } catch (cause) {
    if (cause instanceof GivenUp) return null;
    throw cause;
  }
}

class Repairer {
  readonly changes: Repair[] = [];
  private readonly text: string;
  private readonly out: string[] = [];
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  whole(): string {
    this.blank();
    this.value();
    this.blank();
    while (/[}\],;]/.test(this.text[this.at] ?? "")) {
      this.changed(`"${this.text[this.at]}" at the end removed`);
      this.at += 1;
      this.blank();
    }
    if (this.at < this.text.length) throw new GivenUp();
    return this.out.join("");
  }

  private value(): void {
    const first = this.text[this.at] ?? "";
    if (first === "{" || first === "[") this.members(first, first === "{" ? "}" : "]");
    else if (Object.hasOwn(QUOTES, first)) this.string();
    else this.word();
  }

  private members(open: string, close: string): void {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw new GivenUp();
    this.out.push(open);
    this.at += 1;
    for (let isFirst = true; !this.ends(close, isFirst); isFirst = false) {
      if (close === "}") this.name();
      this.value();
    }
    this.depth -= 1;
    this.out.push(close);
  }

  /** Consumes what stands between members; true at the closing bracket, also at one that is only missing. */
  private ends(close: string, isFirst: boolean): boolean {
    const end = this.out.length;
    this.blank();
    const comma = this.at;
    let commas = 0;
    while (this.text[this.at] === ",") {
      commas += 1;
      this.at += 1;
      this.blank();
    }
    const next = this.text[this.at];
    const isEnd = next === undefined || next === "}" || next === "]";
    if (commas > (isEnd || isFirst ? 0 : 1)) this.changed("comma removed", comma);
    if (!isEnd) {
      if (!isFirst && commas === 0) this.changed("comma added");
      // Where the member before ends, so that white space stays where it was.
      if (!isFirst) this.out.splice(end, 0, ",");
      return false;
    }
    this.close(close, next);
    return true;
  }

  private close(bracket: string, next: string | undefined): void {
    if (next === bracket) this.at += 1;
    else if (next === undefined || this.depth > 1) this.changed(`"${bracket}" added`);
    else throw new GivenUp();
  }

  private name(): void {
    const first = this.text[this.at] ?? "";
    if (Object.hasOwn(QUOTES, first)) this.string();
    else this.quoted("name");
    this.blank();
    const sign = this.text[this.at];
    if (sign !== ":" && sign !== "=") throw new GivenUp();
    if (sign === "=") this.changed('"=" made ":"');
    this.out.push(":");
    this.at += 1;
    this.blank();
  }

  private string(): void {
    const open = this.text[this.at] ?? "";
    const close = QUOTES[open] ?? open;
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== close && this.text[end] !== "\n") {
      end += this.text[end] === "\\" ? 2 : 1;
    }
    if (this.text[end] !== close) throw new GivenUp();
    const raw = this.text.slice(this.at + 1, end);
    if (open === '"') this.out.push(`"${raw}"`);
    else {
      this.changed(`quotes ${open}${close} made "`);
      this.out.push(`"${raw.replaceAll(/\\'/g, "'").replaceAll(/(?<!\\)"/g, '\\"')}"`);
    }
    this.at = end + 1;
  }

  private word(): void {
    WORD.lastIndex = this.at;
    const word = WORD.exec(this.text)?.[0];
    if (word === undefined) throw new GivenUp();
    const number = word
      .replace(/^\+/, "")
      .replace(/^(-?)\./, "$10.")
      .replace(/\.$/, "")
      .replace(/^(-?)0+(?=\d)/, "$1");
    const literal = Object.hasOwn(LITERALS, word) ? LITERALS[word] : undefined;
    if (/^(?:true|false|null)$/.test(word) || scanJson(word).ok) this.out.push(word);
    else if (literal !== undefined) {
      this.changed(`${word} made ${literal}`);
      this.out.push(literal);
    } else if (scanJson(number).ok) {
      this.changed(`${word} made ${number}`);
      this.out.push(number);
    } else {
      this.quoted("value");
      return;
    }
    this.at += word.length;
  }

  private quoted(what: string): void {
    WORD.lastIndex = this.at;
    const word = WORD.exec(this.text)?.[0];
    if (word === undefined) throw new GivenUp();
    this.changed(`quotes around the ${what} ${word.slice(0, 40)} added`);
    this.out.push(JSON.stringify(word));
    this.at += word.length;
  }

  /** Copies white space; drops comments. */
  private blank(): void {
    for (;;) {
      BLANK.lastIndex = this.at;
      const space = BLANK.exec(this.text)?.[0] ?? "";
      if (space.includes("\uFEFF")) this.changed("byte order mark removed");
      this.out.push(space.replaceAll(/[^ \t\r\n]/g, ""));
      this.at += space.length;
      COMMENT.lastIndex = this.at;
      const comment = COMMENT.exec(this.text)?.[0];
      if (comment === undefined) return;
      this.changed("comment removed");
      this.at += comment.length;
    }
  }

  private changed(change: string, at = this.at): void {
    if (this.changes.length === MAX_CHANGES) throw new GivenUp();
    this.changes.push({ ...placeOf(this.text, at), change });
  }
}
