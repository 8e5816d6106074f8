import { syllable } from "syllable";

import type { Language } from "../language.ts";
import { finite } from "../rounding.ts";
import type { Sentence } from "./split-sentences.ts";

/** Countable facts of a text. */
export type TextStatistics = {
  documents: number;
  characters: number;
  paragraphs: number;
  sentences: number;
  words: number;
  distinct_words: number;
  words_per_sentence: number;
  syllables_per_word: number;
  /** Silent reading by an adult, in minutes; rates of Brysbaert (2019). */
  reading_minutes: number;
  readability: Readability;
};

/** Ease of reading on the scale of Flesch: 0 very hard to 100 very easy; it can lie beyond either end. */
export type Readability = {
  formula: "Flesch Reading Ease" | "Fernández-Huerta";
  score: number;
  level: "very easy" | "easy" | "standard" | "hard" | "very hard";
};

/** Words a minute: English 238, Spanish 278 (Brysbaert 2019, doi:10.1016/j.jml.2019.104047). */
const WORDS_PER_MINUTE: Readonly<Record<Language, number>> = { en: 238, es: 278 };

/** Measures a text, of which there must be at least one sentence with a word. */
export function measureText(
  sentences: readonly Sentence[],
  size: { documents: number; characters: number; paragraphs: number },
  language: Language,
): TextStatistics {
  const words = sentences.flatMap((sentence) => sentence.words);
  const count = Math.max(1, words.length);
  const syllables = words.reduce((sum, word) => sum + countSyllables(word, language), 0);
  const words_per_sentence = finite(count / Math.max(1, sentences.length));
  const syllables_per_word = finite(syllables / count);
  return {
    ...size,
    sentences: sentences.length,
    words: words.length,
    distinct_words: new Set(words).size,
    words_per_sentence,
    syllables_per_word,
    reading_minutes: Math.round((10 * count) / WORDS_PER_MINUTE[language]) / 10,
    readability: readability(words_per_sentence, syllables_per_word, language),
  };
}

/**
 * English: Flesch (1948), 206.835 − 1.015 words/sentence − 84.6 syllables/word.
 * Spanish: Fernández Huerta (1959) as corrected by Law (2011), 206.84 − 60 syllables/word −
 * 1.02 words/sentence.
 */
export function readability(
  words_per_sentence: number,
  syllables_per_word: number,
  language: Language,
): Readability {
  const score =
    language === "es"
      ? 206.84 - 60 * syllables_per_word - 1.02 * words_per_sentence
      : 206.835 - 84.6 * syllables_per_word - 1.015 * words_per_sentence;
  return {
    formula: language === "es" ? "Fernández-Huerta" : "Flesch Reading Ease",
    score: Math.round(10 * score) / 10,
    level: levelOf(score),
  };
}

function levelOf(score: number): Readability["level"] {
  if (score >= 80) return "very easy";
  if (score >= 70) return "easy";
  if (score >= 60) return "standard";
  return score >= 30 ? "hard" : "very hard";
}

/** Syllables of a lower-case word, at least 1. Spanish ones are counted by their vowel groups. */
export function countSyllables(word: string, language: Language): number {
  // No word is longer, and the patterns of the library take time that grows with the square.
  const start = word.slice(0, 50);
  return Math.max(1, language === "es" ? spanishSyllables(start) : syllable(start));
}

/**
 * Spanish spelling tells its syllables: one per vowel group, more where two strong vowels or an
 * accented weak one break it (hiato). The u of que, qui, gue and gui is mute, a final y is a vowel.
 */
function spanishSyllables(word: string): number {
  const sounded = word.replaceAll(/([qg])u(?=[eéií])/g, "$1").replace(/y$/, "i");
  const groups = sounded.match(/[aeiouáéíóúü]+/g) ?? [];
  return groups.reduce((sum, group) => sum + 1 + breaksIn(group), 0);
}

function breaksIn(group: string): number {
  let breaks = 0;
  for (let at = 1; at < group.length; at += 1) {
    const [before = "", after = ""] = [group[at - 1], group[at]];
    const twoStrong = /[aeoáéó]/.test(before) && /[aeoáéó]/.test(after);
    if (twoStrong || /[íú]/.test(before) || /[íú]/.test(after)) breaks += 1;
  }
  return breaks;
}
