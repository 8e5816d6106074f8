import type { JsonValue } from "../skills/skill.ts";

/** What a text claims to be. */
type PieceKind = "json" | "yaml" | "toml" | "markdown" | "code" | "diff" | "text";

/** A text of an output and where it stands. */
export interface Piece {
  /** JSON pointer of the string it is, or is part of. */
  pointer: string;
  /** The name of the member that holds it; empty at the root and in arrays. */
  key: string;
  text: string;
  kind: PieceKind;
  /** Of code: in lower case, as it was declared; null where nobody said. */
  language: string | null;
  /** The output says what it is: by a language, a path, a format, a fence or the member's name. */
  is_declared: boolean;
  /** Line of the string on which the text begins, from 1: fenced blocks begin within one. */
  line: number;
}

/** An output as it is judged: its texts, names and numbers of parts. */
export interface Reading {
  pieces: Piece[];
  /** Names of all members, each once. */
  keys: string[];
  /** Something lay beyond the limits and was not looked at. */
  is_cut: boolean;
}

/** Characters of all texts that are looked at: half of what a message may carry, judged in well under a second. */
const MAX_CHARACTERS = 500_000;
const MAX_TEXTS = 20_000;
const MAX_DEPTH = 60;
/** Blocks of one text that are looked at by themselves. */
const MAX_BLOCKS = 200;

const KIND_OF_WORD: Readonly<Record<string, PieceKind>> = {
  json: "json",
  yaml: "yaml",
  yml: "yaml",
  toml: "toml",
  markdown: "markdown",
  md: "markdown",
  diff: "diff",
  patch: "diff",
  text: "text",
  txt: "text",
  plain: "text",
  csv: "text",
  html: "text",
  console: "text",
};

const LANGUAGE_OF_EXTENSION: Readonly<Record<string, string>> = {
  ts: "typescript",
  mts: "typescript",
  tsx: "tsx",
  js: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  jsx: "jsx",
  py: "python",
  go: "go",
  rs: "rust",
  java: "java",
  kt: "kotlin",
  scala: "scala",
  swift: "swift",
  dart: "dart",
  c: "c",
  h: "c",
  cc: "cpp",
  cpp: "cpp",
  hpp: "cpp",
  "c++": "cpp",
  cs: "csharp",
  "c#": "csharp",
  rb: "ruby",
  php: "php",
  sh: "shell",
  bash: "shell",
  sql: "sql",
  css: "css",
  scss: "css",
};

/** Names of languages as they are written out; extensions lead to them too. */
const LANGUAGES: ReadonlySet<string> = new Set(Object.values(LANGUAGE_OF_EXTENSION));

/** Members that hold the body of what their siblings describe. */
const BODIES = new Set(["content", "contents", "code", "source", "body", "text", "converted"]);
/** Siblings that say what the body is; `name` only when it has an ending. */
const LABELS = [
  "language",
  "lang",
  "format",
  "media_type",
  "path",
  "file",
  "filename",
  "file_name",
];

interface Claim {
  kind: PieceKind;
  language: string | null;
  is_declared: boolean;
}

const NO_CLAIM: Claim = { kind: "text", language: null, is_declared: false };

/** A language as everybody here calls it: `ts` and `TypeScript` are typescript. Null for what is none. */
export function languageNamed(word: string): string | null {
  const lower = word.toLowerCase();
  const named = Object.hasOwn(LANGUAGE_OF_EXTENSION, lower) ? LANGUAGE_OF_EXTENSION[lower] : lower;
  return named !== undefined && LANGUAGES.has(named) ? named : null;
}

