import { ok, type Result } from "../../lib/result.ts";
import { refuseOption } from "./input-failure.ts";
import { detectLanguage, wordsOf, type Language, type LanguageGuess } from "./language.ts";
import { progressAt } from "./progress.ts";
import type {
  JsonObject,
  JsonValue,
  PureSkill,
  SkillFailure,
  PureRun,
  SkillTask,
} from "./skill.ts";
import { keyTerms } from "./text/key-terms.ts";
import { readDocuments, sizeOfDocuments } from "./text/read-documents.ts";
import { paragraphsOf, splitSentences } from "./text/split-sentences.ts";
import { Stems } from "./text/stems.ts";
import { summarise } from "./text/summarise.ts";
import { assessSummary } from "./text/text-quality.ts";
import { measureText } from "./text/text-statistics.ts";

const STEPS: Readonly<Record<Language, readonly string[]>> = {
  en: [
    "Reading the text",
    "Splitting it into sentences",
    "Measuring the text",
    "Finding key terms",
    "Choosing the sentences that carry it",
  ],
  es: [
    "Leyendo el texto",
    "Separando las frases",
    "Midiendo el texto",
    "Buscando los términos clave",
    "Eligiendo las frases que lo resumen",
  ],
};

const DEFAULT_TERMS = 12;
const LIMITS = { max_sentences: 50, max_terms: 100 } as const;
/** Longer "sentences" come from text without punctuation; whole they could outgrow a message. */
const LONGEST_QUOTE = 1000;
const CHARACTERS_PER_SECOND = 100_000;
/** Below this the text is probably in neither language, and the reader should know. */
const DOUBTFUL = 0.5;

interface Options {
  language: Language | null;
  max_sentences: number | null;
  max_terms: number;
}

/**
 * Condenses given text, in English or Spanish; needs no model.
 *
 * Input: `text` or `documents` (see readDocuments). Configuration: `language` ("en" or "es"; default:
 * detected), `max_sentences` (1–50; default: a quarter of the sentences, 3 to 7, at most half), `max_terms`
 * (1–100, default 12). The output has `language`, `summary` (sentences in the order of the text, each
 * with document_id, position and score), `summary_text`, `key_terms` and `statistics`.
 */
export const general: PureSkill = {
  task_type: "general",
  prior_quality: 0.7,
  estimate: (input_data) => 1 + Math.ceil(sizeOfDocuments(input_data) / CHARACTERS_PER_SECOND),
  lack,
  run: condense,
};

/** Without anything to condense the description is the task, and that takes a model. */
function lack({ input_data: { text, documents, url } }: SkillTask): string | null {
  return text === undefined && documents === undefined && url === undefined
    ? "it condenses given text, and the task brings neither text nor documents; anything else needs a language model"
    : null;
}

function* condense({ input_data, configuration }: SkillTask): PureRun {
  const options = readOptions(configuration);
  if (!options.ok) return options;
  const read = readDocuments(input_data);
  if (!read.ok) return read;
  const documents = read.value;
  const guess = detectLanguage(documents.flatMap(({ text }) => wordsOf(text)));
  const language = options.value.language ?? guess.language;
  const steps = STEPS[language];
  yield progressAt(steps, 1, { language, documents: documents.length });
  const stems = new Stems(language);
  const sentences = documents.flatMap((document) => splitSentences(document, language));
  yield progressAt(steps, 2, { sentences: sentences.length });
  const statistics = measureText(
    sentences,
    {
      documents: documents.length,
      characters: documents.reduce((sum, { text }) => sum + text.length, 0),
      paragraphs: documents.reduce((sum, { text }) => sum + paragraphsOf(text).length, 0),
    },
    language,
  );
  yield progressAt(steps, 3, { words: statistics.words });
  const terms = keyTerms(sentences, stems, options.value.max_terms);
  yield progressAt(steps, 4, { key_terms: terms.slice(0, 5).map(({ term }) => term) });
  const wanted = options.value.max_sentences ?? defaultSentences(sentences.length);
  const chosen = summarise(sentences, stems, wanted);
  const is_language_given = options.value.language !== null;
  const facts = { guess, is_language_given, sentences, chosen, terms };
  const summary_text = chosen.map(({ sentence }) => quoted(sentence.text)).join(" ");
  return ok({
    output: {
      language: { code: language, is_given: is_language_given, ...guess },
      summary: chosen.map(({ sentence: { text, document_id, position }, score }) => ({
        text: quoted(text),
        document_id,
        position,
        score,
      })),
      summary_text,
      key_terms: terms,
      statistics,
    },
    summary: summary_text.slice(0, 2000),
    quality: assessSummary(facts, stems, language),
    next_steps: [],
    lessons_learned: notesOn(guess, is_language_given),
  });
}

function quoted(text: string): string {
  return text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE)}…`;
}

function defaultSentences(sentences: number): number {
  const quarter = Math.min(7, Math.max(3, Math.round(sentences / 4)));
  return Math.min(quarter, Math.ceil(sentences / 2));
}

function notesOn(guess: LanguageGuess, isGiven: boolean): string[] {
  if (isGiven || guess.confidence >= DOUBTFUL) return [];
  return [
    `The text is hardly recognisable as English or Spanish (confidence ${guess.confidence}); other languages are read as English, and stop words then pass for terms.`,
  ];
}

function readOptions(configuration: JsonObject): Result<Options, SkillFailure> {
  const { language, max_sentences, max_terms } = configuration as {
    [key: string]: JsonValue | undefined;
  };
  if (language !== undefined && language !== "en" && language !== "es" && language !== "auto") {
    return refuseOption("language", 'must be "en", "es" or "auto"', language);
  }
  if (!isCount(max_sentences, LIMITS.max_sentences)) {
    return refuseOption("max_sentences", "must be a whole number from 1 to 50", max_sentences);
  }
  if (!isCount(max_terms, LIMITS.max_terms)) {
    return refuseOption("max_terms", "must be a whole number from 1 to 100", max_terms);
  }
  return ok({
    language: language === "en" || language === "es" ? language : null,
    max_sentences: max_sentences ?? null,
    max_terms: max_terms ?? DEFAULT_TERMS,
  });
}

function isCount(value: JsonValue | undefined, limit: number): value is number | undefined {
  if (value === undefined) return true;
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= limit;
}
