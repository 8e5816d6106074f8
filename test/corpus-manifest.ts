import { createHash } from "node:crypto";

/* The list of frozen messages: one line a file, each chained to the line before it. Pure. */

/** A file of the corpus and its whole text. */
export interface CorpusFile {
  file: string;
  text: string;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What the first line is chained to. */
const BEGIN = sha256("batuta corpus");

function lineFor({ file, text }: CorpusFile, before: string): string {
  const content = sha256(text);
  return `${sha256(`${before} ${content} ${file}`)} ${content} ${file}`;
}

const chainOf = (line: string | undefined): string => line?.split(" ", 1)[0] ?? BEGIN;

/** The lines of a manifest's text. */
export function linesOf(manifest: string): string[] {
  return manifest.split("\n").filter((line) => line !== "");
}

/**
 * What is wrong with a corpus: a file that changed or vanished, one that is not listed, and a line that was taken out,
 * changed or moved, which breaks the chain of all behind it.
 */
export function manifestFaults(lines: readonly string[], files: readonly CorpusFile[]): string[] {
  const texts = new Map(files.map(({ file, text }) => [file, text]));
  const faults: string[] = [];
  for (const [index, line] of lines.entries()) {
    const [chain = "", content = "", file = ""] = line.split(" ");
    const before = chainOf(lines[index - 1]);
    if (chain !== sha256(`${before} ${content} ${file}`)) faults.push(`${file}: broken chain`);
    const text = texts.get(file);
    if (text === undefined) faults.push(`${file}: vanished`);
    else if (sha256(text) !== content) faults.push(`${file}: changed`);
    texts.delete(file);
  }
  return [...faults, ...[...texts.keys()].map((file) => `${file}: not listed`)];
}

/** The lines of a manifest after files have come: those that are there stay as they are. */
export function appended(lines: readonly string[], files: readonly CorpusFile[]): string[] {
  const known = new Set(lines.map((line) => line.split(" ")[2]));
  return files
    .filter(({ file }) => !known.has(file))
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))
    .reduce((all, each) => [...all, lineFor(each, chainOf(all.at(-1)))], [...lines]);
}
