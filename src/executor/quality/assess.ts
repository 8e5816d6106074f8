import { readerLanguage } from "../skills/language.ts";
import type { SkillQuality } from "../skills/skill.ts";
import type { Assessment, Finding, QualityQuestion } from "./assessment.ts";
import { scoreDomain, type DomainScore } from "./domain/score.ts";
import { viewOf, type View } from "./domain/signals.ts";
import { readOutput } from "./pieces.ts";
import { judgeMeaning } from "./semantic.ts";
import { syntacticFindings, syntacticScore } from "./syntactic.ts";

/** What form and meaning leave of the domain score: an answer is no better than it is an answer. */
const WEIGHTS = { syntactic: 0.3, semantic: 0.7 };
/**
 * What one blocking finding leaves of the score at most, and what each further one takes: below the threshold that
 * tasks have by default (0.8, protocol.md §7), so that a caller who sees only the score is not misled either.
 */
const BLOCKED = { first: 0.7, further: 0.1 };
/** Findings in an assessment, the blocking ones first. */
const MAX_FINDINGS = 40;
/** A fault of the contract that is about the score itself, which is only now computed. */
const SCORE_POINTER = "/data/quality_assessment/overall_score";

function contractFindings({ contract_faults }: QualityQuestion): Finding[] {
  return contract_faults
    .filter(({ pointer }) => pointer !== SCORE_POINTER)
    .map(({ pointer, detail }) => ({
      check: "contract",
      code: "contract",
      location: pointer.replace(/^\/data\/result/, ""),
      detail,
      is_blocking: true,
    }));
}

/**
 * A score with three decimals, rounded down: what is below a threshold stays below it. A sum that misses its figure
 * by the last bit of floating point counts as the figure.
 */
function score(value: number): number {
  return Math.floor(1_000 * Math.min(1, Math.max(0, value)) + 1e-6) / 1_000;
}

function capped(value: number, findings: readonly Finding[]): number {
  const blocking = findings.filter(({ is_blocking }) => is_blocking).length;
  if (blocking === 0) return value;
  return Math.min(value, BLOCKED.first - BLOCKED.further * (blocking - 1));
}

function feedbackOf(
  findings: readonly Finding[],
  isCut: boolean,
  question: QualityQuestion,
): string {
  const isSpanish = readerLanguage(undefined, question.description) === "es";
  const blocking = findings.filter(({ is_blocking }) => is_blocking);
  const told = (blocking.length > 0 ? blocking : findings)
    .slice(0, 5)
    .map(({ location, detail }) => (location === "" ? detail : `${location}: ${detail}`))
    .join("; ");
  const counted = isSpanish
    ? `${blocking.length} hallazgos impiden aceptarlo, ${findings.length - blocking.length} son consejos`
    : `${blocking.length} findings keep it from being accepted, ${findings.length - blocking.length} are advice`;
  const cut = isSpanish
    ? " Solo se examinaron 500.000 caracteres."
    : " Only 500,000 characters were looked at.";
  const whole = `${question.measured === null ? "" : `${question.measured.feedback} `}${
    findings.length === 0 ? "" : `${counted}: ${told}.`
  }${isCut ? cut : ""}`.trim();
  const fine = isSpanish ? "Nada que objetar." : "Nothing was found wrong.";
  return whole === "" ? fine : whole.slice(0, 5_000);
}

function rounded(criteria: SkillQuality["criteria_scores"]): SkillQuality["criteria_scores"] {
  return {
    correctness: score(criteria.correctness),
    completeness: score(criteria.completeness),
    efficiency: score(criteria.efficiency),
    maintainability: score(criteria.maintainability),
  };
}

/** What skills don't know of an output may advise, and never stops a result that was computed and measured. */
function advising(findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => ({ ...finding, is_blocking: false }));
}

/**
 * How good an output is as an answer to its task: three looks, and the faults that the contract finds.
 *
 * Of a model's answer: overall = domain · (0.3 · syntactic + 0.7 · semantic), rounded down to three decimals. Of a
 * skill's result, which its skill has `measured` from the facts of the run: the measured score as it is; what the meaning
 * is found to lack is advice then, and only broken texts and the contract block. Any blocking finding caps the score at
 * 0.7, each further one a tenth lower. Looks at 500,000 characters. Deterministic; never throws for any JSON.
 */
export function assess(question: QualityQuestion): Assessment {
  const reading = readOutput(question.output);
  const syntactic = syntacticFindings(question, reading);
  const meaning = judgeMeaning(question, reading);
  const isMeasured = question.measured !== null;
  const semantic = isMeasured ? advising(meaning.findings) : meaning.findings;
  const looked = [...contractFindings(question), ...syntactic, ...semantic];
  const domain = domainOf(question, { ...viewOf(question, reading, meaning), findings: looked });
  const findings = [...looked, ...domain.findings]
    .toSorted((a, b) => Number(b.is_blocking) - Number(a.is_blocking))
    .slice(0, MAX_FINDINGS);
  const parts = {
    syntactic: syntacticScore(syntactic),
    semantic: meaning.score,
    domain: domain.score,
  };
  const overall = isMeasured ? domain.score : weighed(parts);
  return {
    overall_score: score(capped(overall, findings)),
    criteria_scores: rounded(domain.criteria_scores),
    feedback: feedbackOf(findings, reading.is_cut, question),
    findings,
    parts: {
      syntactic: score(parts.syntactic),
      semantic: score(parts.semantic),
      domain: score(parts.domain),
    },
  };
}

function weighed({ syntactic, semantic, domain }: Assessment["parts"]): number {
  return domain * (WEIGHTS.syntactic * syntactic + WEIGHTS.semantic * semantic);
}

/** What a skill measured is its domain score; an answer is scored by the measures of its type. */
function domainOf({ measured }: QualityQuestion, view: View): DomainScore {
  if (measured === null) return scoreDomain(view);
  return { score: measured.overall_score, criteria_scores: measured.criteria_scores, findings: [] };
}

const ZERO = { correctness: 0, completeness: 0, efficiency: 0, maintainability: 0 };

/** The assessment of an answer that could not even be read: nothing, and why. */
export function unreadable(findings: readonly Finding[]): Assessment {
  const [first] = findings;
  return {
    overall_score: 0,
    criteria_scores: ZERO,
    feedback: first === undefined ? "The answer could not be read." : first.detail.slice(0, 5_000),
    findings: [...findings],
    parts: { syntactic: 0, semantic: 0, domain: 0 },
  };
}
