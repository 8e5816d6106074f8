import type { Result } from "../../lib/result.ts";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** What a skill sees of a task: nothing that identifies or times it, so that a run is repeatable. */
export interface SkillTask {
  description: string;
  input_data: JsonObject;
  configuration: JsonObject;
}

/**
 * Where a run stands: yielded before each step, so the engine can report, beat, or stop there.
 *
 * `current_step` names, in the reader's language, the step about to run.
 */
export interface SkillProgress {
  progress_percentage: number;
  current_step: string;
  steps_completed: number;
  total_steps: number;
  intermediate_results?: JsonObject;
}

/** Scores are shares in [0, 1], computed from facts of the run; each skill documents its formula. */
export interface SkillQuality {
  overall_score: number;
  criteria_scores: {
    correctness: number;
    completeness: number;
    efficiency: number;
    maintainability: number;
  };
  feedback: string;
}

export interface SkillResult {
  output: JsonObject;
  summary: string;
  quality: SkillQuality;
  next_steps: string[];
  lessons_learned: string[];
}

/** The fields of task_failed that a skill can know (protocol.md §3). */
export interface SkillFailure {
  error_type: string;
  error_message: string;
  root_cause: { class: string; detail: string; evidence: string };
  recovery_suggestions: string[];
  retry_recommended: boolean;
}

export type SkillOutcome = Result<SkillResult, SkillFailure>;

/** Runs to its next step at each `next()`. Dropping it between two steps cancels the work. */
export type SkillRun = Generator<SkillProgress, SkillOutcome>;

/** Work of one task type that needs no model. Pure: the same task gives the same outcome. */
export interface Skill {
  readonly task_type: string;
  /** Expected duration in whole seconds, at least 1, from the size of the input alone. */
  estimate(input_data: JsonObject): number;
  /** Never throws for any JSON input: what cannot be worked on is a SkillFailure. */
  run(task: SkillTask): SkillRun;
}
