import { BUILTIN_MODEL_ID } from "../../protocol/model.ts";
import type { Assessment, Finding } from "./assessment.ts";

/** One try at a task's result: by whom, and what it came to. */
export interface Round {
  model_id: string;
  assessment: Assessment;
}

export interface CorrectionLimits {
  /** The task's quality_threshold. */
  threshold: number;
  /** Times that one model is asked to mend its output. */
  corrections_per_model: number;
  /** Tries in all. */
  rounds: number;
  /** Whether the task has another model that could be asked. */
  has_other_model: boolean;
}

/** Two corrections a model and four rounds a task: what rarely helps twice hardly helps a fifth time, and costs. */
export const CORRECTION_DEFAULTS = { corrections_per_model: 2, rounds: 4 } as const;

/** What comes after a round. `best` is the index of the round whose output is worth keeping. */
export type Move =
  | { kind: "accept"; best: number }
  | { kind: "correct"; best: number; findings: Finding[]; reason: string }
  | { kind: "escalate_model"; best: number; findings: Finding[]; reason: string }
  | { kind: "give_up"; best: number; findings: Finding[]; reason: string };

/** Findings that go back to whoever has to mend them. */
const MAX_FINDINGS = 20;
/** Rounds without a better score in a row after which there is no use in more of the same. */
const STALLED = 2;

/**
 * Whether an output may become the result: nothing blocks it, and its score is at the threshold or above. The task
 * itself judges the score once more when the result is told (protocol.md §7, Gates).
 */
export function isAcceptable(assessment: Assessment, threshold: number): boolean {
  return (
    assessment.overall_score >= threshold &&
    !assessment.findings.some(({ is_blocking }) => is_blocking)
  );
}

/** Index of the round to keep: acceptable before not, then the higher score; the earlier one of equals. */
function bestOf(rounds: readonly Round[], threshold: number): number {
  const worth = ({ assessment }: Round): number =>
    assessment.overall_score + Number(isAcceptable(assessment, threshold));
  let best = 0;
  for (const [index, round] of rounds.entries()) {
    const champion = rounds[best];
    if (champion !== undefined && worth(round) > worth(champion)) best = index;
  }
  return best;
}

/** What has to be mended, the blocking findings first; without any, what the score is made of. */
function toMend(
  { findings, overall_score, criteria_scores }: Assessment,
  threshold: number,
): Finding[] {
  if (findings.length > 0) {
    return findings
      .toSorted((a, b) => Number(b.is_blocking) - Number(a.is_blocking))
      .slice(0, MAX_FINDINGS);
  }
  const [weakest = ["correctness", 0]] = Object.entries(criteria_scores).toSorted(
    (a, b) => a[1] - b[1],
  );
  const detail = `the score is ${overall_score}, the task wants ${threshold}; weakest is ${weakest[0]} with ${weakest[1]}`;
  return [{ check: "domain", code: "quality_threshold", location: "", detail, is_blocking: false }];
}

function signature({ assessment }: Round): string {
  return assessment.findings
    .map(({ code, location, detail }) => `${code}\n${location}\n${detail}`)
    .toSorted()
    .join("\n\n");
}

/** Whether the last rounds brought nothing better than what was there before them. */
function isStalled(rounds: readonly Round[]): boolean {
  if (rounds.length <= STALLED) return false;
  const before = Math.max(
    ...rounds.slice(0, -STALLED).map(({ assessment }) => assessment.overall_score),
  );
  return rounds.slice(-STALLED).every(({ assessment }) => assessment.overall_score <= before);
}

/** The rounds at the end that are of one model. */
function ownRounds(rounds: readonly Round[], model_id: string): readonly Round[] {
  const other = rounds.findLastIndex((round) => round.model_id !== model_id);
  return rounds.slice(other + 1);
}

function isUnchanged(rounds: readonly Round[]): boolean {
  const [previous, latest] = rounds.slice(-2).map(signature);
  return latest !== undefined && previous === latest;
}

/** Why the same model should not try again; null when it should. */
function exhaustion(
  rounds: readonly Round[],
  model_id: string,
  corrections_per_model: number,
): string | null {
  // A skill computes the same from the same: it can't mend what it did.
  if (model_id === BUILTIN_MODEL_ID) return "the executor's own skill gives the same result again";
  const own = ownRounds(rounds, model_id);
  if (own.length > corrections_per_model) {
    return `${model_id} has had ${corrections_per_model} corrections`;
  }
  if (isUnchanged(own)) return `${model_id} left the same findings as before`;
  return isStalled(own) ? `${model_id} brought no improvement twice` : null;
}

/**
 * What to do after the last of these rounds (row 42): accept an output, give its findings back for correction, ask
 * another model, or give up with the best round at hand.
 *
 * Stops early: a model is not asked again after its corrections are used up, after a round that left all findings
 * unchanged, or after two in a row without a better score; a task is given up after its rounds, or where no other model
 * is left. Pure: the same rounds give the same move.
 *
 * @throws RangeError if there is no round
 */
export function nextMove(rounds: readonly Round[], limits: CorrectionLimits): Move {
  const last = rounds.at(-1);
  if (last === undefined) throw new RangeError("a move follows a round");
  const best = bestOf(rounds, limits.threshold);
  if (rounds.some(({ assessment }) => isAcceptable(assessment, limits.threshold))) {
    return { kind: "accept", best };
  }
  const findings = toMend(last.assessment, limits.threshold);
  const kept = toMend(rounds[best]?.assessment ?? last.assessment, limits.threshold);
  if (rounds.length >= limits.rounds) {
    return {
      kind: "give_up",
      best,
      findings: kept,
      reason: `${rounds.length} rounds were not enough`,
    };
  }
  const exhausted = exhaustion(rounds, last.model_id, limits.corrections_per_model);
  if (exhausted === null) {
    const reason = `round ${rounds.length} scored ${last.assessment.overall_score} with ${last.assessment.findings.length} findings`;
    return { kind: "correct", best, findings, reason };
  }
  return limits.has_other_model
    ? { kind: "escalate_model", best, findings, reason: exhausted }
    : {
        kind: "give_up",
        best,
        findings: kept,
        reason: `${exhausted}, and there is no other model`,
      };
}
