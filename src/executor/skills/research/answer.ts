import { score as scoreOf } from "../score.ts";
import type { JsonObject } from "../skill.ts";
import { citationOf, quoteOf, type Citation } from "./citation.ts";
import { findContradictions, type Contradiction } from "./contradictions.ts";
import { needsFact } from "./facts.ts";
import type { Question } from "./question.ts";
import type { Candidate, Findings } from "./search.ts";

/** What the documents say to one question. */
export interface Answer {
  question: Question;
  citations: Citation[];
  facts: string[];
  coverage: number;
  confidence: number;
  contradictions: Contradiction[];
  found: string[];
  missing: string[];
  /** The passage that comes closest where none is good enough; else null. */
  closest: Citation | null;
}

/**
 * Half of the question's weight of words must be there: with less, a passage about something else (the launch of
 * another rocket) would pass for an answer.
 */
const SUPPORTS_FROM = 0.5;
/** Beside the best passage others are worth quoting only when they come close. */
const WORTH_QUOTING = 0.6;
const CLOSE_COVERAGE = 0.9;
const COMPARED = 20;
/** How much is left of the confidence without a fact of the kind asked for, with several, and where documents disagree. */
const WITHOUT_FACT = 0.5;
const SEVERAL_FACTS = 0.8;
const DENIED_ELSEWHERE = 0.8;
const DISPUTED = 0.6;

/**
 * Chooses the passages that answer a question.
 *
 * `confidence` is the best passage's coverage of the question's terms, halved when who, when, where or how many was
 * asked and it names nothing of that kind (what it denies is not named), times 0.8 when it names several (denied ones
 * count), times 0.6 when a date or number was asked on which passages contradict each other, else times 0.8 when a
 * passage as close to the question seems to deny one; 0 without an answer.
 *
 * @param most passages to quote at most
 */
export function answerFrom(question: Question, findings: Findings, most: number): Answer {
  const { candidates, found, missing } = findings;
  const supporting = candidates.filter(
    ({ coverage, own_share, is_hinted }) =>
      coverage >= SUPPORTS_FROM && (own_share > 0 || is_hinted),
  );
  const best = bestOf(supporting);
  const base = { question, found, missing };
  const [nearest] = candidates;
  if (best === undefined) {
    return {
      ...base,
      citations: [],
      facts: [],
      coverage: scoreOf(nearest?.coverage ?? 0),
      confidence: 0,
      contradictions: [],
      closest: nearest === undefined ? null : citationOf(nearest),
    };
  }
  const contradictions = findContradictions(question, supporting.slice(0, COMPARED));
  const doubt = doubtOf(question, { best, supporting, contradictions });
  return {
    ...base,
    citations: quotable(supporting, best, most).map(citationOf),
    facts: needsFact(question.kind) ? [...new Set(best.facts)].slice(0, 5) : [],
    coverage: scoreOf(best.coverage),
    confidence: scoreOf(best.coverage * doubt),
    contradictions,
    closest: null,
  };
}

/** An answer as it goes into the result. */
export function answerOutput(answer: Answer): JsonObject {
  const { question, citations, contradictions, facts, found, missing, closest } = answer;
  return {
    question: question.text,
    kind: question.kind,
    unanswered: citations.length === 0,
    answer: citations.length === 0 ? null : textOf(citations),
    facts,
    confidence: answer.confidence,
    coverage: answer.coverage,
    terms: { found, missing },
    citations: citations.map((citation) => ({ ...citation })),
    contradictions: contradictions.map(({ about, values, passages }) => ({
      about,
      values,
      passages: passages.map((citation) => ({ ...citation })),
    })),
    ...(closest === null ? {} : { closest: { ...closest } }),
  };
}

/** The quotes of an answer as one text, blanks made even. */
export function textOf(citations: readonly Citation[]): string {
  return citations.map(({ passage }) => passage.replaceAll(/\s+/g, " ").trim()).join(" ");
}

/** What is left of the confidence. */
function doubtOf(
  { kind }: Question,
  {
    best,
    supporting,
    contradictions,
  }: Pick<Answer, "contradictions"> & {
    best: Candidate;
    supporting: readonly Candidate[];
  },
): number {
  if (!needsFact(kind)) return 1;
  const ofFacts = best.facts.length === 0 ? WITHOUT_FACT : best.is_ambiguous ? SEVERAL_FACTS : 1;
  // Who opened it is not in doubt because passages disagree on the year.
  const isAboutFigures = kind === "date" || kind === "number";
  if (isAboutFigures && contradictions.length > 0) return ofFacts * DISPUTED;
  const isDenied = supporting.some((one) => one !== best && one.is_denying && isClose(one, best));
  return ofFacts * (isDenied ? DENIED_ELSEWHERE : 1);
}

/** What comes first; where it only denies, what comes close to it and says something. */
function bestOf(supporting: readonly Candidate[]): Candidate | undefined {
  const [first] = supporting;
  if (first?.is_denying !== true) return first;
  return supporting.find((one) => one.facts.length > 0 && isClose(one, first)) ?? first;
}

function isClose({ coverage }: Candidate, best: Candidate): boolean {
  return coverage >= CLOSE_COVERAGE * best.coverage;
}

function quotable(supporting: readonly Candidate[], best: Candidate, most: number): Candidate[] {
  const chosen: Candidate[] = [];
  const said = new Set<string>();
  for (const candidate of [best, ...supporting.filter((one) => one !== best)]) {
    // What seems to deny a fact has no boost for it, and is shown all the same: the reading may be wrong.
    const isWorth = candidate.is_denying || candidate.score >= WORTH_QUOTING;
    const isAsGood = best.facts.length === 0 || candidate.facts.length > 0 || candidate.is_denying;
    const text = quoteOf(candidate.passage)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]/gu, "");
    if (candidate !== best && !(isWorth && isClose(candidate, best) && isAsGood && !said.has(text)))
      continue;
    said.add(text);
    chosen.push(candidate);
    if (chosen.length >= most) break;
  }
  return chosen;
}
