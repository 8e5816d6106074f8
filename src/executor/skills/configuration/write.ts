import { dump } from "js-yaml";
import { stringify } from "smol-toml";

import { escapePointer, isList, isObject, leavesOf, textOf } from "../formats/json-value.ts";
import type { JsonValue } from "../skill.ts";
import type { Format } from "./documents.ts";

/** What a format could not hold, and where. */
export interface Loss {
  pointer: string;
  detail: string;
}

/**
 * A value as a text of a format, with what was lost on the way.
 *
 * TOML has no null and needs a table at the top; .env and .properties hold text alone, so structure goes into names:
 * `a.b[0]` in .properties, `A__B__0` in .env.
 */
export function writeValue(value: JsonValue, format: Format): { text: string; losses: Loss[] } {
  switch (format) {
    case "json":
      return { text: `${JSON.stringify(value, null, 2)}\n`, losses: [] };
    case "yaml":
      return { text: dump(value, { noRefs: true, lineWidth: 120 }), losses: [] };
    case "toml":
      return writeToml(value);
    case "env":
      return writeFlat(value, ENV);
    case "properties":
      return writeFlat(value, PROPERTIES);
  }
}

function writeToml(value: JsonValue): { text: string; losses: Loss[] } {
  const losses: Loss[] = [];
  const without = (each: JsonValue, pointer: string): JsonValue | undefined => {
    if (each === null) {
      losses.push({ pointer, detail: "TOML has no null: left out." });
      return undefined;
    }
    if (isList(each)) {
      return each.flatMap((item, at) => without(item, `${pointer}/${at}`) ?? []);
    }
    if (!isObject(each)) return each;
    const entries = Object.entries(each).flatMap(([name, inner]): [string, JsonValue][] => {
      const kept = without(inner, `${pointer}/${escapePointer(name)}`);
      return kept === undefined ? [] : [[name, kept]];
    });
    return Object.fromEntries(entries);
  };
  const kept = without(value, "") ?? {};
  if (isObject(kept)) return { text: stringify(kept), losses };
  losses.push({
    pointer: "",
    detail: 'TOML needs a table at the top: put under the name "value".',
  });
  return { text: stringify({ value: kept }), losses };
}

interface FlatFormat {
  name(parts: readonly string[]): string;
  quote(text: string): string;
  called: string;
}

const ENV: FlatFormat = {
  called: ".env",
  name: (parts) => {
    const name = parts.join("__").replaceAll(/\W/gu, "_") || "VALUE";
    return /^\d/.test(name) ? `_${name}` : name;
  },
  quote: (text) =>
    /^[\w./:@%+,-]*$/.test(text)
      ? text
      : `"${text
          .replaceAll(/["\\$`]/g, "\\$&")
          .replaceAll("\n", "\\n")
          .replaceAll("\r", "\\r")}"`,
};

const PROPERTIES: FlatFormat = {
  called: ".properties",
  name: (parts) =>
    parts
      .map((part, at) =>
        /^\d+$/.test(part) && at > 0 ? `[${part}]` : `${at > 0 ? "." : ""}${part}`,
      )
      .join("") || "value",
  quote: (text) => escaped(text).replace(/^ /, "\\ "),
};

function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    .replaceAll("\f", "\\f");
}

/** One line a leaf. What text alone can't hold is a loss; so is a name that another one becomes too. */
function writeFlat(value: JsonValue, format: FlatFormat): { text: string; losses: Loss[] } {
  const losses: Loss[] = [];
  const lines = new Map<string, string>();
  for (const [pointer, leaf] of leavesOf(value)) {
    const parts = pointer
      .split("/")
      .slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    const name = format.name(parts);
    if (lines.has(name)) {
      losses.push({ pointer, detail: `Another value has the name ${name} too: left out.` });
      continue;
    }
    const loss = lossOf(leaf, parts, { name, called: format.called });
    if (loss !== null) losses.push({ pointer, detail: loss });
    const text = leaf === null ? "" : textOf(leaf);
    lines.set(
      name,
      `${format.called === ".env" ? name : escapedName(name)}=${format.quote(text)}\n`,
    );
  }
  return { text: [...lines.values()].join(""), losses };
}

function lossOf(
  leaf: JsonValue,
  parts: readonly string[],
  { name, called }: { name: string; called: string },
): string | null {
  if (leaf === null) return `${called} has no null: written as empty text.`;
  if (typeof leaf !== "string")
    return `${called} holds text alone: ${Array.isArray(leaf) ? "an array" : typeof leaf} becomes text.`;
  return parts.length === 1 && parts[0] === name
    ? null
    : `${called} has no structure: the name is ${name}.`;
}

function escapedName(name: string): string {
  return escaped(name).replaceAll(/[=: ]/g, "\\$&").replace(/^[#!]/, "\\$&");
}
