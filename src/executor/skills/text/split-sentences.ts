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

/** Abbreviations after which a sentence goes on whatever follows. */
const ABBREVIATIONS: Readonly<Record<Language, ReadonlySet<string>>> = {
  en: new Set(
    "mr mrs ms dr prof rev hon gen col capt lt sgt sen rep gov sr jr st mt vs v etc e.g i.e cf al viz approx dept est inc ltd co corp bros u.s u.k u.n ph.d".split(
      " ",
    ),
  ),
  es: new Set(
    "sr sra srta sres dr dra prof profa lic ing arq gral cnel d dña ud uds vs etc p.ej ej cf aprox ee.uu c.a s.a avda av dpto tel ntra".split(
      " ",
    ),
  ),
};
/** Those that stand before a number: elsewhere "no" is an answer and "art" a word. */
const BEFORE_NUMBER: Readonly<Record<Language, ReadonlySet<string>>> = {
  en: new Set("no nos fig figs eq ch sec art vol vols p pp par ca c ed ver".split(" ")),
  es: new Set(
    "núm núms num nº n.º fig figs pág págs p pp art arts cap caps vol vols ca c".split(" "),
  ),
};
/** Months and days of the week, before a number ("Jan. 5") or, days, before a month ("Mon. Jan. 5"). */
const DATE_WORDS: Readonly<Record<Language, RegExp>> = {
  en: /^(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)$/,
  es: /^(?:ene|febr?|abr|may|jun|jul|ago|sept?|set|oct|nov|dic|lun|mié|jue|vie|sáb|dom)$/i,
};
const NUMBER_OR_MONTH =
  /^[(["“«]?(?:\p{N}|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\p{Ll}{0,6}(?!\p{L}))/u;
/** No abbreviation is longer. Characters. */
const LONGEST_WORD = 20;
/** Intl.Segmenter takes time for each segment that grows with the text it was given. Characters. */
const WINDOW = 2_000;
/** Pieces are joined to no longer sentence: a text of abbreviations alone has none. Characters. */
const LONGEST_JOINED = 5_000;
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
  const texts = paragraphsOf(document.text).flatMap((paragraph) =>
    joinBroken(segmentsOf(paragraph, segmenter), language),
  );
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

/** What UAX 29 parts a paragraph into, none of it blank. */
function segmentsOf(paragraph: string, segmenter: Intl.Segmenter): string[] {
  if (!/[\p{Sentence_Terminal}\u0085]./su.test(paragraph)) return [paragraph];
  const pieces: string[] = [];
  let start = 0;
  let size = WINDOW;
  while (start < paragraph.length) {
    const isEnd = start + size >= paragraph.length;
    const found = Array.from(segmenter.segment(paragraph.slice(start, start + size)));
    // Where the window cuts a sentence off, the next one begins with that sentence.
    const whole = isEnd ? found : found.slice(0, -1);
    for (const { segment } of whole) {
      pieces.push(segment.trim());
      start += segment.length;
    }
    size = whole.length === 0 ? 2 * size : WINDOW;
  }
  return pieces.filter((piece) => piece !== "");
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
  const sentences: string[][] = [];
  let before: string | undefined;
  let length = 0;
  for (const piece of pieces) {
    const isJoined =
      before !== undefined &&
      length + piece.length < LONGEST_JOINED &&
      isUnfinished(before, piece, language);
    if (isJoined) sentences.at(-1)?.push(piece);
    else sentences.push([piece]);
    length = isJoined ? length + piece.length + 1 : piece.length;
    before = piece;
  }
  return sentences.map((parts) => parts.join(" "));
}

function isUnfinished(before: string, after: string, language: Language): boolean {
  const continues = /^\p{Ll}/u.test(after);
  if (!before.endsWith(".")) return continues && !/[!?…]$/u.test(before);
  return continues || endsInAbbreviation(before, after, language);
}

/** Whether the full stop that ends `before` belongs to its last word, given the text that follows. */
export function endsInAbbreviation(before: string, after: string, language: Language): boolean {
  const [, word = ""] = /[("'“«[]*(\S+)\.$/u.exec(before.slice(-LONGEST_WORD)) ?? [];
  const lower = word.toLowerCase();
  if (/^\p{Lu}$/u.test(word) || ABBREVIATIONS[language].has(lower)) return true;
  if (DATE_WORDS[language].test(word)) return NUMBER_OR_MONTH.test(after);
  return BEFORE_NUMBER[language].has(lower) && /^[(["“«]?\p{N}/u.test(after);
}
