import type { Language } from "../language.ts";
import { qualityOf } from "../score.ts";
import type { SkillQuality } from "../skill.ts";
import type { Answer } from "./answer.ts";

const WEIGHTS = { correctness: 0.45, completeness: 0.35, efficiency: 0.1, maintainability: 0.1 };
/** An answer of this many characters is as short as one can ask for; it takes three times as many to be long. */
const SHORT_ENOUGH = 600;

/**
 * How far answers can be relied on, from counted facts:
 *
 * - correctness: mean confidence of the answered questions (see answerFrom)
 * - completeness: share of the questions that were answered
 * - efficiency: brevity, 1 up to 600 characters an answer, falling to 0 at 1,800
 * - maintainability: share of the questions' words that the documents know, so that who checks a quote finds them
 */
export function assessAnswers(answers: readonly Answer[], language: Language): SkillQuality {
  const answered = answers.filter(({ citations }) => citations.length > 0);
  const characters = answered.reduce(
    (sum, { citations }) => sum + citations.reduce((all, { passage }) => all + passage.length, 0),
    0,
  );
  const found = answers.reduce((sum, answer) => sum + answer.found.length, 0);
  const asked = answers.reduce((sum, answer) => sum + answer.missing.length, found);
  const trust = answered.reduce((sum, { confidence }) => sum + confidence, 0);
  const mean = characters / Math.max(1, answered.length);
  const criteria = {
    correctness: trust / Math.max(1, answered.length),
    completeness: answered.length / Math.max(1, answers.length),
    efficiency: Math.min(1, (3 * SHORT_ENOUGH - mean) / (2 * SHORT_ENOUGH)),
    maintainability: found / Math.max(1, asked),
  };
  const disputed = answers.filter(({ contradictions }) => contradictions.length > 0).length;
  return qualityOf(
    criteria,
    language === "es"
      ? `Los documentos responden a ${answered.length} de ${answers.length} preguntas con citas literales y conocen ${found} de sus ${asked} términos; en ${disputed} hay pasajes que se contradicen.`
      : `The documents answer ${answered.length} of ${answers.length} questions in verbatim quotes and know ${found} of their ${asked} terms; in ${disputed} passages contradict each other.`,
    WEIGHTS,
  );
}
