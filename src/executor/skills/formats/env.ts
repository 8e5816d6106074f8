import { ok, refuse, type Result } from "../../../lib/result.ts";
import type { JsonValue } from "../skill.ts";
import { placeOf, withoutMark, type TextFault } from "./text-fault.ts";

const LINE = /[^\n]*/y;
const NAME = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*/;
const BLANK = /^\s*(?:#|$)/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * Reads a .env file: `NAME=value` a line, `export` allowed, # comments, values in single quotes (verbatim) or double
 * quotes (with \n, \r, \t; may span lines). All values are text; ${VAR} stays as it is written.
 *
 * Refused: a line without "=", a name that a shell would not take, a quote that is not closed, a name twice.
 */
export function readEnv(text: string): Result<JsonValue, TextFault> {
  const bare = withoutMark(text).replaceAll("\r\n", "\n");
  const values = new Map<string, string>();
  for (let at = 0; at < bare.length; at += 1) {
    const line = lineAt(bare, at);
    const start = at + (line.length - line.trimStart().length);
    const [head, name] = NAME.exec(line.trimStart()) ?? [];
    if (BLANK.test(line)) {
      at += line.length;
      continue;
    }
    const refused = (detail: string) => refuse({ ...placeOf(bare, start), detail });
    if (head === undefined || name === undefined) {
      return refused("Expected NAME=value, with a name of letters, digits and underscores.");
    }
    if (values.has(name)) return refused(`The name ${name} occurs twice.`);
    const read = valueFrom(bare, start + head.length);
    if (!read.ok) return refused(`${read.refusal} ${name}.`);
    values.set(name, read.value.value);
    at = read.value.end;
  }
  return ok(Object.fromEntries(values));
}

function lineAt(text: string, at: number): string {
  LINE.lastIndex = at;
  return LINE.exec(text)?.[0] ?? "";
}

/** A value that begins at an offset, and the end of its last line. */
function valueFrom(text: string, from: number): Result<{ value: string; end: number }, string> {
  const quote = text[from];
  if (quote !== '"' && quote !== "'") {
    const line = lineAt(text, from);
    return ok({ value: line.replace(/(?:^|\s)#.*$/, "").trim(), end: from + line.length });
  }
  const close = closingQuote(text, from, quote);
  if (close === -1) return refuse("No quote closes the value of");
  const raw = text.slice(from + 1, close);
  const rest = lineAt(text, close + 1);
  if (!BLANK.test(rest)) return refuse("Text follows the closing quote of");
  return ok({ value: quote === "'" ? raw : unescaped(raw), end: close + 1 + rest.length });
}

function closingQuote(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === "\\" && quote === '"') at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
}

function unescaped(raw: string): string {
  return raw.replaceAll(/\\([\s\S])/g, (_all, letter: string) => ESCAPES[letter] ?? letter);
}
