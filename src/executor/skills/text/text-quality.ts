import { wordsOf, type Language, type LanguageGuess } from "../language.ts";
import { figuresFor } from "../number-format.ts";
import { USUAL_WEIGHTS, weighedQuality } from "../score.ts";
import type { SkillQuality } from "../skill.ts";
import type { KeyTerm } from "./key-terms.ts";
import type { Sentence } from "./split-sentences.ts";
import type { Stems } from "./stems.ts";
import { standsAlone, type ChosenSentence } from "./summarise.ts";

/** What the assessment of a summary looks at. */
export interface SummaryFacts {
  guess: LanguageGuess;
  /** The task named the language, so nothing was guessed. */
  is_language_given: boolean;
  sentences: readonly Sentence[];
  chosen: readonly ChosenSentence[];
  terms: readonly KeyTerm[];
}

/** Terms that a summary should touch; beyond these a summary of a few sentences cannot reach. */
const MAIN_TERMS = 8;
/** A summary of this share of the text or less is as short as one can ask for. */
const SHORT_ENOUGH = 0.3;

/**
 * How far a summary can be relied on, from counted facts:
 *
 * - correctness: confidence in the language (1 when the task names it); sentences are quoted verbatim
 * - completeness: share of the eight main terms that the chosen sentences contain
 * - efficiency: brevity, 1 at 30 % of the words or less, falling to 0 at the full text
 * - maintainability: share of chosen sentences that read well alone
 */
export function assessSummary(facts: SummaryFacts, stems: Stems, language: Language): SkillQuality {
  const { guess, is_language_given, sentences, chosen, terms } = facts;
  const main = terms.slice(0, MAIN_TERMS);
  const covered = main.filter(({ term }) => isCovered(term, chosen, stems)).length;
  const all = sentences.reduce((sum, { words }) => sum + words.length, 0);
  const kept = chosen.reduce((sum, { sentence }) => sum + sentence.words.length, 0);
  const share = kept / Math.max(1, all);
  const alone = chosen.filter(({ sentence }) => standsAlone(sentence)).length;
  const criteria = {
    correctness: is_language_given ? 1 : guess.confidence,
    completeness: main.length === 0 ? 1 : covered / main.length,
    efficiency: Math.min(1, (1 - share) / (1 - SHORT_ENOUGH)),
    maintainability: chosen.length === 0 ? 0 : alone / chosen.length,
  };
  const figures = figuresFor(language);
  return weighedQuality(
    criteria,
    USUAL_WEIGHTS,
    language === "es"
      ? `El resumen cita ${chosen.length} de ${sentences.length} frases (${figures.share(share)} de las palabras) y contiene ${covered} de los ${main.length} términos principales.`
      : `The summary quotes ${chosen.length} of ${sentences.length} sentences (${figures.share(share)} of the words) and contains ${covered} of the ${main.length} main terms.`,
  );
}

function isCovered(term: string, chosen: readonly ChosenSentence[], stems: Stems): boolean {
  const wanted = wordsOf(term).map((word) => stems.of(word));
  return chosen.some(({ sentence }) => {
    const present = stems.contentOf(sentence.words);
    return wanted.every((stem) => present.has(stem));
  });
}
