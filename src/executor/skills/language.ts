import { stopwords as english } from "@orama/stopwords/english";
import { stopwords as spanish } from "@orama/stopwords/spanish";

/** The languages that skills read and write. */
export type Language = "en" | "es";

/** `confidence` in [0, 1] is 0 when no word of either language was seen. */
export interface LanguageGuess {
  language: Language;
  confidence: number;
  stop_word_share: { en: number; es: number };
}

/** Function words that the English list (NLTK's) leaves out. */
const MORE_ENGLISH =
  "also could would may might must shall upon one two three many much however therefore thus since among within without per via yet even still another".split(
    " ",
  );

const STOP_WORDS: Readonly<Record<Language, ReadonlySet<string>>> = {
  en: new Set([...english, ...MORE_ENGLISH]),
  es: new Set(spanish),
};

/** A running text has about 40 % stop words; below half of that the guess loses confidence. */
const TYPICAL_SHARE = 0.2;

/** Words that say too little alone to count as content of a text. */
export function stopWords(language: Language): ReadonlySet<string> {
  return STOP_WORDS[language];
}

/**
 * Decides between English and Spanish by the share of stop words that only one of them has.
 *
 * English when nothing speaks for either. Another language shows as low confidence, not as an error.
 *
 * @param words lower-case words of the text, in any order
 */
export function detectLanguage(words: readonly string[]): LanguageGuess {
  let en = 0;
  let es = 0;
  for (const word of words) {
    // A single letter is as often an initial or a unit as a word of either language.
    if (word.length === 1) continue;
    const isEnglish = STOP_WORDS.en.has(word);
    const isSpanish = STOP_WORDS.es.has(word);
    if (isEnglish && !isSpanish) en += 1;
    if (isSpanish && !isEnglish) es += 1;
  }
  const total = Math.max(1, words.length);
  const share = { en: en / total, es: es / total };
  const seen = en + es;
  const margin = seen === 0 ? 0 : Math.abs(en - es) / seen;
  const support = Math.min(1, Math.max(share.en, share.es) / TYPICAL_SHARE);
  return {
    language: es > en ? "es" : "en",
    confidence: Math.round(100 * margin * support) / 100,
    stop_word_share: {
      en: Math.round(1000 * share.en) / 1000,
      es: Math.round(1000 * share.es) / 1000,
    },
  };
}

/**
 * The language to write for people: the configured one, else the one the description is in.
 *
 * @param configured `configuration.language`, of any type; only "en" and "es" count
 */
export function readerLanguage(configured: unknown, description: string): Language {
  if (configured === "en" || configured === "es") return configured;
  return detectLanguage(wordsOf(description)).language;
}

/** The words of a text in lower case: letters and digits, with inner apostrophes and hyphens. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];
}
