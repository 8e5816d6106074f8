import { ok, type Result } from "../../lib/result.ts";
import { refuseInput, refuseOption } from "./input-failure.ts";
import { readerLanguage, type Language } from "./language.ts";
import { progressAt } from "./progress.ts";
import { answerFrom, answerOutput, textOf, type Answer } from "./research/answer.ts";
import { passagesOf, type Passage, type StemsByLanguage } from "./research/passages.ts";
import { MAX_QUESTIONS, questionsOf } from "./research/question.ts";
import { assessAnswers } from "./research/research-quality.ts";
import { PassageIndex } from "./research/search.ts";
import type {
  JsonObject,
  JsonValue,
  PureRun,
  PureSkill,
  SkillFailure,
  SkillTask,
} from "./skill.ts";
import { readDocuments, sizeOfDocuments, type SourceDocument } from "./text/read-documents.ts";

const STEPS: Readonly<Record<Language, readonly string[]>> = {
  en: [
    "Reading the documents",
    "Cutting them into passages",
    "Indexing the passages",
    "Searching for each question",
    "Weighing what was found",
  ],
  es: [
    "Leyendo los documentos",
    "Separando los pasajes",
    "Indexando los pasajes",
    "Buscando cada pregunta",
    "Sopesando lo encontrado",
  ],
};

const LANGUAGES: readonly (JsonValue | undefined)[] = [undefined, "auto", "en", "es"];
const DEFAULT_PASSAGES = 3;
const MAX_PASSAGES = 10;
/** A question is no document: what is longer was put into the wrong field. Characters. */
const LONGEST_QUESTION = 10_000;
const CHARACTERS_PER_SECOND = 60_000;

interface Options {
  question: string;
  language: Language | null;
  max_passages: number;
}

/** All that a run knows at its end. */
interface Found {
  documents: readonly SourceDocument[];
  passages: readonly Passage[];
  answers: readonly Answer[];
}

/**
 * Answers questions from given documents, in English or Spanish, in their own words; needs no model.
 *
 * Input: `text` or `documents` (see readDocuments). The question is `configuration.question`, else the task's
 * description; several (by question mark or line, 20 at most) are answered one by one. Configuration: `language`
 * ("en" or "es": of the documents and of what is told; default: detected, document by document) and
 * `max_passages` (1–10 for each question, default 3). The output has `answer`, `confidence`, `answers` (each with
 * citations: exact quotes and where they stand, facts, contradictions), `unanswered_questions` and `statistics`.
 *
 * Documents are only ever searched and quoted. When they support no answer at all, the run fails as `no_support`,
 * with what was searched and what came closest: nothing is ever answered from elsewhere.
 */
export const research: PureSkill = {
  task_type: "research",
  prior_quality: 0.65,
  estimate: (input_data) => 1 + Math.ceil(sizeOfDocuments(input_data) / CHARACTERS_PER_SECOND),
  lack,
  run: answer,
};

function lack({ input_data }: SkillTask): string | null {
  const isGiven = ["text", "documents", "url"].some((field) => Object.hasOwn(input_data, field));
  return isGiven
    ? null
    : "The question comes without documents to answer it from: put them into input_data.text or input_data.documents, or let a model answer.";
}

function* answer({ description, input_data, configuration }: SkillTask): PureRun {
  const options = readOptions(description, configuration);
  if (!options.ok) return options;
  const { question, language, max_passages } = options.value;
  const reader = readerLanguage(language, question);
  const steps = STEPS[reader];
  const questions = questionsOf(question, reader);
  if (questions.every(({ words }) => words.length === 0)) return refuseQuestion(question);
  yield progressAt(steps, 0, { questions: questions.length });
  const read = readDocuments(input_data);
  if (!read.ok) return read;
  yield progressAt(steps, 1, { documents: read.value.length });
  const stems: StemsByLanguage = new Map();
  const passages = passagesOf(read.value, language, stems);
  yield progressAt(steps, 2, { passages: passages.length });
  const index = new PassageIndex(passages, stems);
  yield progressAt(steps, 3);
  const answers = questions.map((asked) => answerFrom(asked, index.search(asked), max_passages));
  const found = { documents: read.value, passages, answers };
  const answered = answers.filter(({ citations }) => citations.length > 0);
  yield progressAt(steps, 4, { answered: answered.length });
  if (answered.length === 0) return refuseUnsupported(found);
  const said = sayAnswers(answered, questions.length > 1);
  return ok({
    output: outputOf(found, { said, language: reader }),
    summary: said.slice(0, 2000),
    quality: assessAnswers(answers, reader),
    next_steps: nextSteps(answers, reader),
    lessons_learned: notesOn(found, { reader, stems }),
  });
}

