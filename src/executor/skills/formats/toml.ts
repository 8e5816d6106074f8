import { parse, TomlDate, TomlError } from "smol-toml";

import { ok, refuse, type Result } from "../../../lib/result.ts";
import type { JsonValue } from "../skill.ts";
import { escapePointer } from "./json-value.ts";
import { withoutMark, type TextFault } from "./text-fault.ts";

/** What TOML says and JSON can't: dates become text, and their pointers are told. */
export interface TomlDocument {
  value: JsonValue;
  dates: string[];
}

/** Reads TOML 1.0 as JSON; see readTomlDocument. */
export function readToml(text: string): Result<JsonValue, TextFault> {
  const read = readTomlDocument(text);
  return read.ok ? ok(read.value.value) : read;
}

/**
 * Reads TOML 1.0. Dates and times become text in the form of RFC 3339.
 *
 * Refused, besides what TOML forbids: integers beyond 2^53, `inf` and `nan`, which JSON numbers can't hold.
 */
export function readTomlDocument(text: string): Result<TomlDocument, TextFault> {
  const dates: string[] = [];
  try {
    const table = parse(withoutMark(text), { maxDepth: 100 });
    return ok({ value: plain(table, "", dates), dates });
  } catch (cause) {
    if (cause instanceof TomlError) {
      const [, detail = "invalid"] = /^Invalid TOML document: (.*)/.exec(cause.message) ?? [];
      return refuse({ line: cause.line, column: cause.column, detail: `${detail}.` });
    }
    if (cause instanceof NotJson)
      return refuse({ ...placeOfInfinity(text), detail: cause.message });
    throw cause;
  }
}

class NotJson extends Error {}

function plain(value: unknown, pointer: string, dates: string[]): JsonValue {
  if (value instanceof TomlDate) {
    dates.push(pointer);
    return value.toISOString();
  }
  if (Array.isArray(value)) {
    return value.map((item: unknown, at) => plain(item, `${pointer}/${at}`, dates));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]: [string, unknown]) => [
        name,
        plain(inner, `${pointer}/${escapePointer(name)}`, dates),
      ]),
    );
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new NotJson("JSON has no form for inf and nan.");
  }
  return typeof value === "number" || typeof value === "boolean" ? value : String(value);
}

function placeOfInfinity(text: string): { line: number; column: number } {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => /[=[,]\s*[-+]?(?:inf|nan)\b/.test(line));
  return { line: Math.max(0, at) + 1, column: 1 + Math.max(0, lines[at]?.search(/inf|nan/) ?? 0) };
}
