import { fencesOf } from "../pieces.ts";
import type { SyntaxFault } from "./fault.ts";

/** Untidy places of one text that are named. */
const MOST = 20;

/**
 * What is wrong with a Markdown text: a fence that never ends (broken), and what a reader would stumble over: table
 * rows of another width than their heading, links that lead nowhere (no address, no such definition, no such heading).
 */
export function markdownFaults(text: string): SyntaxFault[] {
  const fences = fencesOf(text);
  const lines = text.split("\n");
  const unclosed = fences
    .filter(({ closed }) => !closed)
    .map(({ line }) => ({
      ...fault("unterminated_fence", line, 1, "the fenced block that begins here never ends"),
      is_broken: true,
    }));
  for (const { line, text: inner } of fences) {
    const height = inner === "" ? 0 : inner.split("\n").length;
    lines.fill("", line - 1, line + height + 1);
  }
  return [...unclosed, ...tableFaults(lines), ...linkFaults(lines)].slice(0, MOST);
}

function fault(code: string, line: number, column: number, detail: string): SyntaxFault {
  return { code, line, column, detail, is_broken: false };
}

function cellsOf(row: string): number {
  const bare = row
    .trim()
    .replaceAll("\\|", "")
    .replaceAll(/`[^`]*`/g, "");
  return bare.replace(/^\|/, "").replace(/\|$/, "").split("|").length;
}

/** Whether the second line of a table stands here: dashes in cells. */
function isTableRule(line: string): boolean {
  if (!line.includes("|") || !line.includes("-")) return false;
  const bare = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  return bare.split("|").every((cell) => /^:?-+:?$/.test(cell.trim()));
}

/** Lines on which tables of a text begin (their headings), from 0. */
export function tablesOf(lines: readonly string[]): number[] {
  return [...lines.keys()].filter(
    (at) => isTableRule(lines[at + 1] ?? "") && (lines[at] ?? "").includes("|"),
  );
}

function tableFaults(lines: readonly string[]): SyntaxFault[] {
  return tablesOf(lines).flatMap((heading) => {
    const width = cellsOf(lines[heading] ?? "");
    const found: SyntaxFault[] = [];
    for (let at = heading + 1; (lines[at] ?? "").includes("|"); at += 1) {
      const cells = cellsOf(lines[at] ?? "");
      const detail = `the row has ${cells} cells, the heading of its table ${width}`;
      if (cells !== width) found.push(fault("ragged_table", at + 1, 1, detail));
    }
    return found;
  });
}

/** The name by which a heading is linked to, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

function linkFaults(lines: readonly string[]): SyntaxFault[] {
  const headings = new Set(
    lines.flatMap((line) => {
      const title = /^ {0,3}#{1,6}\s(.*)$/.exec(line)?.[1];
      return title === undefined ? [] : [anchorOf(title)];
    }),
  );
  const definitions = new Set(
    lines.flatMap((line) => /^ {0,3}\[([^\]]{1,200})\]:/.exec(line)?.[1]?.toLowerCase() ?? []),
  );
  return lines.flatMap((line, index) =>
    line.includes("](") || line.includes("][")
      ? lineLinkFaults(line, index + 1, { headings, definitions })
      : [],
  );
}

interface Targets {
  headings: ReadonlySet<string>;
  definitions: ReadonlySet<string>;
}

function lineLinkFaults(line: string, number: number, targets: Targets): SyntaxFault[] {
  const found: SyntaxFault[] = [];
  const plain = line.replaceAll(/`[^`]*`/g, (code) => " ".repeat(code.length));
  for (const { 1: address = "", index } of plain.matchAll(/\]\(([^()\s]{0,2000})\)/g)) {
    if (address === "")
      found.push(fault("empty_link", number, index + 1, "the link has no address"));
    else if (address.startsWith("#") && !targets.headings.has(address.slice(1).toLowerCase())) {
      const detail = `no heading of this text is called ${address.slice(0, 100)}`;
      found.push(fault("dead_link", number, index + 1, detail));
    }
  }
  for (const { 1: name = "", index } of plain.matchAll(/\]\[([^\][]{1,200})\]/g)) {
    if (targets.definitions.has(name.toLowerCase()) || targets.definitions.size === 0) continue;
    found.push(fault("dead_link", number, index + 1, `[${name.slice(0, 100)}] is not defined`));
  }
  return found;
}
