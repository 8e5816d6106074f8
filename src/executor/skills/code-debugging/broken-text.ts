import { formatOf, type Format } from "../configuration/documents.ts";
import { readEnv } from "../formats/env.ts";
import { scanJson, type JsonFault } from "../formats/json.ts";
import { readProperties } from "../formats/properties.ts";
import { placeOf, type TextFault } from "../formats/text-fault.ts";
import { readToml } from "../formats/toml.ts";
import { readYamlDocuments } from "../formats/yaml.ts";
import { brokenAt, type Diagnosis } from "./diagnosis.ts";
import { repairJson } from "./repair-json.ts";

const READERS = {
  yaml: readYamlDocuments,
  toml: readToml,
  env: readEnv,
  properties: readProperties,
};
const CONFLICT = /^(?:<{7}|={7}|>{7})(?: |$)/m;

const ADVICE: Readonly<Record<JsonFault["class"], string>> = {
  trailing_comma: "Remove the comma before the closing bracket.",
  missing_comma: "Put a comma between the two members; often the line before lacks it.",
  single_quotes:
    'Quote names and texts with ": this looks like JavaScript or the repr() of Python.',
  unquoted_key: "Put the name in double quotes: this looks like a JavaScript object or JSON5.",
  smart_quotes:
    "Replace the typographic quotes by straight ones; a word processor or chat has changed them.",
  comment: "Remove the comments, or read the file with a JSONC reader.",
  foreign_literal: "Write true, false and null in lower case; quote any other word.",
  bad_escape: 'Write a backslash as "\\\\"; paths of Windows are the usual cause.',
  control_character: "Write tabs and line breaks in texts as \\t and \\n.",
  unclosed: "Close what is open; the text may be cut off.",
  mismatched_bracket:
    "Compare this bracket with the one that is open; one of them is missing or too many.",
  unclosed_string: "Close the text with a quote on its line.",
  bad_number:
    "Write numbers without leading zeros or plus sign, with digits on both sides of the point.",
  duplicate_key: "Keep one of the two members; readers differ on which one counts.",
  too_deep: "Look for a generator that nests without end.",
  trailing_text: "Remove what follows the value; several values a file are JSON Lines, not JSON.",
  empty: "Write the text; it may not have been produced at all.",
  unexpected: "Correct the text at this place.",
};

/**
 * What makes a JSON, YAML, TOML, .env or .properties text unreadable, or null when it reads well.
 *
 * `more` has an excerpt with a caret, the place of the bracket that is open, and `repaired` when mechanical changes make
 * the text readable; each change is told, and the repaired text was read.
 */
export function brokenText(
  text: string,
  name: string | null,
  given: Format | null,
): Diagnosis | null {
  const format = given ?? formatOf(name ?? "", text);
  const conflict = CONFLICT.exec(text);
  if (conflict !== null) {
    return found(text, name, {
      format,
      offset: conflict.index,
      class: "merge_conflict",
      detail: "A marker of an unresolved merge conflict.",
      suggestions: [
        "Choose one side of each conflict and remove the lines <<<<<<<, ======= and >>>>>>>.",
      ],
    });
  }
  if (format === "json") return brokenJson(text, name);
  const read = READERS[format](text);
  if (read.ok) return null;
  const { offset, ...fault } = faultOf(text, read.refusal);
  return found(text, name, { format, offset, ...fault, repaired: repairLines(text, format) });
}

interface Broken {
  format: Format;
  offset: number;
  class: string;
  detail: string;
  suggestions: string[];
  opened_at?: number | null;
  repaired?: { text: string; changes: { line: number; column: number; change: string }[] } | null;
}

function found(text: string, name: string | null, broken: Broken): Diagnosis {
  const { format, opened_at = null, repaired = null } = broken;
  const { excerpt, ...told } = brokenAt(text, name, broken);
  return {
    ...told,
    kind: "text",
    certainty: 1,
    coverage: repaired === null ? 0.8 : 1,
    more: {
      format,
      excerpt,
      opened_at: opened_at === null ? null : { ...placeOf(text, opened_at) },
      repaired: repaired === null ? null : repaired.text,
      repairs: repaired === null ? [] : repaired.changes.slice(0, 100),
    },
  };
}

function brokenJson(text: string, name: string | null): Diagnosis | null {
  const read = scanJson(text);
  if (read.ok) return null;
  const { offset, detail, opened_at } = read.refusal;
  const repaired = text.length > MOST_REPAIRED ? null : repairJson(text);
  if (text.startsWith("\uFEFF")) {
    const bom = {
      class: "byte_order_mark",
      detail: "A byte order mark stands before the JSON.",
      suggestions: ["Save the file as UTF-8 without byte order mark."],
    };
    return found(text, name, { format: "json", offset: 0, ...bom, repaired });
  }
  const opened = opened_at === null ? null : placeOf(text, opened_at);
  const open = opened === null ? "" : ` Open since line ${opened.line}, column ${opened.column}.`;
  const isAboutBrackets = /unclosed|mismatched/.test(read.refusal.class);
  return found(text, name, {
    format: "json",
    offset,
    class: read.refusal.class,
    detail: `${detail}${isAboutBrackets ? open : ""}`,
    suggestions: [ADVICE[read.refusal.class]],
    opened_at,
    repaired,
  });
}

/** A repaired text is given back whole, so it must fit the result; each change also looks for its line. */
const MOST_REPAIRED = 300_000;

const HINTS: readonly (readonly [RegExp, string, string])[] = [
  [/tab/i, "tab_indentation", "Indent with spaces: YAML allows no tabs there."],
  [/duplicat|twice|redefine/i, "duplicate_key", "Keep one of the two."],
  [
    /indent|bad indentation/i,
    "indentation",
    "Align the line with its neighbours; a colon inside a text needs quotes.",
  ],
  [/alias|anchor/i, "alias", "Define the anchor (&name) before its alias (*name)."],
  [/quot|unexpected end|not closed/i, "unclosed_string", "Close the quote."],
  [/nodes/i, "alias_expansion", "Do not nest aliases in aliases."],
];

function faultOf(text: string, { line, column, detail }: TextFault) {
  const before = text.split("\n").slice(0, line - 1);
  const offset = before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  const hint = HINTS.find(([pattern]) => pattern.test(detail));
  const [, kind = "syntax", advice = "Correct the text at this place."] = hint ?? [];
  return { offset, class: kind, detail, suggestions: [advice] };
}

/** Straight quotes for typographic ones, and spaces for tabs that indent; only when the text reads well then. */
function repairLines(
  text: string,
  format: Exclude<Format, "json">,
): NonNullable<Broken["repaired"]> | null {
  if (text.length > MOST_REPAIRED) return null;
  const changes: { line: number; column: number; change: string }[] = [];
  const lines = text.split("\n").map((line, at) => {
    const spaced =
      format === "yaml" ? line.replace(/^[ \t]+/, (indent) => indent.replaceAll("\t", "  ")) : line;
    const straight = spaced.replaceAll(/[“”„]/g, '"').replaceAll(/[‘’]/g, "'");
    if (spaced !== line)
      changes.push({ line: at + 1, column: 1, change: "tabs of the indentation made spaces" });
    if (straight !== spaced)
      changes.push({ line: at + 1, column: 1, change: "typographic quotes made straight" });
    return straight;
  });
  const repaired = lines.join("\n");
  return changes.length > 0 && READERS[format](repaired).ok ? { text: repaired, changes } : null;
}
