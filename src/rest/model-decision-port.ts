import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type {
  ModelDecisionRecord,
  ModelDecisionsQuery,
  ModelDecisionView,
  ModelStats,
  ModelStatsQuery,
  ModelVerdict,
} from "../protocol/model-decision.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Choices of models, and what was learned from them. Refused with unavailable while D1 is down. */
export interface ModelDecisionPort {
  stats(by: Principal, query: ModelStatsQuery): Answer<ModelStats>;
  list(
    by: Principal,
    query: ModelDecisionsQuery,
  ): Answer<{ items: ModelDecisionView[]; next_cursor: string | null }>;
  get(by: Principal, decision_id: string): Answer<ModelDecisionRecord>;
  judge(by: Principal, decision_id: string, verdict: ModelVerdict): Answer<ModelDecisionView>;
}
