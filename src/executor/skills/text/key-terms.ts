import type { Sentence } from "./split-sentences.ts";
import type { Stems } from "./stems.ts";

/** A word or phrase that the text is about. */
export type KeyTerm = {
  /** In its most frequent form. */
  term: string;
  /** C-value relative to the best term, in (0, 1]. */
  score: number;
  count: number;
  /** Documents that use it. */
  documents: number;
};

interface Candidate {
  stems: string[];
  /** Content words in it. */
  length: number;
  forms: Map<string, number>;
  documents: Set<string>;
  count: number;
}

interface Token {
  stem: string;
  form: string;
  is_content: boolean;
  is_first: boolean;
}

const MAX_PHRASE_WORDS = 4;
/** A phrase must come back to count as a term; chance neighbours rarely do. */
const MIN_COUNT = 2;
/** With as many terms that come back, words used once are left out. */
const ENOUGH_TERMS = 5;
/** Stop words that hold a term together: "theory of games", "aceite de oliva". */
const CONNECTORS: ReadonlySet<string> = new Set(["of", "de", "del"]);
const FIRST_WORD_WEIGHT = 0.4;

/**
 * The terms of a text by C-value (Frantzi, Ananiadou & Mima 2000): frequency, weighted by the logarithm
 * of the length, less the uses inside longer terms. One is added to lengths so that single words count.
 *
 * Terms are runs of up to four content words within a sentence, also across "of" and "de"; forms with
 * the same stems are one term, written as the text mostly writes it.
 * Equal scores come in alphabetical order.
 *
 * @param wanted terms to return at most
 */
export function keyTerms(sentences: readonly Sentence[], stems: Stems, wanted: number): KeyTerm[] {
  const candidates = new Map<string, Candidate>();
  for (const sentence of sentences) collectFrom(sentence, stems, candidates);
  const recurring = [...candidates].filter(([, { count }]) => count >= MIN_COUNT);
  const kept =
    recurring.length >= ENOUGH_TERMS
      ? recurring
      : [...candidates].filter(([, { length, count }]) => length === 1 || count >= MIN_COUNT);
  const inside = usesInside(kept);
  const valued = kept.map(([key, candidate]) => {
    const nested = inside.get(key);
    const free = candidate.count - (nested === undefined ? 0 : nested.uses / nested.terms);
    return { candidate, value: Math.log2(candidate.length + 1) * free };
  });
  const sorted = valued
    .filter(({ value }) => value > 0)
    .map(({ candidate, value }) => ({ candidate, value, term: usualForm(candidate) }))
    .toSorted((a, b) => b.value - a.value || (a.term < b.term ? -1 : 1));
  const best = sorted[0]?.value ?? 1;
  return sorted.slice(0, wanted).map(({ candidate, value, term }) => ({
    term,
    score: Math.round((1000 * value) / best) / 1000,
    count: candidate.count,
    documents: candidate.documents.size,
  }));
}

function collectFrom(sentence: Sentence, stems: Stems, into: Map<string, Candidate>): void {
  for (const run of contentRuns(sentence, stems)) {
    for (const start of run.keys()) {
      for (const phrase of phrasesAt(run, start)) addUse(phrase, sentence.document_id, into);
    }
  }
}

/** The phrases that begin at a token; connectors stand only inside them and do not count as words. */
function phrasesAt(run: readonly Token[], start: number): Token[][] {
  if (run[start]?.is_content !== true) return [];
  const near = run.slice(start, start + 2 * MAX_PHRASE_WORDS);
  const ends = [...near.keys()].filter((at) => near[at]?.is_content);
  return ends.slice(0, MAX_PHRASE_WORDS).map((end) => near.slice(0, end + 1));
}

/** Runs of content words, joined by "of" or "de", that no other stop word or mark interrupts. */
function contentRuns({ text }: Sentence, stems: Stems): Token[][] {
  const runs: Token[][] = [[]];
  const pieces = text.split(/(?<=[,;:()[\]"“”«»—–!?/])|\s+/u);
  for (const [index, piece] of pieces.entries()) {
    const [word = ""] = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/u.exec(piece) ?? [];
    const token = tokenOf(word.replace(/['’]s$/u, ""), index === 0, stems);
    if (token !== null) runs.at(-1)?.push(token);
    if (token === null || !/[\p{L}\p{N}]$/u.test(piece)) runs.push([]);
  }
  return runs;
}

function tokenOf(word: string, isFirst: boolean, stems: Stems): Token | null {
  const lower = word.toLowerCase();
  const is_content = stems.isContent(lower);
  if (!is_content && !CONNECTORS.has(lower)) return null;
  // The capital of a first word says nothing about how the word is written elsewhere.
  const isAcronym = word.length > 1 && word === word.toUpperCase();
  return {
    stem: is_content ? stems.of(lower) : lower,
    is_content,
    is_first: isFirst,
    form: isFirst && !isAcronym ? lower : word,
  };
}

function addUse(phrase: readonly Token[], document_id: string, into: Map<string, Candidate>): void {
  const stems = phrase.map(({ stem }) => stem);
  const key = stems.join(" ");
  const known = into.get(key);
  const candidate: Candidate = known ?? {
    stems,
    length: phrase.filter(({ is_content }) => is_content).length,
    forms: new Map(),
    documents: new Set(),
    count: 0,
  };
  const form = phrase.map((token) => token.form).join(" ");
  const weight = phrase[0]?.is_first ? FIRST_WORD_WEIGHT : 1;
  candidate.forms.set(form, (candidate.forms.get(form) ?? 0) + weight);
  candidate.documents.add(document_id);
  candidate.count += 1;
  if (known === undefined) into.set(key, candidate);
}

function usesInside(
  kept: readonly (readonly [string, Candidate])[],
): Map<string, { uses: number; terms: number }> {
  const inside = new Map<string, { uses: number; terms: number }>();
  for (const [key, { stems, count }] of kept) {
    for (const part of new Set(partsOf(stems))) {
      if (part === key) continue;
      const known = inside.get(part) ?? { uses: 0, terms: 0 };
      inside.set(part, { uses: known.uses + count, terms: known.terms + 1 });
    }
  }
  return inside;
}

function partsOf(stems: readonly string[]): string[] {
  return stems.flatMap((_, start) =>
    stems.slice(start).map((__, length) => stems.slice(start, start + length + 1).join(" ")),
  );
}

/** The most frequent form, but a lower-case one within a sentence shows that the word is no name. */
function usualForm({ forms }: Candidate): string {
  const plain = [...forms].filter(([form, uses]) => uses >= 1 && form === form.toLowerCase());
  const choice = plain.length > 0 ? plain : [...forms];
  const [first] = choice.toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return (first?.[0] ?? "").slice(0, 200);
}
