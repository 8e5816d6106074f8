import type { SkillFailure } from "./skill.ts";

/**
 * The failure of a run that was told to stop: a later attempt goes on from the journal.
 *
 * @param done what had been done until then, in one sentence
 */
export function stoppedFailure(done: string): SkillFailure {
  const detail =
    "The run was stopped before its end (cancelled, out of budget, or its lease was lost).";
  return {
    error_type: "run_stopped",
    error_message: `${detail} ${done}`,
    root_cause: { class: "run_stopped", detail, evidence: done },
    recovery_suggestions: ["Submit the task again, or give it a longer timeout."],
    retry_recommended: true,
  };
}
