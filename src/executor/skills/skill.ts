import type { Result } from "../../lib/result.ts";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** What came with a task beside its input. Each part is absent where nothing of it did. */
export interface Surroundings {
  /** What was answered when the task was escalated before: `{question, answer, decision}`. */
  readonly escalation_answers?: JsonValue;
  /** What tasks before it made, or their ids. */
  readonly previous_tasks?: JsonValue;
  readonly memory_context?: JsonValue;
  readonly user_preferences?: JsonValue;
  readonly environment?: JsonValue;
}

/** What a skill sees of a task: nothing that identifies or times it, so that a run is repeatable. */
export interface SkillTask {
  description: string;
  input_data: JsonObject;
  configuration: JsonObject;
  /** For models; what earlier tasks made is among a reading skill's documents where the task brings none. */
  around?: Surroundings;
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
export type SkillRun = PureRun | AsyncGenerator<SkillProgress, SkillOutcome>;

/** A run that waits for nothing. */
export type PureRun = Generator<SkillProgress, SkillOutcome>;

/** A request that a skill makes. */
export interface HttpRequest {
  method: string;
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  timeout_ms: number;
  /** Bytes of the answer that are read; more are cut off and `is_cut` says so. At most 1 MiB; 256 KiB when absent. */
  max_bytes?: number;
  /** Judges address and request as if to send it, and sends nothing: the answer has status 0 and no body. */
  is_trial?: boolean;
}

export interface HttpAnswer {
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  text: string;
  bytes: number;
  is_cut: boolean;
  duration_ms: number;
}

export interface HttpFault {
  /**
   * address_refused: not public by the URL policy of webhooks; request_refused: a method, header or body that may not
   * be sent. In both cases nothing was sent.
   */
  class: "address_refused" | "request_refused" | "timeout" | "network" | "aborted";
  detail: string;
  duration_ms: number;
}

/** What a skill may do besides computing. */
export interface SkillTools {
  /** Epoch milliseconds. */
  now(): number;
  pause(ms: number): Promise<void>;
  /** Never follows a redirect, never throws for what a server does, and reaches no address that webhooks may not. */
  http(request: HttpRequest): Promise<Result<HttpAnswer, HttpFault>>;
  /**
   * Does something once: the value is in the task's checkpoint before it is given back, and a later attempt gets it
   * from there instead of doing it again. Between doing and writing a crash can still repeat it: what changes the
   * world also sends `idempotencyKey(name)`.
   */
  step<Value extends JsonValue>(name: string, work: () => Promise<Value>): Promise<Value>;
  /** The same for every attempt of the task. */
  idempotencyKey(name: string): string;
  /** Aborted by a cancellation, a lost lease or a spent budget. */
  signal: AbortSignal;
}

/** Work of one task type that needs no model. */
export interface Skill {
  readonly task_type: string;
  /** Expected duration in whole seconds, at least 1, from the size of the input alone. */
  estimate(input_data: JsonObject): number;
  /**
   * Why it can't do this task without a model, in one sentence; null when it can. Absent: it always can.
   * Input that is simply wrong is no lack: `run` says so.
   */
  lack?(task: SkillTask): string | null;
  /** Expected quality of its results, in [0, 1], as the selection weighs it against models. */
  readonly prior_quality: number;
  /** Never throws for any JSON input: what cannot be worked on is a SkillFailure. Pure but for its tools. */
  run(task: SkillTask, tools: SkillTools): SkillRun;
}

/** A skill that needs nothing but its task: it runs without waiting. */
export interface PureSkill extends Skill {
  run(task: SkillTask): PureRun;
}
