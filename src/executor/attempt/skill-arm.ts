import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { beside } from "../beside.ts";
import type {
  Skill,
  SkillFailure,
  SkillOutcome,
  SkillProgress,
  SkillRun,
} from "../skills/skill.ts";
import type { Attempt, Made } from "./attempt.ts";
import { restWhilePaused } from "./rest.ts";
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

/** The ending of a run that was stopped. */
const STOPPED = ok({ kind: "stopped" } as const);

function endingOf(outcome: SkillOutcome): SkillEnding {
  if (!outcome.ok) return { kind: "failed", failure: outcome.refusal };
  const { quality, ...made } = outcome.value;
  return { kind: "made", made: { ...made, measured: quality } };
}

/** Reports a step, unless an attempt before this one has; and rests before it where the task is paused. */
async function tellStep(
  { session, journal, ports }: Attempt,
  steps: number,
  step: SkillProgress,
): Promise<Result<unknown, Refusal>> {
  if (steps <= journal.told) {
    session.remember(step);
  } else {
    const reported = await session.progress(step);
    if (!reported.ok) return reported;
    journal.tell(steps);
  }
  return restWhilePaused({ session, ports });
}

async function runSteps(attempt: Attempt, run: SkillRun): Promise<Result<SkillEnding, Refusal>> {
  const { session } = attempt;
  for (let steps = 1; ; steps += 1) {
    const step = await awaited(run.next(), attempt);
    if (!step.ok) return step;
    // What is done when only the time is over is still worth something.
    if (step.value.done === true && !session.isWithdrawn) return ok(endingOf(step.value.value));
    if (step.value.done === true || session.stop !== null) return STOPPED;
    const seen = await session.glance();
    if (!seen.ok) return seen;
    if (session.stop !== null) return STOPPED;
    const told = await tellStep(attempt, steps, step.value.value);
    if (!told.ok) return told;
    if (session.stop !== null) return STOPPED;
  }
}

/**
 * Runs a skill to its end. Each step that the orchestrator has not heard of is reported, in whichever attempt. A run that
 * does not come to its end can undo what it has begun. Refused when the lease is gone.
 */
export async function runSkill(
  attempt: Attempt,
  skill: Skill,
): Promise<Result<SkillEnding, Refusal>> {
  const run = skill.run(attempt.asked, toolsOf(attempt));
  const ran = await runSteps(attempt, run);
  if (!ran.ok || ran.value.kind === "stopped") {
    await awaited<unknown>(run.return(DROPPED), attempt);
  }
  return ran;
}
