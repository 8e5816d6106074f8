/** Where a text stops being JSON: `position` counts characters from 0, `line` and `column` from 1. */
export interface JsonFault {
  position: number;
  line: number;
  column: number;
}

const SPACE = /[\t\n\r ]*/y;
/** A bracket, colon or comma; a string, without control characters; a number or a word. */
const TOKEN =
  /([{}[\],:])|("[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | ", or end" | "nothing";

/** What a token starts or continues, by what was expected; a pair that is missing is a fault. */
const MEANING: Readonly<Record<string, "open" | "close" | "scalar" | "key" | "colon" | "comma">> = {
  "value {": "open",
  "value [": "open",
  "value string": "scalar",
  "value scalar": "scalar",
  "value or ] {": "open",
  "value or ] [": "open",
  "value or ] string": "scalar",
  "value or ] scalar": "scalar",
  "value or ] ]": "close",
  "key string": "key",
  "key or } string": "key",
  "key or } }": "close",
  ": :": "colon",
  ", or end ,": "comma",
  ", or end }": "close",
  ", or end ]": "close",
};

const OPENING: Readonly<Record<string, string>> = { "}": "{", "]": "[" };

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

function afterValue(open: readonly string[]): Expected {
  return open.length === 0 ? "nothing" : ", or end";
}

/** What is expected after a token, or null when the token does not fit; keeps `open` up to date. */
function next(expected: Expected, token: RegExpExecArray, open: string[]): Expected | null {
  const text = token[0];
  const kind = token[1] ?? (token[2] === undefined ? "scalar" : "string");
  const meaning = MEANING[`${expected} ${kind}`];
  if (meaning === undefined) return null;
  switch (meaning) {
    case "open":
      open.push(text);
      return text === "{" ? "key or }" : "value or ]";
    case "close":
      return open.pop() === OPENING[text] ? afterValue(open) : null;
    case "scalar":
      return afterValue(open);
    case "key":
      return ":";
    case "colon":
      return "value";
    case "comma":
      return open.at(-1) === "{" ? "key" : "value";
  }
}

/**
 * Where the first fault of a text that is not JSON lies.
 *
 * The engine's own message names no position for many faults and quotes the text, which may hold
 * secrets; so the text is read once more, in this one case.
 */
export function findJsonFault(text: string): JsonFault {
  const open: string[] = [];
  let expected: Expected = "value";
  let position = 0;
  for (;;) {
    position += matchAt(SPACE, text, position)?.[0].length ?? 0;
    const token = matchAt(TOKEN, text, position);
    const following: Expected | null = token && next(expected, token, open);
    if (token === null || following === null) break;
    expected = following;
    position += token[0].length;
  }
  const before = text.slice(0, position).split("\n");
  return { position, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
