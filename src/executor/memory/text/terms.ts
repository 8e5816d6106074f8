import { detectLanguage, stopWords, wordsOf, type Language } from "../../skills/language.ts";
import { Stems } from "../../skills/text/stems.ts";
import { SYNONYMS } from "./synonyms.ts";

/** What is read of a text: a memory is shorter, and a question of a megabyte costs no more than this. */
const READ_CHARACTERS = 8_000;

/**
 * A stem without its accents, so that people who leave them out are understood, and without the signs that some
 * letters fall apart into: `ŀ` is `l·`, `½` is `1⁄2`.
 */
function plain(word: string): string {
  return word.normalize("NFKD").replaceAll(/[^\p{L}\p{N}]+/gu, "");
}

/**
 * A stem as the index of words holds it: in signs that no version of Unicode divides. The index cuts where its own
 * tables see no letter, and a word cut in two is a phrase, which it cannot look for.
 */
export function indexedWord(stem: string): string {
  return stem.replaceAll(/[^a-z0-9]/gu, (sign) => `x${sign.codePointAt(0)?.toString(36)}x`);
}

function meaningsOf(language: Language): Map<string, string> {
  const stems = new Stems(language);
  return new Map(
    SYNONYMS.flatMap((meaning) =>
      meaning[language].map((word): [string, string] => [plain(stems.of(word)), meaning.name]),
    ),
  );
}

const MEANINGS = { en: meaningsOf("en"), es: meaningsOf("es") };

/** A content word: as it stands without accents, and the stem or meaning that it counts as. */
export interface Term {
  word: string;
  stem: string;
}

/**
 * The content words of a text in their order, in the stems of its language (English or Spanish) or by their meaning
 * in the table of synonyms. Letters and digits only, whatever the text holds; its first 8,000 characters are read.
 */
export function termsOf(text: string): Term[] {
  const words = wordsOf(text.slice(0, READ_CHARACTERS)).flatMap((word) => word.split(/['’-]/u));
  const { language } = detectLanguage(words);
  const stems = new Stems(language);
  return words
    .filter(
      (word) => stems.isContent(word) && !stopWords(language === "en" ? "es" : "en").has(word),
    )
    .map((word) => {
      const stem = plain(stems.of(word));
      return { word: plain(word), stem: MEANINGS[language].get(stem) ?? stem };
    });
}
