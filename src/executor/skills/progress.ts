import type { JsonObject, SkillProgress } from "./skill.ts";

/**
 * Progress at the moment when `completed` of the named steps are done.
 *
 * @param steps names of all steps, in order, in the reader's language
 * @param completed steps done, fewer than there are
 * @param found what the finished steps found, worth showing while the rest runs
 */
export function progressAt(
  steps: readonly string[],
  completed: number,
  found?: JsonObject,
): SkillProgress {
  return {
    progress_percentage: Math.round((100 * completed) / steps.length),
    current_step: steps[completed] ?? "",
    steps_completed: completed,
    total_steps: steps.length,
    ...(found === undefined ? {} : { intermediate_results: found }),
  };
}