/** What a word, a media type or a path says of the text beside it. */
function claimOf(label: string): Claim | null {
  const lower = label.trim().toLowerCase().slice(0, 1_000);
  // Its own readers allow comments there.
  if (/(?:tsconfig[^/]*|\.vscode\/[^/]*)\.json$/.test(lower)) return null;
  const word = /([a-z0-9+#]{1,40})$/.exec(lower)?.[1] ?? "";
  if (Object.hasOwn(KIND_OF_WORD, word)) {
    return { kind: KIND_OF_WORD[word] ?? "text", language: null, is_declared: true };
  }
  const language = languageNamed(word);
  return language === null ? null : { kind: "code", language, is_declared: true };
}

function claimOfMember(holder: { readonly [key: string]: JsonValue }, key: string): Claim | null {
  if (BODIES.has(key)) {
    for (const label of LABELS) {
      const said = Object.hasOwn(holder, label) ? holder[label] : undefined;
      const claim = typeof said === "string" ? claimOf(said) : null;
      if (claim !== null) return claim;
    }
  }
  if (key === "code") return { kind: "code", language: null, is_declared: true };
  return Object.hasOwn(KIND_OF_WORD, key) && key !== "text" ? claimOf(key) : null;
}

/** What a text looks like that nobody described. */
function guessOf(text: string): Claim {
  if (/^\s{0,20}(?:\{\s{0,20}"|\[\s{0,20}\{)/.test(text)) return { ...NO_CLAIM, kind: "json" };
  if (/^ {0,3}(?:```|~~~|#{1,6} |\|.{0,500}\|)/m.test(text)) {
    return { ...NO_CLAIM, kind: "markdown" };
  }
  return NO_CLAIM;
}

/** A fenced block of Markdown; `closed` is false where its end is missing. Lines count from 1. */
export interface Fence {
  tag: string;
  /** The line of the opening fence. */
  line: number;
  text: string;
  closed: boolean;
}

/** The fenced blocks of a Markdown text, as CommonMark reads them. */
export function fencesOf(text: string): Fence[] {
  const found: Fence[] = [];
  let open: { mark: string; fence: Fence; lines: string[] } | null = null;
  for (const [index, line] of text.split("\n").entries()) {
    const at = /^\s{0,12}(?:[-*] |\d{1,3}[.)] )?(`{3,}|~{3,})[ \t]*([^\s`]{0,60})/.exec(line);
    const mark = at?.[1] ?? "";
    if (open === null) {
      // "```code```" on one line is no fence.
      if (mark === "" || line.slice(line.indexOf(mark) + mark.length).includes("`")) continue;
      const fence = { tag: at?.[2] ?? "", line: index + 1, text: "", closed: false };
      open = { mark, fence, lines: [] };
    } else if (mark.startsWith(open.mark) && line.trim() === mark) {
      found.push({ ...open.fence, text: open.lines.join("\n"), closed: true });
      open = null;
    } else {
      open.lines.push(line);
    }
  }
  if (open !== null) found.push({ ...open.fence, text: open.lines.join("\n") });
  return found;
}

function blocksOf(piece: Piece): Piece[] {
  if (piece.kind !== "markdown" && piece.kind !== "text") return [];
  return fencesOf(piece.text)
    .filter(({ closed }) => closed)
    .slice(0, MAX_BLOCKS)
    .flatMap(({ tag, line, text }) => {
      const claim = claimOf(tag) ?? { ...NO_CLAIM, kind: "code" as const };
      return claim.kind === "text" ? [] : [{ ...piece, ...claim, text, line: piece.line + line }];
    });
}

function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/**
 * The texts of an output with what each claims to be; fenced blocks of Markdown follow their text.
 *
 * Looks at 500,000 characters in 20,000 texts, 60 levels deep; what is more shows in `is_cut`.
 */
export function readOutput(output: JsonValue): Reading {
  const reading: Reading = { pieces: [], keys: [], is_cut: false };
  const keys = new Set<string>();
  let left = MAX_CHARACTERS;
  const add = (text: string, pointer: string, key: string, claim: Claim): void => {
    if (text.length > left || reading.pieces.length >= MAX_TEXTS) reading.is_cut = true;
    if (left === 0 || reading.pieces.length >= MAX_TEXTS) return;
    const piece = { pointer, key, text: text.slice(0, left), ...claim, line: 1 };
    left -= piece.text.length;
    reading.pieces.push(piece, ...blocksOf(piece));
  };
  const walk = (value: JsonValue, pointer: string, depth: number): void => {
    if (value === null || typeof value !== "object") return;
    if (depth > MAX_DEPTH) {
      reading.is_cut = true;
      return;
    }
    for (const [key, member] of Object.entries(value)) {
      const isNamed = !Array.isArray(value);
      if (isNamed && keys.size < MAX_TEXTS) keys.add(key);
      const at = `${pointer}/${escaped(key)}`;
      if (typeof member === "string") {
        const claim = isNamed ? claimOfMember(value as { [key: string]: JsonValue }, key) : null;
        add(member, at, isNamed ? key : "", claim ?? guessOf(member));
      } else {
        walk(member, at, depth + 1);
      }
    }
  };
  if (typeof output === "string") add(output, "", "", guessOf(output));
  else walk(output, "", 0);
  return { ...reading, keys: [...keys] };
}

/** A place in a piece as findings name it: pointer, line and column, both from 1. */
export function placeOf(piece: Piece, line: number, column: number): string {
  return `${piece.pointer}:${piece.line + line - 1}:${column}`;
}

/** Line and column, both from 1, of a character of a text. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}
