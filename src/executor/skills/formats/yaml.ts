import { load, YAMLException } from "js-yaml";

import { ok, refuse, type Result } from "../../../lib/result.ts";
import type { JsonValue } from "../skill.ts";
import { plainJson, type NotPlain } from "./plain-json.ts";

/** Where a text stops being what it should be; line and column count from 1. */
export interface TextFault {
  line: number;
  column: number;
  detail: string;
}

const ALIAS = /(?<=[\s,[{])\*[^\s,[\]{}]/;
/** Where to point when the fault shows only in the whole: at the first thing that can cause it. */
const CULPRITS: Readonly<Record<NotPlain["class"], RegExp>> = {
  too_deep: ALIAS,
  too_large: ALIAS,
  circular: ALIAS,
  not_json: /[-+]?\.(?:inf|nan)\b/i,
};

/**
 * Reads one YAML 1.2 document (core schema: no tags that make objects, no merge keys) as JSON.
 *
 * Refuses what YAML refuses (duplicate keys too), more than one document, more than 100 levels, and aliases that
 * would expand to more than 4 MiB or to a circle. Never throws.
 */
export function readYaml(text: string): Result<JsonValue, TextFault> {
  let loaded: unknown;
  try {
    loaded = load(text);
  } catch (error) {
    if (error instanceof YAMLException) return refuse(faultOf(error, text));
    throw error;
  }
  const plain = plainJson(loaded);
  if (plain.ok) return ok(plain.value);
  const at = text.search(CULPRITS[plain.refusal.class]);
  return refuse({ ...lineOf(text, Math.max(0, at)), detail: plain.refusal.detail });
}

/** Line and column, from 1, of a character. */
export function lineOf(text: string, position: number): { line: number; column: number } {
  const before = text.slice(0, position).split(/\r\n?|\n/);
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function faultOf({ reason, mark }: YAMLException, text: string): TextFault {
  const detail = `${reason.charAt(0).toUpperCase()}${reason.slice(1, 300)}.`;
  if (mark !== undefined) return { line: mark.line + 1, column: mark.column + 1, detail };
  // Faults of the stream carry no place: an empty text, or a second document.
  const second = text.search(/(?<=\S\s*\n)---(?=\s|$)/);
  return { ...lineOf(text, Math.max(0, second)), detail };
}
