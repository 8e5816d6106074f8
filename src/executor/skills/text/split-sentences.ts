import { wordsOf, type Language } from "../language.ts";
import type { SourceDocument } from "./read-documents.ts";

/** A sentence and where it stands: `position` counts the sentences of its document from 1. */
export interface Sentence {
  document_id: string;
  position: number;
  text: string;
  words: string[];
  /** Headings, list labels and the like: counted, but never quoted in a summary. */
  is_fragment: boolean;
}

const ABBREVIATIONS: Readonly<Record<Language, ReadonlySet<string>>> = {
  en: new Set(
    "mr mrs ms dr prof sr jr st vs etc e.g i.e cf fig no vol pp approx dept est inc ltd co u.s u.k".split(
      " ",
    ),
  ),
  es: new Set(
    "sr sra srta dr dra prof lic ing d dña ud uds etc p.ej ej núm nº pág págs art cap vol aprox ee.uu c.a s.a avda".split(
      " ",
    ),
  ),
};
/** Shorter pieces without a full stop are headings or labels. */
const FRAGMENT_WORDS = 12;

/**
 * Splits a document into sentences by Unicode's rules (UAX 29), mended where these stumble: after
 * abbreviations and initials, and before a lower-case continuation.
 *
 * Blank lines, list items and Markdown headings end a sentence whatever its punctuation; other line
 * breaks are taken as wrapping.
 */
export function splitSentences(document: SourceDocument, language: Language): Sentence[] {
  const segmenter = new Intl.Segmenter(language, { granularity: "sentence" });
  const texts = paragraphsOf(document.text).flatMap((paragraph) => {
    const pieces = Array.from(segmenter.segment(paragraph), ({ segment }) => segment.trim());
    return joinBroken(
      pieces.filter((piece) => piece !== ""),
      language,
    );
  });
  return texts
    .map((text) => ({ text, words: wordsOf(text) }))
    .filter(({ words }) => words.length > 0)
    .map(({ text, words }, index) => ({
      document_id: document.id,
      position: index + 1,
      text,
      words,
      is_fragment: !/[.!?…]["'”»’)\]]*$/u.test(text) && words.length < FRAGMENT_WORDS,
    }));
}

/** The paragraphs of a text, each on one line: parts between blank lines, list items, headings. */
export function paragraphsOf(text: string): string[] {
  return text
    .replaceAll(/\r\n?/g, "\n")
    .split(/\n\s*\n|\n(?=\s*(?:[-*•–]\s|\d{1,3}[.)]\s|#{1,6}\s))|(?<=^|\n)(#{1,6}\s[^\n]*)\n/)
    .flatMap((part) => (part === undefined ? [] : [plainLine(part)]))
    .filter((part) => part !== "");
}

function plainLine(paragraph: string): string {
  return paragraph
    .replace(/^\s*(?:[-*•–]\s+|\d{1,3}[.)]\s+|#{1,6}\s+)/, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

function joinBroken(pieces: readonly string[], language: Language): string[] {
  const sentences: string[] = [];
  for (const piece of pieces) {
    const last = sentences.at(-1);
    if (last !== undefined && isUnfinished(last, piece, language)) {
      sentences[sentences.length - 1] = `${last} ${piece}`;
    } else {
      sentences.push(piece);
    }
  }
  return sentences;
}

function isUnfinished(before: string, after: string, language: Language): boolean {
  if (!before.endsWith(".")) return /^\p{Ll}/u.test(after) && !/[!?…]$/u.test(before);
  const word = before.slice(before.lastIndexOf(" ") + 1, -1);
  const bare = word.replace(/^[("'“«[]+/u, "");
  const isInitial = /^\p{Lu}$/u.test(bare);
  return isInitial || ABBREVIATIONS[language].has(bare.toLowerCase()) || /^\p{Ll}/u.test(after);
}
