import { ok } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { byModel, bySkill } from "./arm-turn.ts";
import type { Attempt } from "./attempt.ts";
import { choose } from "./choice.ts";
import type { Choice, Field, Tried } from "./choice.ts";
import type { ArmEnding, Course } from "./course.ts";
import { MOST_CHOICES, MOST_ROUNDS } from "./course.ts";
import { effortOf } from "./effort.ts";
import type { Reviewed } from "./review.ts";
import { tellDecision } from "./say/narrate.ts";
import type { Failing } from "./say/tell.ts";

/** How the work on a task came out. */
export type Ending =
  | { kind: "good"; reviewed: Reviewed }
  | { kind: "failed"; failing: Failing }
  | { kind: "short"; by: string }
  | { kind: "late" }
  | { kind: "stopped" };

/** Whether another arm may do better: not when input is wrong, time or budget is over, or everything has stopped. */
function isLast(ending: ArmEnding): ending is Exclude<ArmEnding, { kind: "poor" | "fault" }> {
  return ending.kind !== "poor" && ending.kind !== "fault";
}

/** What the work of a task goes by. */
interface Plan {
  field: Field;
  course: Course;
}

/** One arm's turn, and what the course learns from it. */
async function turn(
  attempt: Attempt,
  choice: Choice,
  { field, course }: Plan,
): Promise<Result<ArmEnding, Refusal>> {
  const { session } = attempt;
  const { arm } = choice;
  session.facts =
    arm.kind === "model"
      ? { execution_mode: "model", model_used: arm.model.model_id }
      : { execution_mode: "builtin" };
  if (field.models.length > 0) {
    const told = await tellDecision(attempt, choice, course);
    if (!told.ok) return told;
  }
  const since = effortOf(attempt);
  const done =
    arm.kind === "model"
      ? await byModel(attempt, arm.model, { field, course })
      : await bySkill(attempt, arm.skill, { field, course });
  if (done.ok) course.learn(attempt, choice, { ending: done.value, since });
  return done;
}

/** The next arm; null when none is left that may do better. */
async function nextChoice(
  attempt: Attempt,
  { field, course }: Plan,
  tried: Pick<Tried, "round" | "above_tier">,
): Promise<Choice | null> {
  if (tried.round > MOST_CHOICES || course.rounds.length >= MOST_ROUNDS) return null;
  if (field.models.length === 0) return null;
  const left = withoutPoor(field, course);
  const chosen = await choose(attempt, left, { ...tried, excluded: [...course.tried] });
  return chosen.ok ? chosen.value : null;
}

/**
 * Does the work of a task: runs the arm that was chosen, gives its findings back to it while it can mend them, and goes
 * on to a stronger arm after that. Refused when the lease is gone.
 */
export async function work(
  attempt: Attempt,
  plan: Plan & { first: Choice },
): Promise<Result<Ending, Refusal>> {
  let choice = plan.first;
  let above_tier: number | null = null;
  for (let round = 2; ; round += 1) {
    const done = await turn(attempt, choice, plan);
    if (!done.ok) return done;
    const ending = done.value;
    if (isLast(ending)) return ok(ending);
    if (attempt.session.stop !== null) return ok({ kind: "stopped" });
    if (ending.kind === "poor" && choice.arm.kind === "model") {
      above_tier = Math.max(above_tier ?? 0, choice.arm.model.tier);
    }
    const next = await nextChoice(attempt, plan, { round, above_tier });
    if (next === null) return ok({ kind: "failed", failing: plan.course.failure() });
    choice = next;
  }
}

/** What the skill has made did not pass the gate, and it would make the same again. */
function withoutPoor(field: Field, { tried }: Course): Field {
  return tried.includes("builtin")
    ? { ...field, lack: "the result of the executor's own skill did not pass the quality gate" }
    : field;
}
