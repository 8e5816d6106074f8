import type { JsonValue } from "../skills/skill.ts";
import type { Finding, QualityQuestion } from "./assessment.ts";
import { lineAndColumn, placeOf, readOutput, type Piece, type Reading } from "./pieces.ts";
import { bracketFault } from "./syntax/brackets.ts";
import { diffFaults, jsonFault, tomlFault, yamlFault } from "./syntax/data-text.ts";
import type { SyntaxFault } from "./syntax/fault.ts";
import { markdownFaults } from "./syntax/markdown.ts";

/** An answer that ends within a fenced block has been cut off. */
const CUT = "unterminated_fence";
/** Findings of one look: enough to mend an output, few enough to read. */
const MOST_FINDINGS = 30;

function only(fault: SyntaxFault | null): SyntaxFault[] {
  return fault === null ? [] : [fault];
}

function codeFaults({ text, language }: Piece): SyntaxFault[] {
  const fault = language === null ? null : bracketFault(text, language);
  if (fault === null) return [];
  const at = lineAndColumn(text, fault.offset);
  return [{ code: fault.code, ...at, detail: fault.detail, is_broken: true }];
}

function faultsOf(piece: Piece): SyntaxFault[] {
  switch (piece.kind) {
    case "json":
      return only(jsonFault(piece.text));
    case "yaml":
      return only(yamlFault(piece.text));
    case "toml":
      return only(tomlFault(piece.text));
    case "diff":
      return piece.text.trim() === "" ? [] : diffFaults(piece.text);
    case "code":
      return codeFaults(piece);
    case "markdown":
      return markdownFaults(piece.text);
    case "text":
      return [];
  }
}

/** A block that is shortened on purpose: "…" or "..." stands for the rest. In code three dots also spread. */
function isExcerpt({ line, text, kind }: Piece): boolean {
  if (line === 1) return false;
  return kind === "code"
    ? /^[ \t]{0,100}(?:\/\/|#|--)?[ \t]{0,20}(?:\.\.\.|…)/m.test(text)
    : /\.\.\.|…/.test(text);
}

/**
 * Whether an output parses for what it says it is (row 39): JSON, YAML, TOML, unified diffs, Markdown, and code by its
 * brackets, strings and comments. A declared text that does not parse blocks, and so does an answer that ends within a
 * fenced block. What nobody declared, and what a skill quotes of its input, is at most named; what the limit
 * of `readOutput` cuts short is not judged.
 */
export function syntacticFindings(question: QualityQuestion, reading: Reading): Finding[] {
  const { output } = question;
  const empty = emptyOutput(output);
  if (empty !== null) return [empty];
  const cut = reading.is_cut ? reading.pieces.at(-1)?.pointer : undefined;
  const given = question.measured === null ? null : readOutput(question.input_data).pieces;
  return reading.pieces
    .filter((piece) => piece.pointer !== cut && !isExcerpt(piece))
    .flatMap((piece) =>
      faultsOf(piece).map(({ code, line, column, detail, is_broken }): Finding => ({
        check: "syntactic",
        code,
        location: placeOf(piece, line, column),
        detail,
        is_blocking: is_broken && isAnswerable(piece, code, given),
      })),
    )
    .toSorted((a, b) => Number(b.is_blocking) - Number(a.is_blocking))
    .slice(0, MOST_FINDINGS);
}

/**
 * Whether a broken text is its maker's fault. Of an answer (`given` is null then), what was declared and what ends
 * within a fence; of a skill's result, what was declared and is no quotation of its input.
 */
function isAnswerable(piece: Piece, code: string, given: readonly Piece[] | null): boolean {
  if (given === null) return piece.is_declared || code === CUT;
  return piece.is_declared && !given.some(({ text }) => text.includes(piece.text));
}

function emptyOutput(output: JsonValue): Finding | null {
  const isEmpty =
    output === null ||
    (typeof output === "string" && output.trim() === "") ||
    (typeof output === "object" && output !== null && Object.keys(output).length === 0);
  if (!isEmpty) return null;
  return {
    check: "syntactic",
    code: "empty_output",
    location: "",
    detail: "the output is empty",
    is_blocking: true,
  };
}

/** 1 for a clean output; each broken text takes a half, each untidy place a twentieth. */
export function syntacticScore(findings: readonly Finding[]): number {
  const broken = findings.filter(({ is_blocking }) => is_blocking).length;
  return Math.max(0, 1 - broken / 2 - (findings.length - broken) / 20);
}
