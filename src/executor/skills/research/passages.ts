import { detectLanguage, wordsOf, type Language } from "../language.ts";
import type { SourceDocument } from "../text/read-documents.ts";
import { splitSentences, type Sentence } from "../text/split-sentences.ts";
import { Stems } from "../text/stems.ts";

/** A sentence, or a part of an endless one, exactly where its document has it. */
export interface Passage {
  document: SourceDocument;
  /** The number of its sentence within the document, from 1. */
  sentence: number;
  /** Characters (UTF-16) of the document's text, end exclusive. */
  start: number;
  end: number;
  /** Its own terms, and those of what it leans on: the sentence before, its heading, its document's title. */
  terms: string[];
  context: string[];
  is_fragment: boolean;
  language: Language;
  before: Passage | null;
}

/** What has no full stop for longer than this is cut, so that a quote stays readable. Characters. */
const LONGEST_PASSAGE = 600;

/** What the passages of one language have their words reduced by. */
export type StemsByLanguage = Map<Language, Stems>;

/**
 * Cuts documents into passages, each in its own language (or the given one); `stems` gets the languages met.
 */
export function passagesOf(
  documents: readonly SourceDocument[],
  given: Language | null,
  stems: StemsByLanguage,
): Passage[] {
  return documents.flatMap((document) => {
    const language = given ?? detectLanguage(wordsOf(document.text)).language;
    const own = stems.get(language) ?? new Stems(language);
    stems.set(language, own);
    return locate(document, splitSentences(document, language), { own, language });
  });
}

/** The terms of words: stems of content words without accents, and numbers as they stand. */
function termsOf(words: readonly string[], stems: Stems): string[] {
  return words.flatMap((word) => {
    if (/^\p{N}/u.test(word)) return [word];
    return stems.isContent(word) ? [termOf(word, stems)] : [];
  });
}

/** The term of one word. */
export function termOf(word: string, stems: Stems): string {
  const base = word.replace(/['’]s?$/u, "");
  if (/^\p{N}/u.test(base)) return base;
  return stems.of(base).normalize("NFD").replaceAll(/\p{M}/gu, "");
}

/** Sentences come with their blanks made even; without blanks they are found again in the original. */
function locate(
  document: SourceDocument,
  sentences: readonly Sentence[],
  { own: stems, language }: { own: Stems; language: Language },
): Passage[] {
  const { text } = document;
  const places = Array.from(text.matchAll(/\S/g), ({ index }) => index);
  const dense = text.replaceAll(/\s/g, "");
  const title = termsOf(wordsOf(document.title ?? ""), stems);
  const found: Passage[] = [];
  let heading: string[] = [];
  let cursor = 0;
  for (const { text: said, position, is_fragment } of sentences) {
    const wanted = said.replaceAll(/\s/g, "");
    const at = dense.indexOf(wanted, cursor);
    const [start, last] = [places[at], places[at + wanted.length - 1]];
    if (start === undefined || last === undefined) continue;
    cursor = at + wanted.length;
    const base = { document, sentence: position, is_fragment, language };
    for (const [from, to] of piecesOf(text, start, last + 1)) {
      const before = found.at(-1) ?? null;
      const terms = termsOf(wordsOf(text.slice(from, to)), stems);
      const context = [...title, ...heading, ...leantOn(before)];
      found.push({ ...base, start: from, end: to, terms, context, before });
    }
    if (is_fragment) heading = [...leantOn(found.at(-1) ?? null)];
  }
  return found;
}

function leantOn(passage: Passage | null): readonly string[] {
  return passage === null ? [] : passage.terms;
}

function piecesOf(text: string, start: number, end: number): [number, number][] {
  const pieces: [number, number][] = [];
  let from = start;
  while (end - from > LONGEST_PASSAGE) {
    const blank = text.lastIndexOf(" ", from + LONGEST_PASSAGE);
    const cut = blank > from ? blank : from + LONGEST_PASSAGE;
    // A cut must not part the halves of one character.
    const to = /[\udc00-\udfff]/.test(text.charAt(cut)) ? cut + 1 : cut;
    pieces.push([from, to]);
    from = text.charAt(to) === " " ? to + 1 : to;
  }
  if (from < end) pieces.push([from, end]);
  return pieces;
}
