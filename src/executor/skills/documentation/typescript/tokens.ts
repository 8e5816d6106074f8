import { RegexLiterals } from "../../formats/regex-literal.ts";
import { placeOf, type TextFault } from "../../formats/text-fault.ts";

/** A piece of TypeScript source. Comments are no tokens; the last JSDoc before a token is kept with it. */
export interface Token {
  kind: "word" | "string" | "template" | "number" | "regex" | "mark" | "end";
  text: string;
  start: number;
  end: number;
  /** A line break stands before it: a statement may end there without a semicolon. */
  is_first: boolean;
  doc: string | null;
}

/** Thrown by the reader of declarations, which turns it into a refusal. */
export class SourceFault extends Error {
  readonly fault: TextFault;

  constructor(source: string, at: number, detail: string) {
    super(detail);
    this.fault = { ...placeOf(source, at), detail };
  }
}

const SPACE = /[\s\ufeff]+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const WORD = /#?[\p{ID_Start}$_\\][\p{ID_Continue}$\\]*/uy;
const NUMBER = /\.?\d(?:[eE][+-]?\d|[\w.])*/y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y;
/** Up to what changes the state: the end of a template, or the begin of code in it; and the same within that code. */
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y;
const TEMPLATE_CODE = /(?:[^`{}"']|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')*[`{}]/y;
/** Only what must not be taken apart: `>` stands alone, because types close with several. */
const MARK = /=>|\.\.\.|\?\.|\?\?|[=!]==?|&&|\|\||[\s\S]/y;
/** After these a value has ended, so that a slash divides. */
const ENDS_VALUE = /^(?:[)\]}]|.*[\w$"'`])$/su;
const BEFORE_REGEX = /^(?:return|typeof|case|in|of|delete|void|throw|new|do|else|await|yield)$/;

/**
 * Cuts TypeScript source into tokens.
 *
 * @throws SourceFault for a string, template or comment without an end, and for characters that begin nothing
 */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  const regexes = new RegexLiterals(source);
  let doc: string | null = null;
  let isFirst = true;
  let at = source.startsWith("#!") ? lineEnd(source) : 0;
  while (at < source.length) {
    const space = matchAt(SPACE, source, at);
    if (space !== null) {
      if (space.startsWith("/**") && space.length > 4) doc = space;
      isFirst ||= space.includes("\n") || space.startsWith("//");
      at += space.length;
      continue;
    }
    const { kind, text } = tokenAt(source, at, { before: tokens.at(-1), regexes });
    tokens.push({ kind, text, start: at, end: at + text.length, is_first: isFirst, doc });
    at += text.length;
    doc = null;
    isFirst = false;
  }
  tokens.push({ kind: "end", text: "", start: at, end: at, is_first: true, doc });
  return tokens;
}

/** What tells whether a slash divides. */
interface Slashes {
  before: Token | undefined;
  regexes: RegexLiterals;
}

function tokenAt(source: string, at: number, slashes: Slashes): Pick<Token, "kind" | "text"> {
  const character = source.charAt(at);
  if (character === "`")
    return { kind: "template", text: source.slice(at, templateEnd(source, at)) };
  if (character === '"' || character === "'") {
    const text = matchAt(STRING, source, at);
    if (text === null)
      throw new SourceFault(
        source,
        at,
        `The string that begins with ${character} has no end on its line.`,
      );
    return { kind: "string", text };
  }
  const word = matchAt(WORD, source, at);
  if (word !== null) return { kind: "word", text: word };
  const number = matchAt(NUMBER, source, at);
  if (number !== null) return { kind: "number", text: number };
  if (character === "/") return slashAt(source, at, slashes);
  const mark = matchAt(MARK, source, at) ?? character;
  if (!/^[!-~]+$/.test(mark)) {
    throw new SourceFault(
      source,
      at,
      `The character ${JSON.stringify(mark)} begins nothing in TypeScript.`,
    );
  }
  return { kind: "mark", text: mark };
}

function slashAt(
  source: string,
  at: number,
  { before, regexes }: Slashes,
): Pick<Token, "kind" | "text"> {
  if (source.startsWith("/*", at)) {
    throw new SourceFault(source, at, "The comment that begins here has no end.");
  }
  const isValue =
    before !== undefined && ENDS_VALUE.test(before.text) && !BEFORE_REGEX.test(before.text);
  const regex = isValue ? null : regexes.at(at);
  return regex === null ? { kind: "mark", text: "/" } : { kind: "regex", text: regex };
}

/** Templates nest: `a${`b${c}`}`. */
function templateEnd(source: string, start: number): number {
  const open: ("text" | "code")[] = ["text"];
  let at = start + 1;
  for (let inside = open.at(-1); inside !== undefined; inside = open.at(-1)) {
    const piece = matchAt(inside === "text" ? TEMPLATE_TEXT : TEMPLATE_CODE, source, at);
    if (piece === null) {
      throw new SourceFault(source, start, "The template string that begins here has no end.");
    }
    at += piece.length;
    const isText = inside === "text";
    if (piece.endsWith(isText ? "`" : "}")) open.pop();
    else open.push(piece.endsWith("`") ? "text" : "code");
  }
  return at;
}

function matchAt(pattern: RegExp, source: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? null;
}

function lineEnd(source: string): number {
  const end = source.indexOf("\n");
  return end < 0 ? source.length : end;
}
