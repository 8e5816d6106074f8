import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { beside } from "../beside.ts";
import type { Skill, SkillFailure, SkillOutcome, SkillRun } from "../skills/skill.ts";
import type { Attempt, Made } from "./attempt.ts";
import { toolsOf } from "./tools.ts";

/** What came of the executor's own skill. */
type SkillEnding =
  | { kind: "made"; made: Made }
  | { kind: "failed"; failure: SkillFailure }
  | { kind: "stopped" };

/** What a run is told that is dropped between two steps; nobody hears of it. */
const DROPPED: SkillOutcome = refuse({
  error_type: "stopped",
  error_message: "The attempt has stopped",
  root_cause: { class: "stopped", detail: "The attempt has stopped", evidence: "" },
  recovery_suggestions: [],
  retry_recommended: false,
});

/** Whether a step must be waited for: a run that is pure gives it at once. */
async function awaited<Value>(
  step: Value | Promise<Value>,
  attempt: Attempt,
): Promise<Result<Value, Refusal>> {
  return step instanceof Promise ? beside(step, attempt) : ok(step);
}

/** Lets a run that is dropped undo what it has begun. */
async function drop(run: SkillRun, attempt: Attempt): Promise<{ kind: "stopped" }> {
  await awaited<unknown>(run.return(DROPPED), attempt);
  return { kind: "stopped" };
}

function endingOf(outcome: SkillOutcome): SkillEnding {
  if (!outcome.ok) return { kind: "failed", failure: outcome.refusal };
  const { quality, ...made } = outcome.value;
  return { kind: "made", made: { ...made, measured: quality } };
}

/**
 * Runs a skill to its end. Each step that the orchestrator has not heard of is reported, in whichever attempt. Refused
 * when the lease is gone.
 */
export async function runSkill(
  attempt: Attempt,
  skill: Skill,
): Promise<Result<SkillEnding, Refusal>> {
  const { session, journal } = attempt;
  const run = skill.run(attempt.asked, toolsOf(attempt));
  for (let steps = 1; ; steps += 1) {
    const step = await awaited(run.next(), attempt);
    if (!step.ok) return step;
    if (session.stop !== null) return ok(await drop(run, attempt));
    if (step.value.done === true) return ok(endingOf(step.value.value));
    const seen = await session.glance();
    if (!seen.ok) return seen;
    if (session.stop !== null) return ok(await drop(run, attempt));
    if (steps <= journal.told) continue;
    const reported = await session.progress(step.value.value);
    if (!reported.ok) return reported;
    journal.tell(steps);
  }
}
