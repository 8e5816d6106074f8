import { ok } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import type { Finding } from "../../quality/assessment.ts";
import type { Round } from "../../quality/correction.ts";
import type { JsonObject } from "../../skills/skill.ts";
import type { CallFacts } from "../ask/model-arm.ts";
import type { Attempt } from "../attempt.ts";
import type { Choice } from "../choice.ts";
import type { Course } from "../course.ts";
import { MOST_ROUNDS, nameOf } from "../course.ts";
import { toldFindings } from "./tell.ts";

type Told = Promise<Result<unknown, Refusal>>;

/** Reports something that is worth it once, in whichever attempt. */
async function tellOnce(
  attempt: Attempt,
  mark: string,
  { step, at, done, found }: { step: string; at: number; done: number; found?: JsonObject },
): Told {
  const { journal, session } = attempt;
  const progress = {
    progress_percentage: at,
    current_step: step,
    steps_completed: done,
    total_steps: MOST_ROUNDS,
    ...(found !== undefined && { intermediate_results: found }),
  };
  if (journal.read(mark) !== undefined) {
    session.remember(progress);
    return ok(null);
  }
  const told = await session.progress(progress);
  if (told.ok) journal.keep(mark, true);
  return told;
}

/** Percentage at which a round begins: a model's work has no measure of its own. */
function percentageOf(rounds: number): number {
  return Math.min(90, 10 + 15 * rounds);
}

/** Reports who does the task, and why. */
export function tellDecision(attempt: Attempt, choice: Choice, course: Course): Told {
  const { decision_id, reasons, record } = choice.decision;
  const why = reasons[0] === undefined ? "" : `: ${reasons[0]}`;
  return tellOnce(attempt, `told:${decision_id}`, {
    step: `Chosen: ${nameOf(choice)}${why}`.slice(0, 1_000),
    at: 1 + percentageOf(course.rounds.length) - 10,
    done: Math.min(course.rounds.length, MOST_ROUNDS),
    found: { model_decision: record },
  });
}

/** A round with all that is wrong, what blocks first; of a model's its call, and the memories that it was told. */
interface ToldRound {
  round: Round;
  findings: readonly Finding[];
  facts?: CallFacts;
  memory_ids?: string[];
}

/** Reports the last round, whatever came of it. */
export function tellRound(
  attempt: Attempt,
  course: Course,
  { round, findings, facts, memory_ids }: ToldRound,
): Told {
  const { model_id, assessment } = round;
  const count = course.rounds.length;
  const score = assessment.overall_score;
  return tellOnce(attempt, `told:round:${count}`, {
    step: `Round ${count}: ${model_id} scored ${score}`,
    at: percentageOf(count),
    done: Math.min(count, MOST_ROUNDS),
    found: {
      quality_round: count,
      model_id,
      score,
      findings: toldFindings(findings).map((finding) => ({ ...finding })),
      ...(facts !== undefined && { model_call: { ...facts } }),
      ...(memory_ids !== undefined && { memory_ids }),
    },
  });
}
