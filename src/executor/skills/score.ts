import type { SkillQuality } from "./skill.ts";

type Criteria = SkillQuality["criteria_scores"];

/** What criteria weigh in the overall score of a summary, and of what has no reason to weigh them otherwise. */
export const USUAL_WEIGHTS: Criteria = {
  correctness: 0.5,
  completeness: 0.3,
  efficiency: 0.1,
  maintainability: 0.1,
};

/** A score as it goes into a quality assessment: three decimals, in [0, 1]. */
export function score(value: number): number {
  return Math.round(1000 * Math.min(1, Math.max(0, value))) / 1000;
}

function scores(criteria: Criteria): Criteria {
  return {
    correctness: score(criteria.correctness),
    completeness: score(criteria.completeness),
    efficiency: score(criteria.efficiency),
    maintainability: score(criteria.maintainability),
  };
}

/** The quality of a result from its criteria, each times its weight; rounded once, at the end. */
export function weighedQuality(
  criteria: Criteria,
  weights: Criteria,
  feedback: string,
): SkillQuality {
  const overall =
    weights.correctness * criteria.correctness +
    weights.completeness * criteria.completeness +
    weights.efficiency * criteria.efficiency +
    weights.maintainability * criteria.maintainability;
  return { overall_score: score(overall), criteria_scores: scores(criteria), feedback };
}

/**
 * The quality of a result from shares that a skill counted: each is clamped to [0, 1] and rounded before it is weighed,
 * so that what is shown adds up.
 */
export function qualityOf(
  criteria: Criteria,
  feedback: string,
  weights: Criteria = USUAL_WEIGHTS,
): SkillQuality {
  return weighedQuality(scores(criteria), weights, feedback);
}

/** A share; 0 of nothing. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Part of a whole in [0, 1]; nothing of nothing is all of it. */
export function partOf(part: number, whole: number): number {
  return whole === 0 ? 1 : Math.min(1, Math.max(0, part / whole));
}
