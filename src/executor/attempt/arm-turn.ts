import { ok } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import { BUILTIN_MODEL_ID } from "../../protocol/model.ts";
import type { CatalogueModel } from "../../protocol/model.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { unreadable } from "../quality/assess.ts";
import type { Finding } from "../quality/assessment.ts";
import type { Round } from "../quality/correction.ts";
import type { Skill } from "../skills/skill.ts";
import { askModel } from "./ask/model-arm.ts";
import type { Asking, ModelEnding } from "./ask/model-arm.ts";
import type { Attempt } from "./attempt.ts";
import { toldTo } from "./choice.ts";
import type { Field } from "./choice.ts";
import type { ArmEnding, Course } from "./course.ts";
import { restWhilePaused } from "./rest.ts";
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
      const round: Round = { model_id: BUILTIN_MODEL_ID, assessment: quality };
      course.rounds.push(round);
      if (isGood) return ok({ kind: "good", reviewed, round, corrections: 0 });
      // Without another arm there is no second round: the failure itself tells the findings.
      if (field.models.length > 0) {
        const told = await tellRound(attempt, course, { round, findings });
        if (!told.ok) return told;
      }
      return ok({ kind: "poor", findings, round, corrections: 0 });
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

/** A round after which the rules of correction say what comes next; `made` is what has to be mended, as text. */
interface Unfinished {
  kind: "unfinished";
  round: Round;
  findings: readonly Finding[];
  made: string | null;
}

async function modelRound(
  attempt: Attempt,
  asking: Asking,
  { course, corrections }: { course: Course; corrections: number },
): Promise<Result<ArmEnding | Unfinished, Refusal>> {
  const asked = await askModel(attempt, asking);
  if (!asked.ok) return asked;
  const ending = asked.value;
  if (ending.kind !== "made" && ending.kind !== "unusable") return ok(ending);
  const { reviewed, findings } = judged(attempt, course, ending);
  const assessment = reviewed === null ? unreadable(findings) : reviewed.quality;
  const round: Round = { model_id: asking.model.model_id, assessment };
  course.rounds.push(round);
  const { facts } = ending;
  const memory_ids = asking.memories.map(({ memory_id }) => memory_id);
  const told = await tellRound(attempt, course, { round, findings, facts, memory_ids });
  if (!told.ok) return told;
  if (reviewed?.isGood === true) return ok({ kind: "good", reviewed, round, corrections });
  const made = reviewed === null ? ending.text : JSON.stringify(reviewed.made.output);
  return ok({ kind: "unfinished", round, findings, made });
}

/** Asks a model, and again with what was wrong while it can mend it. Refused when the lease is gone. */
export async function byModel(
  attempt: Attempt,
  model: CatalogueModel,
  { field, course }: { field: Field; course: Course },
): Promise<Result<ArmEnding, Refusal>> {
  const memories = toldTo(model, field);
  const threshold = attempt.task.execution_options.quality_threshold;
  const hasOther = field.models.some(
    ({ model_id }) => model_id !== model.model_id && !course.tried.includes(model_id),
  );
  let correction: Correction = { findings: [], previous: null };
  for (let corrections = 0; ; corrections += 1) {
    const rested = await restWhilePaused(attempt);
    if (!rested.ok) return rested;
    if (attempt.session.stop !== null) return ok({ kind: "stopped" });
    const asking = { model, memories, ...correction };
    const asked = await modelRound(attempt, asking, { course, corrections });
    if (!asked.ok) return asked;
    if (asked.value.kind !== "unfinished") return ok(asked.value);
    const { round, findings, made } = asked.value;
    if (course.move(threshold, hasOther).kind !== "correct") {
      return ok({ kind: "poor", findings, round, corrections });
    }
    correction = { findings, previous: made };
  }
}
