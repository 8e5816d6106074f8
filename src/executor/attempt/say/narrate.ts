import { ok } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import type { Finding } from "../../quality/assessment.ts";
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
  if (journal.read(mark) !== undefined) return ok(null);
  const told = await session.progress({
    progress_percentage: at,
    current_step: step,
    steps_completed: done,
    total_steps: MOST_ROUNDS,
    ...(found !== undefined && { intermediate_results: found }),
  });
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
    at: 1 + percentageOf(course.rounds) - 10,
    done: course.rounds,
    found: { model_decision: record },
  });
}

interface Round {
  model_id: string;
  score: number | null;
  findings: readonly Finding[];
  facts?: CallFacts;
}

/** Reports a round, whatever came of it. */
export function tellRound(attempt: Attempt, course: Course, round: Round): Told {
  const { model_id, score, findings, facts } = round;
  course.rounds += 1;
  const verdict = score === null ? "gave nothing that can be read" : `scored ${score}`;
  return tellOnce(attempt, `told:round:${course.rounds}`, {
    step: `Round ${course.rounds}: ${model_id} ${verdict}`,
    at: percentageOf(course.rounds),
    done: Math.min(course.rounds, MOST_ROUNDS),
    found: {
      quality_round: course.rounds,
      model_id,
      score,
      findings: toldFindings(findings).map((finding) => ({ ...finding })),
      ...(facts !== undefined && { model_call: { ...facts } }),
    },
  });
}
