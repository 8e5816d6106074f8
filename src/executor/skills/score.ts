import type { SkillQuality } from "./skill.ts";

const WEIGHTS = { correctness: 0.5, completeness: 0.3, efficiency: 0.1, maintainability: 0.1 };

/**
 * The quality of a result from shares in [0, 1] that a skill counted; whatever lies outside is clamped.
 *
 * Overall: half correctness, 0.3 completeness, a tenth each for the others, as summaries are weighed.
 */
export function qualityOf(
  criteria: SkillQuality["criteria_scores"],
  feedback: string,
): SkillQuality {
  const { correctness, completeness, efficiency, maintainability } = criteria;
  const overall =
    WEIGHTS.correctness * share(correctness) +
    WEIGHTS.completeness * share(completeness) +
    WEIGHTS.efficiency * share(efficiency) +
    WEIGHTS.maintainability * share(maintainability);
  return {
    overall_score: share(overall),
    criteria_scores: {
      correctness: share(correctness),
      completeness: share(completeness),
      efficiency: share(efficiency),
      maintainability: share(maintainability),
    },
    feedback,
  };
}

/** Part of a whole in [0, 1]; nothing of nothing is all of it. */
export function partOf(part: number, whole: number): number {
  return whole === 0 ? 1 : Math.min(1, Math.max(0, part / whole));
}

function share(value: number): number {
  return Math.round(1000 * Math.min(1, Math.max(0, value))) / 1000;
}
