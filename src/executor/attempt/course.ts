import { BUILTIN_MODEL_ID } from "../../protocol/model.ts";
import { providerIn } from "../models/blame.ts";
import type { ModelFault } from "../models/model-port.ts";
import type { Finding } from "../quality/assessment.ts";
import { CORRECTION_DEFAULTS, nextMove } from "../quality/correction.ts";
import type { Move, Round } from "../quality/correction.ts";
import { rewardOf } from "../quality/reward.ts";
import type { ModelOutcome } from "../router/router-port.ts";
import { isTransient } from "./ask/retry.ts";
import type { Attempt } from "./attempt.ts";
import type { Choice } from "./choice.ts";
import { effortOf } from "./effort.ts";
import type { Questions } from "./effort.ts";
import type { Reviewed } from "./review.ts";
import { neverGood, toldFindings } from "./say/tell.ts";
import type { Failing } from "./say/tell.ts";

/** Arms that are tried in an attempt. */
export const MOST_CHOICES = 3;

/** Rounds of an attempt, over all arms. */
export const MOST_ROUNDS = CORRECTION_DEFAULTS.rounds;

/** How the work of one arm came out. `poor`: it never passed the gate. `round` is its last one. */
export type ArmEnding =
  | { kind: "good"; reviewed: Reviewed; round: Round; corrections: number }
  | { kind: "poor"; findings: readonly Finding[]; round: Round; corrections: number }
  | { kind: "fault"; fault: ModelFault }
  | { kind: "failed"; failing: Failing }
  | { kind: "short"; by: string }
  | { kind: "late" }
  | { kind: "stopped" };

/** The arm of a choice by its name in the catalogue. */
export function nameOf({ arm }: Choice): string {
  return arm.kind === "model" ? arm.model.model_id : BUILTIN_MODEL_ID;
}

function hasContract({ task: { contract } }: Attempt): boolean {
  return contract?.output_schema !== undefined || (contract?.acceptance ?? []).length > 0;
}

/** What came of a choice, in the words of the selection; null when it teaches nothing. */
function lessonOf(
  attempt: Attempt,
  ending: ArmEnding,
): Pick<ModelOutcome, "reward" | "source" | "provider" | "is_success" | "quality"> | null {
  switch (ending.kind) {
    case "good":
    case "poor":
      return rewardOf({
        assessment: ending.round.assessment,
        threshold: attempt.task.execution_options.quality_threshold,
        has_contract: hasContract(attempt),
        corrections: ending.corrections,
        verdict: null,
      });
    case "fault": {
      if (ending.fault.class === "aborted") return null;
      const provider = providerIn(ending.fault);
      const nothing = { reward: null, is_success: false, quality: null };
      return { ...nothing, source: "fault", ...(provider !== null && { provider }) };
    }
    case "failed":
    case "short":
    case "late":
    case "stopped":
      return null;
  }
}

/** What an attempt has been through: its rounds, its best result, and what its choices taught. */
export class Course {
  /** Results and answers that were judged so far, over all arms. */
  readonly rounds: Round[] = [];
  best: Reviewed | null = null;
  /** Whether something that may pass has kept a better result away. */
  isTransient = false;
  /** Findings of answers that could not even be read. */
  unread: readonly Finding[] = [];
  readonly tried: string[] = [];
  readonly faults: { model_id: string; class: string; detail: string }[] = [];
  readonly outcomes: ModelOutcome[] = [];

  /** Keeps the better of two results. */
  consider(reviewed: Reviewed): void {
    const score = this.best?.quality.overall_score ?? -1;
    if (reviewed.isGood || reviewed.quality.overall_score > score) this.best = reviewed;
  }

  /** What comes after the last round, by the rules of correction. @param has_other_model whether another arm may be asked */
  move(threshold: number, has_other_model: boolean): Move {
    return nextMove(this.rounds, { ...CORRECTION_DEFAULTS, threshold, has_other_model });
  }

  /** Notes how a choice came out. @param since what all work had taken as it began */
  learn(
    attempt: Attempt,
    choice: Choice,
    { ending, since }: { ending: ArmEnding; since: Questions },
  ): void {
    const model_id = nameOf(choice);
    this.tried.push(model_id);
    if (ending.kind === "fault") {
      const { class: fault, detail } = ending.fault;
      this.faults.push({ model_id, class: fault, detail });
      this.isTransient ||= isTransient(fault);
    }
    if (ending.kind === "poor") this.unread = ending.findings;
    const reward = lessonOf(attempt, ending);
    if (reward === null || choice.decision.decision_id === "") return;
    const now = effortOf(attempt);
    // Judged before, under the decision by which it was made: one piece of work is one observation.
    const isSpared = now.spared > since.spared && now.asked === since.asked;
    if (isSpared && choice.isResumed !== true) return;
    this.outcomes.push({
      decision_id: choice.decision.decision_id,
      ...reward,
      latency_s: now.seconds - since.seconds,
      cost_usd: now.cost_usd - since.cost_usd,
      tokens: now.tokens - since.tokens,
    });
  }

  /** The failure of an attempt in which no arm made anything good. Another one is worth it after what may pass. */
  failure(): Failing {
    if (this.best !== null) {
      return { ...neverGood(this.best, this.tried), retry_recommended: this.isTransient };
    }
    const last = this.faults.at(-1);
    const said = this.faults.map(
      ({ model_id, class: fault, detail }) => `${model_id}: ${fault}, ${detail}`,
    );
    return {
      error_type: last === undefined ? "model_output_unusable" : "model_unavailable",
      error_message:
        last === undefined
          ? "No model gave an answer that could be read"
          : `No model gave an answer; the last one was ${last.model_id}: ${last.detail}`.slice(
              0,
              10_000,
            ),
      root_cause: {
        class: last === undefined ? "model_output" : `model_${last.class}`,
        detail:
          last === undefined ? "The answers were not in the form that was asked for" : last.detail,
        evidence: said.length > 0 ? said.join("; ").slice(0, 10_000) : toldFindings(this.unread),
      },
      recovery_suggestions: [
        "Look at the model's settings (GET /v1/models/{model_id}), or enable another one",
      ],
      retry_recommended: this.isTransient,
    };
  }
}