function outputOf(
  { documents, passages, answers }: Found,
  { said, language }: { said: string; language: Language },
): JsonObject {
  const answered = answers.filter(({ citations }) => citations.length > 0);
  const sum = answered.reduce((total, { confidence }) => total + confidence, 0);
  return {
    language,
    answer: said,
    confidence: Math.round((1000 * sum) / answers.length) / 1000,
    answers: answers.map(answerOutput),
    unanswered_questions: answers
      .filter(({ citations }) => citations.length === 0)
      .map(({ question }) => question.text),
    statistics: {
      documents: documents.length,
      passages: passages.length,
      questions: answers.length,
      answered: answered.length,
    },
  };
}

function sayAnswers(answered: readonly Answer[], withQuestions: boolean): string {
  return answered
    .map(({ question, citations }) =>
      withQuestions ? `${question.text} ${textOf(citations)}` : textOf(citations),
    )
    .join("\n");
}

function nextSteps(answers: readonly Answer[], language: Language): string[] {
  const open = answers.filter(({ citations }) => citations.length === 0).length;
  const disputed = answers.filter(({ contradictions }) => contradictions.length > 0).length;
  const isSpanish = language === "es";
  return [
    ...(open === 0
      ? []
      : [
          isSpanish
            ? `Añadir documentos que traten las ${open} preguntas sin respuesta.`
            : `Add documents that deal with the ${open} unanswered questions.`,
        ]),
    ...(disputed === 0
      ? []
      : [
          isSpanish
            ? "Comparar los pasajes que se contradicen antes de usar sus cifras."
            : "Compare the passages that contradict each other before using their figures.",
        ]),
  ];
}

function notesOn(
  { documents, answers }: Found,
  { reader, stems }: { reader: Language; stems: StemsByLanguage },
): string[] {
  const notes: string[] = [];
  if (!stems.has(reader)) {
    notes.push(
      `The question reads as ${reader === "es" ? "Spanish" : "English"}, the documents do not: only words that both languages share can match.`,
    );
  }
  if (answers.length === MAX_QUESTIONS) {
    notes.push(`At most ${MAX_QUESTIONS} questions are answered in one task.`);
  }
  if (documents.length === 1) notes.push("All passages come from one document.");
  return notes;
}

function refuseUnsupported({ documents, passages, answers }: Found) {
  const searched = answers.slice(0, 5).map(({ question, missing, closest }) => {
    const near =
      closest === null
        ? "no passage shares a word with it"
        : `closest in ${closest.document_id}: "${closest.passage.slice(0, 200)}"`;
    const lacks = missing.length === 0 ? "" : ` (nowhere: ${missing.slice(0, 10).join(", ")})`;
    return `${question.text.slice(0, 200)}${lacks}: ${near}`;
  });
  return refuseInput(
    "no_support",
    "Nothing in the given documents supports an answer.",
    `Searched ${passages.length} passages of ${documents.length} documents. ${searched.join(" · ")}`,
    [
      "Add documents that deal with the question, or ask in the words that the documents use.",
      "Ask in the language of the documents.",
      "Enable a model or register an external executor that may answer from other sources.",
    ],
  );
}

function refuseQuestion(question: string) {
  return refuseInput(
    "missing_question",
    "There is no question: neither configuration.question nor the description has a word to search for.",
    `It is ${JSON.stringify(question.slice(0, 200))}.`,
    ['Ask in configuration.question: {"question": "When was the bridge opened?"}.'],
  );
}

function readOptions(
  description: string,
  configuration: JsonObject,
): Result<Options, SkillFailure> {
  const { question, language, max_passages } = configuration as {
    [key: string]: JsonValue | undefined;
  };
  if (!LANGUAGES.includes(language)) {
    return refuseOption("language", 'must be "en", "es" or "auto"', language ?? null);
  }
  if (max_passages !== undefined && !isPassageCount(max_passages)) {
    return refuseOption("max_passages", "must be a whole number from 1 to 10", max_passages);
  }
  const asked = question ?? description;
  if (typeof asked !== "string") return refuseOption("question", "must be a string", asked);
  if (asked.length > LONGEST_QUESTION) {
    return refuseOption("question", `is longer than ${LONGEST_QUESTION} characters`, asked);
  }
  return ok({
    question: asked,
    language: language === "en" || language === "es" ? language : null,
    max_passages: max_passages ?? DEFAULT_PASSAGES,
  });
}

function isPassageCount(value: JsonValue): value is number {
  return (
    typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_PASSAGES
  );
}
