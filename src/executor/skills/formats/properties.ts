import { ok, refuse, type Result } from "../../../lib/result.ts";
import type { JsonValue } from "../skill.ts";
import { withoutMark, type TextFault } from "./text-fault.ts";

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", f: "\f" };

/**
 * Reads a Java .properties file (java.util.Properties): `key=value`, `key: value` or `key value`, # and ! comments,
 * lines continued by a backslash, \uXXXX. Keys stay flat, values are text.
 *
 * Refused: a key twice, and a \u without four hexadecimal digits.
 */
export function readProperties(text: string): Result<JsonValue, TextFault> {
  const values = new Map<string, string>();
  for (const { line, logical } of logicalLines(withoutMark(text).split(/\r\n|\n|\r/))) {
    const key = keyOf(logical);
    const value = logical.slice(key.length).replace(/^[ \t\f]*[=:]?[ \t\f]*/, "");
    const bad = /(?<!\\)(?:\\\\)*\\u(?![\da-fA-F]{4})/.exec(logical);
    if (bad !== null) {
      return refuse({ line, column: bad.index + 1, detail: "\\u needs four hexadecimal digits." });
    }
    const name = unescaped(key);
    if (values.has(name)) {
      return refuse({ line, column: 1, detail: `The key ${name.slice(0, 80)} occurs twice.` });
    }
    values.set(name, unescaped(value));
  }
  return ok(Object.fromEntries(values));
}

/** Lines joined with what continues them, without blank lines and comments. */
function* logicalLines(lines: readonly string[]): Generator<{ line: number; logical: string }> {
  let logical: string | null = null;
  let start = 0;
  for (const [at, each] of lines.entries()) {
    const bare = each.trimStart();
    if (logical === null && /^(?:[#!]|$)/.test(bare)) continue;
    if (logical === null) start = at;
    const isOpen = isContinued(bare) && at + 1 < lines.length;
    const joined: string = (logical ?? "") + (isOpen ? bare.slice(0, -1) : bare);
    logical = isOpen ? joined : null;
    if (!isOpen) yield { line: start + 1, logical: joined };
  }
}

function keyOf(line: string): string {
  let at = 0;
  while (at < line.length && !/[=: \t\f]/.test(line[at] ?? "")) at += line[at] === "\\" ? 2 : 1;
  return line.slice(0, at);
}

/** An odd number of backslashes at the end: an even one is backslashes themselves. */
function isContinued(line: string): boolean {
  let count = 0;
  while (line[line.length - 1 - count] === "\\") count += 1;
  return count % 2 === 1;
}

function unescaped(raw: string): string {
  return raw.replaceAll(/\\(?:u([\da-fA-F]{4})|([\s\S]))/g, (_all, hex?: string, letter = "") =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
