import { readerLanguage } from "../skills/language.ts";
import type { JsonObject, JsonValue } from "../skills/skill.ts";
import type { Finding, QualityQuestion } from "./assessment.ts";
import { constraintsOf } from "./meaning/constraints.ts";
import { judgeConstraint, lowerText, type Kept } from "./meaning/keeping.ts";
import { measure, type Measured } from "./meaning/measures.ts";
import { citationFindings, figureFindings } from "./meaning/sources.ts";
import { coverageOf, topicOf, type Coverage } from "./meaning/terms.ts";
import { languageOf, proseOf, vocabularyOf } from "./meaning/words.ts";
import type { Reading } from "./pieces.ts";

/** Fewer words than these can't be expected to repeat the terms of a request: "42" may be all there is to say. */
const FEW_WORDS = 8;
/** With fewer terms a request says too little of its subject. */
const FEW_TERMS = 2;
/** Below this share of its terms an output is about something else. */
const OFF_TOPIC = 0.2;
/** This share of the terms is as good as all: an answer need not repeat its question. */
const ENOUGH = 0.5;
const WEIGHTS = { terms: 0.4, constraints: 0.3, truth: 0.3 };

/** What the look at the meaning came to; `terms` null where nothing could be compared. */
export interface Meaning {
  findings: Finding[];
  /** 0.4 · terms + 0.3 · kept constraints + 0.3 · truth to the input; what could not be judged is left out. */
  score: number;
  coverage: Coverage;
  measured: Measured;
}

function finding(code: string, location: string, detail: string, is_blocking: boolean): Finding {
  return { check: "semantic", code, location, detail, is_blocking };
}

/** Required members of the contract's schema that are there and say nothing. Absent ones are the contract's to find. */
function declaredFindings(output: JsonValue, schema: JsonObject | null): Finding[] {
  const required = schema?.["required"];
  if (!Array.isArray(required) || output === null || typeof output !== "object") return [];
  const members = output as { readonly [key: string]: JsonValue };
  return (required as JsonValue[]).flatMap((name): Finding[] => {
    if (typeof name !== "string") return [];
    const value = Object.hasOwn(members, name) ? members[name] : undefined;
    if (value === undefined)
      return [
        finding("missing_output", `/${name}`, `the declared output ${name} is missing`, true),
      ];
    const isEmpty = typeof value === "string" && value.trim() === "";
    return isEmpty
      ? [finding("empty_part", `/${name}`, `the declared output ${name} is empty`, true)]
      : [];
  });
}

/** Whether request and output are written in the same language, as far as that can be told; code has none. */
function isSameLanguage(question: QualityQuestion, reading: Reading): boolean {
  const asked = readerLanguage(undefined, question.description);
  const found = languageOf(reading.pieces.map(proseOf).join("\n"));
  return found === null || found === asked;
}

function topicFindings(coverage: Coverage, terms: number): Finding[] {
  const { request, input, missing } = coverage;
  if (request === null || terms < FEW_TERMS) return [];
  const named = missing.slice(0, 8).join(", ");
  if (request < OFF_TOPIC && (input ?? 0) < OFF_TOPIC) {
    return [finding("off_topic", "", `the output says nothing of what was asked: ${named}`, true)];
  }
  return request < ENOUGH && (input ?? 0) < ENOUGH
    ? [finding("missing_terms", "", `the output does not touch: ${named}`, false)]
    : [];
}

/** The share of an output's duties to its subject: half of the terms, of the request or of the input, are enough. */
function termShare({ request, input }: Coverage): number | null {
  if (request === null) return null;
  return Math.min(1, Math.max(request, input ?? 0) / ENOUGH);
}

function scoreOf(parts: readonly { weight: number; share: number | null }[]): number {
  const judged = parts.filter(({ share }) => share !== null);
  const weight = judged.reduce((sum, part) => sum + part.weight, 0);
  return judged.reduce((sum, part) => sum + part.weight * (part.share ?? 0), 0) / weight;
}

const NOT_COMPARED: Coverage = { request: null, input: null, missing: [] };

/** What an output touches of its subject. A skill's result is about its input by how it came about. */
function lookAtTerms(
  question: QualityQuestion,
  reading: Reading,
): { coverage: Coverage; terms: number } {
  const nothing = { coverage: NOT_COMPARED, terms: 0 };
  if (question.measured !== null || !isSameLanguage(question, reading)) return nothing;
  const language = readerLanguage(undefined, question.description);
  const vocabulary = vocabularyOf(reading, language);
  if (vocabulary.count < FEW_WORDS) return nothing;
  const topic = topicOf(question.description, question.input_data, language);
  return { coverage: coverageOf(topic, vocabulary), terms: topic.request.size };
}

/**
 * Whether an output answers its request (row 40): it is about the terms of the request or of its input, keeps the
 * demands of the description (`constraintsOf` lists which are known), has the declared outputs, is in the language
 * asked for, and attributes nothing to its input that is not there.
 *
 * Works with words and numbers, not with understanding: what it finds is wrong, what it does not find may be wrong too.
 * Terms are compared within one language; an answer in another than the request's is not judged by them.
 */
export function judgeMeaning(question: QualityQuestion, reading: Reading): Meaning {
  const { description, input_data, output, output_schema } = question;
  const { coverage, terms } = lookAtTerms(question, reading);
  const measured = measure(output, reading);
  const kept: Kept = { output, reading, measured, lower: lowerText(reading) };
  const judged = constraintsOf(description)
    .map((constraint) => judgeConstraint(constraint, kept))
    .filter((found) => found !== null);
  const untrue = [
    ...citationFindings(output, input_data),
    ...figureFindings(reading, input_data, description),
  ];
  const demanded = [...judged.flat(), ...declaredFindings(output, output_schema)];
  const unmet = judged.filter((found) => found.length > 0).length;
  return {
    findings: [...topicFindings(coverage, terms), ...demanded, ...untrue],
    score: scoreOf([
      { weight: WEIGHTS.terms, share: termShare(coverage) },
      {
        weight: WEIGHTS.constraints,
        share: judged.length === 0 ? null : 1 - unmet / judged.length,
      },
      { weight: WEIGHTS.truth, share: Math.max(0, 1 - untrue.length / 2) },
    ]),
    coverage,
    measured,
  };
}
