import { ok } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { CatalogueModel } from "../../protocol/model.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Finding } from "../quality/assessment.ts";
import type { Skill } from "../skills/skill.ts";
import { askModel } from "./ask/model-arm.ts";
import type { Asking, ModelEnding } from "./ask/model-arm.ts";
import type { Attempt } from "./attempt.ts";
import type { Field } from "./choice.ts";
import type { ArmEnding, Course } from "./course.ts";
import { MOST_CORRECTIONS } from "./course.ts";
import { review } from "./review.ts";
import type { Reviewed } from "./review.ts";
import { tellRound } from "./say/narrate.ts";
import { runSkill } from "./skill-arm.ts";

/** Runs the executor's own skill. Refused when the lease is gone. */
export async function bySkill(
  attempt: Attempt,
  skill: Skill,
  { field, course }: { field: Field; course: Course },
): Promise<Result<ArmEnding, Refusal>> {
  const ran = await runSkill(attempt, skill);
  if (!ran.ok) return ran;
  switch (ran.value.kind) {
    case "failed":
      return ok({ kind: "failed", failing: ran.value.failure });
    case "stopped":
      return ok({ kind: "stopped" });
    case "made": {
      const reviewed = review(attempt, ran.value.made);
      course.consider(reviewed);
      const { findings, quality, isGood } = reviewed;
      if (isGood) return ok({ kind: "good", reviewed });
      // Without another arm there is no second round: the failure itself tells the findings.
      if (field.models.length > 0) {
        const round = { model_id: "builtin", score: quality.overall_score, findings };
        const told = await tellRound(attempt, course, round);
        if (!told.ok) return told;
      }
      return ok({ kind: "poor", reviewed, findings });
    }
  }
}

/** What a model is told of its last answer. */
interface Correction {
  findings: readonly Finding[];
  previous: string | null;
}

/** An answer before the gate; one that could not even be read has findings alone. */
function judged(
  attempt: Attempt,
  course: Course,
  ending: Extract<ModelEnding, { kind: "made" | "unusable" }>,
): { reviewed: Reviewed | null; findings: readonly Finding[] } {
  if (ending.kind === "unusable") return { reviewed: null, findings: ending.findings };
  const reviewed = review(attempt, ending.made);
  course.consider(reviewed);
  return { reviewed, findings: reviewed.findings };
}

/** A round after which the model is asked again, if it may be. */
interface Unfinished {
  kind: "unfinished";
  reviewed: Reviewed | null;
  correction: Correction;
}

async function modelRound(
  attempt: Attempt,
  asking: Asking,
  course: Course,
): Promise<Result<ArmEnding | Unfinished, Refusal>> {
  const asked = await askModel(attempt, asking);
  if (!asked.ok) return asked;
  const ending = asked.value;
  if (ending.kind !== "made" && ending.kind !== "unusable") return ok(ending);
  const { reviewed, findings } = judged(attempt, course, ending);
  const told = await tellRound(attempt, course, {
    model_id: asking.model.model_id,
    score: reviewed?.quality.overall_score ?? null,
    findings,
    facts: ending.facts,
  });
  if (!told.ok) return told;
  if (reviewed?.isGood === true) return ok({ kind: "good", reviewed });
  return ok({ kind: "unfinished", reviewed, correction: { findings, previous: ending.text } });
}

/** Asks a model, and again with what was wrong while it can mend it. Refused when the lease is gone. */
export async function byModel(
  attempt: Attempt,
  model: CatalogueModel,
  { field, course }: { field: Field; course: Course },
): Promise<Result<ArmEnding, Refusal>> {
  const { memories } = field;
  let correction: Correction = { findings: [], previous: null };
  let best: Reviewed | null = null;
  for (let corrections = 0; ; corrections += 1) {
    const round = await modelRound(attempt, { model, memories, ...correction }, course);
    if (!round.ok) return round;
    if (round.value.kind !== "unfinished") return ok(round.value);
    best = better(best, round.value.reviewed);
    correction = round.value.correction;
    if (corrections === MOST_CORRECTIONS) {
      return ok({ kind: "poor", reviewed: best, findings: correction.findings });
    }
  }
}

function better(one: Reviewed | null, other: Reviewed | null): Reviewed | null {
  if (one === null || other === null) return one ?? other;
  return other.quality.overall_score > one.quality.overall_score ? other : one;
}
