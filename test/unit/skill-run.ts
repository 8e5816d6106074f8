import type {
  JsonObject,
  PureSkill,
  SkillFailure,
  SkillOutcome,
  SkillProgress,
  SkillResult,
} from "../../src/executor/skills/skill.ts";

/** Runs a skill to its end and keeps what it reported on the way. */
export function runSkill(
  skill: PureSkill,
  input_data: JsonObject,
  options: { description?: string; configuration?: JsonObject } = {},
): { outcome: SkillOutcome; progress: SkillProgress[] } {
  const run = skill.run({
    description: options.description ?? "Analyse this for the weekly report",
    input_data,
    configuration: options.configuration ?? {},
  });
  const progress: SkillProgress[] = [];
  for (let step = run.next(); ; step = run.next()) {
    if (step.done === true) return { outcome: step.value, progress };
    progress.push(step.value);
  }
}

export function expectResult(outcome: SkillOutcome): SkillResult {
  if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.refusal)}`);
  return outcome.value;
}

export function expectFailure(outcome: SkillOutcome): SkillFailure {
  if (outcome.ok) throw new Error("was not refused");
  return outcome.refusal;
}
