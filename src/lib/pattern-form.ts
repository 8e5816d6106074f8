/* Regular expressions (ECMAScript, flag u) as trees of what matters for how long they can take. */

/** The characters that may stand at a place, as far as they are among those that a pattern's samples tell apart. */
export interface Characters {
  /** A bit for the end of the text and for each sample. Null: any of them, and any other. */
  members: bigint | null;
  /** Whether it holds characters beyond the samples that these do not stand for, such as \p{L} does. */
  isOpen: boolean;
  /** Whether every character that it holds is a sample. */
  isListed: boolean;
}

export type PatternNode =
  | { kind: "character"; characters: Characters }
  /** The start of the text, or a border of a word. */
  | { kind: "start" | "border" }
  | { kind: "end" }
  /** Something that is looked for ahead or behind. */
  | { kind: "look"; body: PatternNode; isBehind: boolean }
  /** What a group found, once more. */
  | { kind: "again" }
  | { kind: "sequence"; parts: readonly PatternNode[] }
  | { kind: "choice"; options: readonly PatternNode[] }
  | { kind: "loop"; body: PatternNode; min: number; max: number };

/** The end of the text among characters. */
export const END = 1n;

/** Ends of the ranges of \s and `.` beyond ASCII, and \u2000 to \u200A, all of which are blank (ECMA-262 §12.2, §12.3). */
const BLANKS = [
  0xa0,
  0x1680,
  0x2028,
  0x2029,
  0x202f,
  0x205f,
  0x3000,
  0xfeff,
  ...Array.from({ length: 11 }, (_, at) => 0x2000 + at),
];

const ESCAPED =
  /\\u\{([\da-f]+)\}|\\u(d[89ab][\da-f]{2})\\u(d[c-f][\da-f]{2})|\\[ux]([\da-f]{4}|[\da-f]{2})/gi;

/** Characters of which two classes of a pattern have one in common if they have any: ASCII, and each end of a range. */
function samplesOf(pattern: string): Set<number> {
  const ends = [...BLANKS, ...Array.from(pattern, (character) => character.codePointAt(0) ?? 0)];
  for (const [, braced, high, low, plain] of pattern.matchAll(ESCAPED)) {
    const text =
      high === undefined || low === undefined
        ? String.fromCodePoint(Number.parseInt(braced ?? plain ?? "0", 16))
        : String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16));
    ends.push(text.codePointAt(0) ?? 0);
  }
  const ascii = Array.from({ length: 128 }, (_, code) => code);
  const near = ends.flatMap((code) => [code - 1, code, code + 1]);
  // Half of a pair is no character that flag u would find.
  const isWhole = (code: number) =>
    code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
  return new Set([...ascii, ...near].filter(isWhole));
}

/** An atom that stands for one character: a class, an escape, a full stop, a character itself. */
const ATOM =
  /\[(?:\\[\s\S]|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\c[A-Za-z]|\\[\s\S]|[\s\S]/uy;
const GROUP = /\((?:\?(?::|<?[=!]|<[^>=!]*>))?/y;
const TIMES = /([*+?]|\{(\d+)(,(\d*))?\})\??/y;
const AGAIN = /\\(?:k<[^>]*>|[1-9]\d*)/y;

/** A group that changes flags: what its classes hold is not what they would hold elsewhere. */
const MODIFIER = /\(\?[a-z-]/;

/**
 * The tree of a valid pattern, or null for one that changes flags on its way.
 *
 * @param pattern valid with flag u, of bounded length: groups are read by calls within calls
 */
export function patternForm(pattern: string): PatternNode | null {
  if (MODIFIER.test(pattern)) return null;
  const reader = new Reader(pattern);
  const form = reader.choice();
  return reader.isWhole ? form : null;
}

class Reader {
  readonly #pattern: string;
  /** The bit of each sample. */
  readonly #samples: ReadonlyMap<string, bigint>;
  readonly #known = new Map<string, Characters>();
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    const samples = Array.from(samplesOf(pattern), (code, at): [string, bigint] => [
      String.fromCodePoint(code),
      END << BigInt(at + 1),
    ]);
    this.#samples = new Map(samples);
  }

  get isWhole(): boolean {
    return this.#at === this.#pattern.length;
  }

  choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#takes("|")) options.push(this.#sequence());
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "choice", options };
  }

  #takes(text: string): boolean {
    const isThere = this.#pattern.startsWith(text, this.#at);
    if (isThere) this.#at += text.length;
    return isThere;
  }

  #read(form: RegExp): RegExpExecArray | null {
    form.lastIndex = this.#at;
    const found = form.exec(this.#pattern);
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#pattern.length && !/[|)]/.test(this.#pattern[this.#at] ?? "")) {
      const from = this.#at;
      const body = this.#term();
      const [, sign, least, comma, most] = this.#read(TIMES) ?? [];
      const times = timesOf(sign, least, comma === undefined ? least : most);
      parts.push(times === null ? body : { kind: "loop", body, ...times });
      if (this.#at === from) break;
    }
    return { kind: "sequence", parts };
  }

  #term(): PatternNode {
    if (this.#takes("^")) return { kind: "start" };
    if (this.#takes("$")) return { kind: "end" };
    if (this.#takes("\\b") || this.#takes("\\B")) return { kind: "border" };
    if (this.#read(AGAIN) !== null) return { kind: "again" };
    const group = this.#read(GROUP)?.[0];
    if (group === undefined) return { kind: "character", characters: this.#characters() };
    const body = this.choice();
    this.#takes(")");
    return /[=!]$/.test(group) ? { kind: "look", body, isBehind: group.includes("<") } : body;
  }

  #characters(): Characters {
    const atom = this.#read(ATOM)?.[0] ?? "";
    const known = this.#known.get(atom) ?? charactersOf(atom, this.#samples);
    this.#known.set(atom, known);
    return known;
  }
}

function timesOf(
  sign: string | undefined,
  least: string | undefined,
  most: string | undefined,
): { min: number; max: number } | null {
  if (sign === undefined) return null;
  if (least === undefined) return { min: sign === "+" ? 1 : 0, max: sign === "?" ? 1 : Infinity };
  return { min: Number(least), max: most === "" || most === undefined ? Infinity : Number(most) };
}

function charactersOf(atom: string, samples: ReadonlyMap<string, bigint>): Characters {
  const found =
    atom !== "." && samples.has(atom)
      ? [atom]
      : ([...samples.keys()].join("").match(new RegExp(atom, "gu")) ?? []);
  const isClass = /^(?:\[|\.$|\\[a-zA-Z])/.test(atom);
  return {
    members: found.reduce((bits, character) => bits | (samples.get(character) ?? 0n), 0n),
    isOpen: /\\[pP]\{/.test(atom),
    isListed:
      !isClass || /^(?:\[(?!\^)(?:[\x20-\x5b\x5d-\x7e]|\\[dws\W_])*\]|\\[dwsnrtfv0])$/.test(atom),
  };
}
