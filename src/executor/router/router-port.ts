import type { Result } from "../../lib/result.ts";
import type { Complexity, TaskType } from "../../protocol/enums.ts";
import type { CatalogueModel, ModelCapability } from "../../protocol/model.ts";
import type { Objective } from "../../protocol/task-execution.ts";
import type { JsonObject } from "../skills/skill.ts";

/** How hard a task is, in the three steps of the selection (facts/orchestration.md §3.3). */
export type Band = "low" | "medium" | "high";

/** Everything that a choice of a model depends on, besides what was learned. */
export interface RoutingQuestion {
  /** Derived from task, attempt and round, so that a repetition finds its decision again. */
  decision_id: string;
  task_id: string;
  attempt: number;
  /** Which choice within the attempt it is, from 1. */
  round: number;
  task_type: TaskType;
  description: string;
  /** Characters of the task's input. */
  input_characters: number;
  /** The caller's own judgement; null when there is none. */
  complexity: Complexity | null;
  objective: Objective;
  model_preference: "local" | "api" | "hybrid";
  /** Region that the data may not leave; null when any will do. */
  region: string | null;
  needs: readonly ModelCapability[];
  /** Estimated tokens of the whole question, and the most that the answer may have. */
  input_tokens: number;
  output_tokens: number;
  /** What is left of the budgets; null where there is none. */
  budget_usd: number | null;
  budget_tokens: number | null;
  /** Until the attempt has to be over. Milliseconds. */
  time_left_ms: number;
  is_explorable: boolean;
  retries_left: number;
  /** Why the executor's own skills can't do it; null when they can: then the arm `builtin` is a candidate. */
  builtin_lack: string | null;
  /** Expected quality of the executor's own skill for this type, in [0, 1]; that of an unrated model when absent. */
  builtin_prior_quality?: number;
  /** Models that were tried in this task and failed it. */
  excluded: readonly string[];
  /** Models that memory advises against, with the ids of what it remembers. */
  avoided: readonly { model_id: string; memory_ids: string[] }[];
  /** After a failed quality gate: only above this tier, where there is one. */
  above_tier: number | null;
  models: readonly CatalogueModel[];
}

/** A model and why; `record` is the whole decision as it is stored, enough to make it again byte for byte. */
export interface ModelDecision {
  decision_id: string;
  model_id: string;
  band: Band;
  /** Short sentences, the most important first. */
  reasons: string[];
  record: JsonObject;
}

/** No model is left by the hard filters. `removed` says for each by which one (rules/filters.ts) and why. */
export interface NoModel {
  decision_id: string;
  removed: { model_id: string; filter: string; reason: string }[];
  record: JsonObject;
}

/**
 * How a choice went. `reward` in [0, 1] comes from what can be verified; null teaches nothing about quality (a lost
 * lease, a cancellation). A fault says nothing of quality; where the provider failed, it counts for its breaker.
 */
export interface ModelOutcome {
  decision_id: string;
  reward: number | null;
  source: "contract" | "quality" | "orchestrator" | "human" | "fault";
  /** With a fault: what it says of the provider; absent where that is nothing, as with a task's own short time. */
  provider?: "failed" | "answered";
  is_success: boolean;
  quality: number | null;
  latency_s: number;
  cost_usd: number;
  tokens: number;
}

/** Selection as the engine calls it. Both calls may be repeated. */
export interface RouterDoor {
  choose(tenant: string, question: RoutingQuestion): Promise<Result<ModelDecision, NoModel>>;
  learn(tenant: string, outcome: ModelOutcome): Promise<void>;
}
