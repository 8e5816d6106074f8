import { YAMLException, loadAll } from "js-yaml";
import { TomlError, parse as parseToml } from "smol-toml";

import { lineAndColumn } from "../pieces.ts";
import type { SyntaxFault } from "./fault.ts";

function broken(code: string, at: { line: number; column: number }, detail: string): SyntaxFault {
  return { code, ...at, detail: detail.slice(0, 300), is_broken: true };
}

/** Why a text is no JSON; null when it is. */
export function jsonFault(text: string): SyntaxFault | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const { message } = error;
    const position = /at position (\d+)/.exec(message)?.[1];
    const offset = position === undefined ? text.length : Number(position);
    const what = message.replace(/ in JSON at position.*$/s, "");
    return broken("invalid_json", lineAndColumn(text, offset), what);
  }
}

/** Why a text is no YAML, or a stream of YAML documents; null when it is. */
export function yamlFault(text: string): SyntaxFault | null {
  try {
    loadAll(text);
    return null;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { mark, reason } = error;
    return broken(
      "invalid_yaml",
      { line: (mark?.line ?? 0) + 1, column: (mark?.column ?? 0) + 1 },
      reason,
    );
  }
}

/** Why a text is no TOML; null when it is. */
export function tomlFault(text: string): SyntaxFault | null {
  try {
    parseToml(text, { integersAsBigInt: "asNeeded" });
    return null;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, column, message } = error;
    return broken("invalid_toml", { line, column }, message.split("\n")[0] ?? "");
  }
}

const HUNK = /^@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@/;

/**
 * What is wrong with a unified diff: a line of a hunk that begins with none of its marks (broken), or a hunk whose
 * heading counts other lines than it has. A text without hunks is none (broken).
 */
export function diffFaults(text: string): SyntaxFault[] {
  const lines = text.replace(/\n$/, "").split("\n");
  const found: SyntaxFault[] = [];
  let hunks = 0;
  for (let at = 0; at < lines.length; at += 1) {
    const heading = HUNK.exec(lines[at] ?? "");
    if (heading === null) continue;
    hunks += 1;
    const wanted = [Number(heading[1] ?? 1), Number(heading[2] ?? 1)] as const;
    const end = hunkEnd(lines, at + 1);
    const body = lines.slice(at + 1, end);
    const old = body.filter((line) => !/^[+\\]/.test(line)).length;
    const now = body.filter((line) => !/^[-\\]/.test(line)).length;
    // A last empty line is mostly space after the patch and not a line of context.
    const slack = body.at(-1) === "" ? 1 : 0;
    const fits = (count: number, want: number): boolean => count === want || count - slack === want;
    if (!fits(old, wanted[0]) || !fits(now, wanted[1])) {
      const detail = `the hunk has ${old} old and ${now} new lines, its heading says ${wanted[0]} and ${wanted[1]}`;
      found.push({ code: "bad_hunk", line: at + 1, column: 1, detail, is_broken: false });
    }
    const stray = lines[end];
    if (stray !== undefined && !/^(?:@@|---|diff |index |Index|From |\+\+\+)/.test(stray)) {
      const detail = "a line of a hunk must begin with a space, + or -";
      found.push(broken("bad_patch_line", { line: end + 1, column: 1 }, detail));
    }
  }
  if (hunks > 0) return found;
  return [broken("no_hunk", { line: 1, column: 1 }, "a unified diff has hunks that begin with @@")];
}

function hunkEnd(lines: readonly string[], from: number): number {
  let at = from;
  while (at < lines.length && /^(?:[ +\\]|-(?!-- )|$)/.test(lines[at] ?? "")) at += 1;
  return at;
}
