import { placeOf } from "../formats/text-fault.ts";
import type { JsonObject } from "../skill.ts";

/** Where something is; what is not known is null. Lines and columns from 1. */
interface Location {
  file: string | null;
  line: number | null;
  column: number | null;
}

/** What was found, whatever kind of text it was found in. */
export interface Diagnosis {
  kind: "trace" | "text" | "code" | "log";
  diagnosis: string;
  root_cause: { class: string; detail: string; evidence: string };
  location: Location | null;
  suggestions: string[];
  /** Shares in [0, 1] for the quality: how sure the cause is, how much of the text was understood. */
  certainty: number;
  coverage: number;
  /** What only this kind of finding has: frames, groups, an excerpt, a repaired text. */
  more: JsonObject;
}

const LONGEST_LINE = 160;

/** Lines around a place, with numbers, and a caret under the column; long lines are cut around it. */
export function excerptOf(text: string, line: number, column: number | null): string {
  const lines = text.split(/\r?\n/);
  const width = String(line + 2).length;
  const cut = Math.max(0, (column ?? 1) - LONGEST_LINE / 2);
  return lines
    .slice(Math.max(0, line - 3), line + 2)
    .flatMap((each, at) => {
      const number = Math.max(0, line - 3) + at + 1;
      const shown = `${String(number).padStart(width)} | ${each.slice(cut, cut + LONGEST_LINE)}`;
      const caret = " ".repeat(width + 3 + Math.max(0, (column ?? 1) - 1 - cut));
      return number === line && column !== null ? [shown, `${caret}^`] : [shown];
    })
    .join("\n");
}

/** The finding that a text is broken at an offset. */
export function brokenAt(
  text: string,
  name: string | null,
  fault: { offset: number; class: string; detail: string; suggestions: string[] },
): Pick<Diagnosis, "root_cause" | "location" | "suggestions" | "diagnosis"> & { excerpt: string } {
  const { line, column } = placeOf(text, fault.offset);
  return {
    diagnosis: `Line ${line}, column ${column}: ${fault.detail}`,
    root_cause: {
      class: fault.class,
      detail: fault.detail,
      evidence: (text.split("\n")[line - 1] ?? "")
        .slice(Math.max(0, column - 80), column + 80)
        .trim(),
    },
    location: { file: name, line, column },
    suggestions: fault.suggestions,
    excerpt: excerptOf(text, line, column),
  };
}
