import { wordsOf } from "../../skills/language.ts";
import type { JsonValue } from "../../skills/skill.ts";
import { paragraphsOf, splitSentences } from "../../skills/text/split-sentences.ts";
import type { Reading } from "../pieces.ts";
import { tablesOf } from "../syntax/markdown.ts";
import type { CountConstraint } from "./constraints.ts";
import { proseOf } from "./words.ts";

/** Members that hold what an answer says, the first that there is; else its longest text. */
const MAIN_KEYS = [
  "answer",
  "markdown",
  "summary_text",
  "summary",
  "report",
  "text",
  "content",
  "explanation",
];
/** Sentences and paragraphs are counted in so much of a text. */
const MAX_MEASURED = 200_000;

/** What is counted in an output: its main text, and all arrays in it. */
export interface Measured {
  main: string;
  arrays: readonly { key: string; items: readonly JsonValue[] }[];
  headings: readonly string[];
  has_table: boolean;
  list_items: number;
}

function arraysOf(
  value: JsonValue,
  found: { key: string; items: readonly JsonValue[] }[],
  key = "",
  depth = 0,
): void {
  if (value === null || typeof value !== "object" || depth > 4 || found.length > 500) return;
  if (Array.isArray(value)) found.push({ key, items: value as readonly JsonValue[] });
  for (const [name, member] of Object.entries(value)) {
    arraysOf(member, found, Array.isArray(value) ? "" : name, depth + 1);
  }
}

function isObject(value: JsonValue): boolean {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Two rows or more with names, or as arrays of one length. */
function isTable(items: readonly JsonValue[]): boolean {
  return items.length > 1 && (items.every(isObject) || items.every((row) => Array.isArray(row)));
}

/** Reads what can be counted out of an output. */
export function measure(output: JsonValue, reading: Reading): Measured {
  const prose = reading.pieces
    .map((piece) => ({ key: piece.key, text: proseOf(piece) }))
    .filter(({ text }) => text !== "");
  const main =
    MAIN_KEYS.map((key) => prose.find((piece) => piece.key === key)?.text).find(
      (text) => text !== undefined,
    ) ??
    prose.toSorted((a, b) => b.text.length - a.text.length)[0]?.text ??
    "";
  const arrays: { key: string; items: readonly JsonValue[] }[] = [];
  arraysOf(output, arrays);
  const lines = prose.flatMap(({ text }) => text.split("\n"));
  return {
    main,
    arrays,
    headings: lines.flatMap((line) => /^ {0,3}#{1,6}\s(.*)$/.exec(line)?.[1]?.trim() ?? []),
    has_table: tablesOf(lines).length > 0 || arrays.some(({ items }) => isTable(items)),
    list_items: main.split("\n").filter((line) => /^\s{0,3}(?:[-*•]|\d{1,3}[.)])\s/.test(line))
      .length,
  };
}

/** How many of something an output has; null where that can't be told, as of points in running text. */
export function countOf({ unit, noun }: CountConstraint, measured: Measured): number | null {
  const { main, arrays, headings, list_items } = measured;
  const text = main.slice(0, MAX_MEASURED);
  switch (unit) {
    case "words":
      return wordsOf(main).length;
    case "characters":
      return main.trim().length;
    case "sentences":
      return splitSentences({ id: "", text }, "en").filter((sentence) => !sentence.is_fragment)
        .length;
    case "paragraphs":
      return paragraphsOf(text.replaceAll(/^ {0,3}#{1,6}\s.*$/gm, "")).length;
    case "sections":
      return headings.length === 0 ? null : headings.length;
    case "items": {
      const named = arrays.find(({ key }) => key.toLowerCase().startsWith(noun));
      if (named !== undefined) return named.items.length;
      return list_items === 0 ? null : list_items;
    }
  }
}
