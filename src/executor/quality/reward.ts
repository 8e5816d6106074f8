import type { ModelOutcome } from "../router/router-port.ts";
import type { Assessment } from "./assessment.ts";
import { isAcceptable } from "./correction.ts";

/** A contract that is not met is worth this at most, whatever the text is like. */
const FAILED_CONTRACT = 0.3;
/** An output that would not have been accepted is worth this at most. */
const NOT_ACCEPTED = 0.6;
/** Each correction that an output needed takes so much: the first answer is what a model is chosen for. */
const PER_CORRECTION = 0.05;

/** What is known of a model's work when it is rewarded. */
export interface RewardFacts {
  assessment: Assessment;
  /** The task's quality_threshold. */
  threshold: number;
  /** The task has an output_schema or acceptance checks, so that something was verified. */
  has_contract: boolean;
  /** Times the model had to mend its output. */
  corrections: number;
  /** The orchestrator's word on the result, where there is one. */
  verdict: "accepted" | "rejected" | null;
}

/**
 * What a model's work was worth to the router, in [0, 1], by signals in the order of their trust (facts/orchestration.md
 * §3.3.5): a contract that is not met gives 0.3 times the score; one that is met, where there is one, lifts an accepted
 * output halfway to 1; then the quality gate, which leaves 0.6 at most to what it refuses; last the orchestrator's word,
 * which moves what is left halfway to 1 or to 0. Each correction takes 0.05. Three decimals.
 */
export function rewardOf(
  facts: RewardFacts,
): Pick<ModelOutcome, "reward" | "source" | "is_success" | "quality"> {
  const { assessment, threshold, has_contract, corrections, verdict } = facts;
  const { overall_score: quality, findings } = assessment;
  const is_success = isAcceptable(assessment, threshold) && verdict !== "rejected";
  if (findings.some(({ check }) => check === "contract")) {
    return {
      reward: rounded(FAILED_CONTRACT * quality),
      source: "contract",
      is_success: false,
      quality,
    };
  }
  const isAccepted = isAcceptable(assessment, threshold);
  const judged = isAccepted ? quality : Math.min(quality, NOT_ACCEPTED);
  const verified = has_contract && isAccepted ? (1 + judged) / 2 : judged;
  const heard = verdict === null ? verified : (verified + Number(verdict === "accepted")) / 2;
  const source = verdict !== null ? "orchestrator" : has_contract ? "contract" : "quality";
  return { reward: rounded(heard - PER_CORRECTION * corrections), source, is_success, quality };
}

function rounded(value: number): number {
  return Math.round(1_000 * Math.min(1, Math.max(0, value))) / 1_000;
}
