import { detectLanguage, wordsOf, type Language } from "../../skills/language.ts";
import { Stems } from "../../skills/text/stems.ts";
import type { Piece, Reading } from "../pieces.ts";

/** Words of an output that are compared; a request names no more than a few dozen terms. */
const MAX_WORDS = 60_000;
/** Fewer words say nothing reliable about a language or a subject. */
const FEW_WORDS = 12;
/** A language is held to be known from this confidence on (see detectLanguage). */
const SURE = 0.5;

/** Names that the executor's own answer shapes use: their presence says nothing about the subject. */
const SHAPE_NAMES = new Set(
  "answer citations code content document_id explanation files id items language markdown notes path quote result sources steps summary text title".split(
    " ",
  ),
);

/** Words of a text, also those inside identifiers: `parseInvoice_total` has parse, invoice and total. */
export function namedWords(text: string): string[] {
  return wordsOf(
    text.replaceAll(/([\p{Ll}\d])(?=\p{Lu})/gu, "$1 ").replaceAll(/[_./\\]/g, " "),
  ).flatMap((word) => (word.includes("-") ? [word, ...word.split("-")] : [word]));
}

/** Text written for people: what is neither code nor data, without fenced blocks. */
export function proseOf(piece: Piece): string {
  if (piece.kind !== "text" && piece.kind !== "markdown") return "";
  if (piece.line > 1) return "";
  return piece.text.replaceAll(/^ {0,12}(```|~~~)[^\n]*\n[\s\S]*?^ {0,12}\1[^\n]*$/gm, "");
}

/** The language of a text; null where it is too short or too unlike English and Spanish to be sure. */
export function languageOf(text: string): Language | null {
  const words = wordsOf(text.slice(0, 50_000));
  if (words.length < FEW_WORDS) return null;
  const { language, confidence } = detectLanguage(words);
  return confidence >= SURE ? language : null;
}

/** The words of an output by their stems. */
export interface Vocabulary {
  language: Language;
  stems: ReadonlySet<string>;
  words: ReadonlySet<string>;
  /** Words in all, repetitions counted, up to the limit. */
  count: number;
}

/** Reduces an output to the stems of one language, names of members included. */
export function vocabularyOf(reading: Reading, language: Language): Vocabulary {
  const stems = new Stems(language);
  const found: string[] = [];
  const keys = reading.keys.filter((key) => !SHAPE_NAMES.has(key));
  for (const text of [...reading.pieces.map((piece) => piece.text), keys.join(" ")]) {
    if (found.length >= MAX_WORDS) break;
    found.push(...namedWords(text.slice(0, 200_000)).slice(0, MAX_WORDS - found.length));
  }
  return { language, stems: stems.contentOf(found), words: new Set(found), count: found.length };
}

/** Letters that two words share at least to count as forms of one: "authenticate", "authentication". */
const ROOT = 6;

/** Whether a stem is among the words, also as the beginning of a longer form. */
export function isCovered(stem: string, { stems, words }: Vocabulary): boolean {
  if (stems.has(stem) || words.has(stem)) return true;
  if (stem.length < ROOT) return false;
  const root = stem.slice(0, Math.max(ROOT, stem.length - 2));
  for (const word of stems) if (word.startsWith(root)) return true;
  return false;
}
