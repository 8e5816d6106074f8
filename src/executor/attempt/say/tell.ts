import { instant } from "../../../lib/ports.ts";
import type { Result } from "../../../lib/result.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import type { Assessment, Finding } from "../../quality/assessment.ts";
import type { SkillFailure } from "../../skills/skill.ts";
import type { Attempt } from "../attempt.ts";
import type { Reviewed } from "../review.ts";
import { bytesOf, isKeepable, MOST_RESULT_BYTES, textOf, textsOf, wordOf } from "./bounds.ts";

type Told = Promise<Result<unknown, Refusal>>;

/** Findings that go into a message: the first ones are the gravest. */
const MOST_FINDINGS = 20;

/** Findings as they go into a message. */
export function toldFindings(findings: readonly Finding[]): Finding[] {
  return findings.slice(0, MOST_FINDINGS).map((finding) => ({
    ...finding,
    location: finding.location.slice(0, 1_000).toWellFormed(),
    detail: finding.detail.slice(0, 1_000).toWellFormed(),
  }));
}

function qualityOf({ overall_score, criteria_scores, feedback }: Assessment) {
  return {
    overall_score,
    criteria_scores,
    ...(feedback !== "" && { feedback: textOf(feedback) }),
  };
}

/** What task_completed says of something that passed the gate. */
function completedOf({ session }: Attempt, { made, quality }: Reviewed) {
  return {
    result: made.output,
    execution_summary: textOf(made.summary, "Done"),
    metrics: {
      execution_time: session.elapsedSeconds,
      tokens_used: session.used.tokens,
      cost: session.used.cost_usd,
      quality_score: quality.overall_score,
    },
    quality_assessment: qualityOf(quality),
    next_steps: textsOf(made.next_steps),
    lessons_learned: textsOf(made.lessons_learned),
  };
}

/** The contract's refusal of a result, as the failure that ends the attempt. */
function rejectedFailure(refusal: Refusal): SkillFailure {
  const findings = (refusal.errors ?? []).map(({ pointer, detail }) => `${pointer}: ${detail}`);
  return {
    error_type: "result_rejected",
    error_message: refusal.detail,
    root_cause: {
      class: "contract",
      detail: "The result does not meet the task's contract",
      evidence: findings.join("; ") || refusal.code,
    },
    recovery_suggestions: ["Relax the contract, or register an executor that meets it"],
    retry_recommended: false,
  };
}

/** A failure, with the best that was made and why it would not do. */
export interface Failing extends Omit<SkillFailure, "root_cause"> {
  root_cause: { class: string; detail: string; evidence: string | Finding[] };
  best?: Reviewed | null;
}

function partialOf({ made, quality }: Reviewed) {
  return { output: made.output, summary: textOf(made.summary), score: quality.overall_score };
}

/** A failure within the bounds of its message, whatever a task or a server has brought into it. */
function bounded({ root_cause, ...failure }: Omit<Failing, "best">): Omit<Failing, "best"> {
  const { evidence } = root_cause;
  return {
    error_type: wordOf(failure.error_type),
    error_message: textOf(failure.error_message),
    root_cause: {
      class: wordOf(root_cause.class),
      detail: textOf(root_cause.detail),
      evidence: typeof evidence === "string" ? textOf(evidence, "none") : evidence,
    },
    recovery_suggestions: textsOf(failure.recovery_suggestions),
    retry_recommended: failure.retry_recommended,
  };
}

/** Ends the attempt as failed; the task's retry policy decides on another one. */
export async function fail({ session }: Attempt, { best = null, ...failing }: Failing): Told {
  const failure = bounded(failing);
  const partial = best === null ? null : partialOf(best);
  const told = await session.notify("task_failed", {
    ...failure,
    ...(partial !== null && isKeepable(partial) && { partial_results: partial }),
  });
  if (!told.ok || failure.retry_recommended) return told;
  return session.end({
    reason: "failure",
    error_information: {
      error_code: failure.error_type,
      error_message: failure.error_message,
      recovery_attempted: best !== null,
      recovery_actions: failure.recovery_suggestions,
    },
  });
}

/** What a result is that no row of the task's log could hold. */
function tooLarge(bytes: number): Failing {
  const detail = `The result has ${bytes} bytes as JSON, with what is said of it; ${MOST_RESULT_BYTES} are the most`;
  return {
    error_type: "result_too_large",
    error_message: detail,
    root_cause: { class: "result_size", detail, evidence: `${bytes} bytes` },
    recovery_suggestions: [
      "Divide the input over several tasks, or ask for less of the result in parameters.configuration",
    ],
    retry_recommended: false,
  };
}

/** What has become of a completion. */
export interface Completion {
  said: Result<unknown, Refusal>;
  /** What task_completed carried; null where the task refused it. */
  completed: ReturnType<typeof completedOf> | null;
}

/** Ends the task as completed. What its own gates refuse nevertheless becomes a failure with their findings. */
export async function complete(attempt: Attempt, good: Reviewed): Promise<Completion> {
  const { session } = attempt;
  const completed = completedOf(attempt, good);
  if (!isKeepable(completed)) {
    return { said: await fail(attempt, tooLarge(bytesOf(completed))), completed: null };
  }
  const told = await session.notify("task_completed", completed);
  if (!told.ok) {
    const isRejected = told.refusal.code === "result_rejected";
    const said = isRejected ? await fail(attempt, rejectedFailure(told.refusal)) : told;
    return { said, completed: null };
  }
  const said = await session.end({
    reason: "success",
    quality_assessment: completed.quality_assessment,
    next_actions: { cleanup_required: false, follow_up_tasks: completed.next_steps },
  });
  return { said, completed };
}

/** The failure of something that never passed the gate. Another attempt would not come out better. */
export function neverGood(best: Reviewed, tried: readonly string[]): Failing {
  const { quality, findings } = best;
  if (!isKeepable(best.made)) return tooLarge(bytesOf(best.made));
  const isContract = findings.some(({ check }) => check === "contract");
  const by = tried.length === 0 ? "" : `, by ${tried.join(", ")}`;
  const detail = isContract
    ? "The result does not meet the task's contract"
    : "The result is not good enough to be given out";
  return {
    error_type: isContract ? "result_rejected" : "quality_not_reached",
    error_message: `${detail}: the best one has a score of ${quality.overall_score}${by}`,
    root_cause: {
      class: isContract ? "contract" : "quality",
      detail,
      evidence: toldFindings(findings),
    },
    recovery_suggestions: [
      "Relax the contract or execution_options.quality_threshold, give better input, or register an executor or a model that meets it",
    ],
    retry_recommended: false,
    best,
  };
}

/** How long a question waits for its answer before the task ends as escalated. Milliseconds; as the system's own. */
const PATIENCE_MS = 86_400_000;

/** Why a task is handed back. */
interface Lacking {
  cause: "missing_capability" | "paused";
  reason: string;
  question: string;
  evidence: readonly string[];
  unblock: readonly string[];
}

/** Hands the task back with a question: what is lacking, and what would unblock it. */
export function escalate({ session, task, ports }: Attempt, lacking: Lacking): Told {
  return session.notify("task_escalated", {
    escalation_reason: textOf(lacking.reason),
    escalation_level: "orchestrator",
    question: lacking.question,
    urgency: task.priority === "critical" ? "critical" : "medium",
    context: {
      cause: lacking.cause,
      task_type: task.task_type,
      evidence: textsOf(lacking.evidence),
    },
    options: ["resume", "change", "cancel"],
    recommended_actions: textsOf(lacking.unblock),
    deadline: instant(ports.now() + PATIENCE_MS),
  });
}
