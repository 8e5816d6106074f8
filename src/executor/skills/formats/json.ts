import { ok, refuse, type Result } from "../../../lib/result.ts";
import type { JsonValue } from "../skill.ts";
import { escapePointer } from "./json-value.ts";
import { placeOf, withoutMark, type TextFault } from "./text-fault.ts";

/** What stops a strict reader, with the offset where it stops; the repair of code_debugging starts from the class. */
export interface JsonFault {
  class:
    | "trailing_comma"
    | "missing_comma"
    | "single_quotes"
    | "unquoted_key"
    | "smart_quotes"
    | "comment"
    | "foreign_literal"
    | "bad_escape"
    | "control_character"
    | "unclosed"
    | "mismatched_bracket"
    | "unclosed_string"
    | "bad_number"
    | "duplicate_key"
    | "too_deep"
    | "trailing_text"
    | "empty"
    | "unexpected";
  offset: number;
  /** Offset of the bracket or quote that is open there, when one is. */
  opened_at: number | null;
  detail: string;
}

/** Deeper nesting is refused, so that no later walk runs out of stack. */
const MAX_DEPTH = 100;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[\p{L}\p{N}_$.+-]+/uy;
/** Also stops at C1 controls, which JSON takes as they are. */
const PLAIN = /[^"\\\p{Cc}]+/uy;
const BLANK = /[ \t\r\n]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class Stop extends Error {
  readonly fault: JsonFault;
  constructor(fault: JsonFault) {
    super(fault.detail);
    this.fault = fault;
  }
}

/**
 * Reads JSON strictly (RFC 8259), with the offset of every value by its JSON pointer, and of every name by "#" and the pointer.
 *
 * Names such as `__proto__` are data. Duplicate names, which RFC 8259 leaves open, are refused: readers differ on them.
 */
export function scanJson(
  text: string,
): Result<{ value: JsonValue; places: Map<string, number> }, JsonFault> {
  const reader = new Reader(text);
  try {
    return ok({ value: reader.whole(), places: reader.places });
  } catch (cause) {
    if (cause instanceof Stop) return refuse(cause.fault);
    throw cause;
  }
}

/** Reads JSON text; the fault says line and column. */
export function readJson(text: string): Result<JsonValue, TextFault> {
  const bare = withoutMark(text);
  const read = scanJson(bare);
  if (read.ok) return ok(read.value.value);
  return refuse({ ...placeOf(bare, read.refusal.offset), detail: read.refusal.detail });
}

class Reader {
  readonly places = new Map<string, number>();
  private at = 0;
  private readonly open: number[] = [];
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  whole(): JsonValue {
    this.blank();
    if (this.at === this.text.length) this.stop("empty", "The text is empty");
    const value = this.value("");
    this.blank();
    const next = this.text[this.at];
    if (next === "}" || next === "]") {
      this.stop("mismatched_bracket", `"${next}" closes nothing that is open`);
    }
    if (next !== undefined) this.stop("trailing_text", "Text follows after the end of the value");
    return value;
  }

  private value(pointer: string): JsonValue {
    this.blank();
    this.places.set(pointer, this.at);
    const first = this.text[this.at];
    if (first === "{") return this.object(pointer);
    if (first === "[") return this.array(pointer);
    if (first === '"') return this.string();
    NUMBER.lastIndex = this.at;
    const number = NUMBER.exec(this.text)?.[0];
    WORD.lastIndex = this.at;
    const word = WORD.exec(this.text)?.[0];
    if (word !== undefined) {
      const value = word === number ? finiteNumber(number) : KNOWN.get(word);
      if (value === undefined) this.refuseWord(word);
      this.at += word.length;
      return value;
    }
    return this.surprise("a value");
  }

  private object(pointer: string): JsonValue {
    const entries = new Map<string, JsonValue>();
    this.enter();
    for (let isFirst = true; ; isFirst = false) {
      if (this.closes("}", isFirst)) return Object.fromEntries(entries);
      if (this.text[this.at] !== '"') this.surprise("a name in double quotes");
      const start = this.at;
      const name = this.string();
      if (entries.has(name)) {
        this.at = start;
        this.stop("duplicate_key", `The name ${JSON.stringify(name.slice(0, 80))} occurs twice`);
      }
      this.blank();
      if (this.text[this.at] !== ":") this.surprise('":" after a name');
      this.at += 1;
      const inner = `${pointer}/${escapePointer(name)}`;
      entries.set(name, this.value(inner));
      this.places.set(`#${inner}`, start);
    }
  }

  private array(pointer: string): JsonValue {
    const items: JsonValue[] = [];
    this.enter();
    for (let isFirst = true; ; isFirst = false) {
      if (this.closes("]", isFirst)) return items;
      items.push(this.value(`${pointer}/${items.length}`));
    }
  }

  private enter(): void {
    if (this.open.length === MAX_DEPTH) {
      this.stop("too_deep", `Values are nested more than ${MAX_DEPTH} deep`);
    }
    this.open.push(this.at);
    this.at += 1;
  }

  /** Consumes what stands between two members; true when the closing bracket was there. */
  private closes(bracket: string, isFirst: boolean): boolean {
    this.blank();
    if (!isFirst && this.text[this.at] === ",") {
      const comma = this.at;
      this.at += 1;
      this.blank();
      if (this.text[this.at] !== bracket) return false;
      this.at = comma;
      this.stop("trailing_comma", `A comma before "${bracket}" is not allowed`);
    }
    if (this.text[this.at] === bracket) {
      this.at += 1;
      this.open.pop();
      return true;
    }
    if (isFirst && this.at < this.text.length && !/[}\],]/.test(this.text[this.at] ?? "")) {
      return false;
    }
    return this.surprise(isFirst ? "a member" : `"," or "${bracket}"`);
  }

  private string(): string {
    const start = this.at;
    let value = "";
    this.at += 1;
    for (;;) {
      PLAIN.lastIndex = this.at;
      const plain = PLAIN.exec(this.text)?.[0] ?? "";
      value += plain;
      this.at += plain.length;
      const next = this.text[this.at];
      if (next === '"') {
        this.at += 1;
        return value;
      }
      if (next === "\\") {
        value += this.escape();
      } else if (next !== undefined && next >= "\u007f") {
        value += next;
        this.at += 1;
      } else if (next === undefined || next === "\n" || next === "\r") {
        this.at = start;
        this.open.push(start);
        this.stop("unclosed_string", "This string is not closed on its line");
      } else {
        this.stop("control_character", "A control character in a string must be escaped");
      }
    }
  }

  private escape(): string {
    const letter = this.text[this.at + 1] ?? "";
    const hex = this.text.slice(this.at + 2, this.at + 6);
    if (letter === "u" && /^[\da-fA-F]{4}$/.test(hex)) {
      this.at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const value = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (value === undefined) this.stop("bad_escape", `"\\${letter}" is no escape of JSON`);
    this.at += 2;
    return value;
  }

  private blank(): void {
    BLANK.lastIndex = this.at;
    this.at += BLANK.exec(this.text)?.[0].length ?? 0;
  }

  private refuseWord(word: string): never {
    const isNumeric = /^[-+.\d]/.test(word);
    if (isNumeric)
      this.stop("bad_number", `${JSON.stringify(word.slice(0, 40))} is no JSON number`);
    this.stop("foreign_literal", `${JSON.stringify(word.slice(0, 40))} is no JSON value`);
  }

  private surprise(wanted: string): never {
    const next = this.text[this.at];
    const rest = this.text.slice(this.at, this.at + 2);
    const unexpected = `Expected ${wanted}, found ${next === undefined ? "the end of the text" : JSON.stringify(next)}`;
    if (next === undefined) this.stop("unclosed", unexpected);
    if (next === "'") this.stop("single_quotes", `${unexpected}: JSON quotes with " only`);
    if (/[“”„‟‘’‚]/.test(next)) this.stop("smart_quotes", `${unexpected}: a typographic quote`);
    if (rest === "//" || rest === "/*" || next === "#") {
      this.stop("comment", `${unexpected}: JSON has no comments`);
    }
    if (/[}\]]/.test(next)) this.stop("mismatched_bracket", unexpected);
    if (wanted.startsWith("a name") && /[\p{L}_$]/u.test(next)) {
      this.stop("unquoted_key", `${unexpected}: a name must be in double quotes`);
    }
    if (wanted.startsWith('","')) this.stop("missing_comma", unexpected);
    this.stop("unexpected", unexpected);
  }

  private stop(kind: JsonFault["class"], detail: string): never {
    const fault = { class: kind, offset: this.at, opened_at: this.open.at(-1) ?? null, detail };
    throw new Stop({ ...fault, detail: `${detail}.` });
  }
}

const KNOWN: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** A number too large for a double would silently become something else. */
function finiteNumber(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
