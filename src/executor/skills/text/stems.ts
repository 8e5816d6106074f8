import { stemmer as stemEnglish } from "@orama/stemmers/english";
import { stemmer as stemSpanish } from "@orama/stemmers/spanish";

import { stopWords, type Language } from "../language.ts";

/** Longer strings are no words; stemming them costs time that grows with the square. */
const LONGEST_WORD = 50;

/** Reduces words of one language to what their forms share; remembers what it has seen. */
export class Stems {
  readonly #language: Language;
  readonly #known = new Map<string, string>();

  constructor(language: Language) {
    this.#language = language;
  }

  /** The Snowball stem of a lower-case word. */
  of(word: string): string {
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    if (word.length > LONGEST_WORD) return word;
    const stem = this.#language === "es" ? stemSpanish(word) : stemEnglish(word);
    this.#known.set(word, stem);
    return stem;
  }

  /** Whether a word carries content: no stop word, no bare number, not a single letter. */
  isContent(word: string): boolean {
    const base = word.replace(/['’].*$/u, "");
    return base.length > 1 && /\p{L}/u.test(base) && !stopWords(this.#language).has(base);
  }

  /** The stems of the content words, each once. */
  contentOf(words: readonly string[]): Set<string> {
    return new Set(words.filter((word) => this.isContent(word)).map((word) => this.of(word)));
  }
}
