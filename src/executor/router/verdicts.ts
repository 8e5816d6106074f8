import type { Log } from "../../lib/log.ts";
import { canonicalJson, instant, type Clock } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Principal } from "../../protocol/access.ts";
import type { Page } from "../../protocol/keyset.ts";
import type {
  KeptVerdict,
  ModelDecisionRecord,
  ModelDecisionsQuery,
  ModelDecisionView,
  ModelStats,
  ModelStatsQuery,
  ModelVerdict,
} from "../../protocol/model-decision.ts";
import { jsonObjectSchema } from "../../protocol/primitives.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { RANK, type Judgement } from "./ledger.ts";
import { replay } from "./record.ts";
import { TUNING } from "./rules/tuning.ts";

/** Milliseconds after a choice in which a verdict still teaches: seven days. */
export const VERDICT_WITHIN_MS = 7 * 86_400_000;

type Answer<Value> = Promise<Result<Value, Refusal>>;

interface Stored {
  view: ModelDecisionView;
  record: string;
  rank: number;
}

/** What the use cases are built from. */
export interface VerdictParts {
  now: Clock;
  log: Log;
  list: (tenant: string, query: ModelDecisionsQuery) => Answer<Page<ModelDecisionView>>;
  get: (tenant: string, decision_id: string) => Promise<Stored | null>;
  stats: (tenant: string, query: ModelStatsQuery) => Answer<ModelStats>;
  judge: (judgement: Judgement) => Promise<void>;
}

/** Use cases of those who look at choices of models, and say how they went. */
export interface Verdicts {
  stats: (by: Principal, query: ModelStatsQuery) => Answer<ModelStats>;
  list: (by: Principal, query: ModelDecisionsQuery) => Answer<Page<ModelDecisionView>>;
  /** Refused: model_decision_not_found. */
  get: (by: Principal, decision_id: string) => Answer<ModelDecisionRecord>;
  /**
   * Takes the place of the reward that was found automatically, and of an earlier verdict that weighs no more.
   *
   * Refused: model_decision_not_found; verdict_refused where no model was chosen, seven days have passed, or a human has
   * spoken and this is an orchestrator.
   */
  judge: (by: Principal, decision_id: string, verdict: ModelVerdict) => Answer<ModelDecisionView>;
}

const UNKNOWN: Refusal = {
  code: "model_decision_not_found",
  detail: "There is no choice of a model with this id.",
};

function refusedBecause(detail: string): { ok: false; refusal: Refusal } {
  return refuse({ code: "verdict_refused", detail });
}

function faultOf({ view, rank }: Stored, by: ModelVerdict["by"], now: number) {
  if (view.model_id === null) return refusedBecause("No model was chosen, so none can be judged.");
  if (now - Date.parse(view.created_at) > VERDICT_WITHIN_MS) {
    return refusedBecause(
      `A verdict teaches within seven days; the choice was made at ${view.created_at}.`,
    );
  }
  return rank > RANK[by]
    ? refusedBecause("A human has judged this choice, and an orchestrator does not overrule that.")
    : null;
}

function keptOf({ accepted, score, by, comment }: ModelVerdict): KeptVerdict {
  return { accepted, score: score ?? Number(accepted), by, comment: comment ?? null };
}

async function judgeOne(
  parts: VerdictParts,
  tenant: string,
  { decision_id, verdict }: { decision_id: string; verdict: ModelVerdict },
): Answer<ModelDecisionView> {
  const found = await parts.get(tenant, decision_id);
  if (found === null) return refuse(UNKNOWN);
  const kept = keptOf(verdict);
  // The same again is no news, however late it comes.
  if (canonicalJson(kept) === canonicalJson(found.view.verdict)) return ok(found.view);
  const now = parts.now();
  const fault = faultOf(found, verdict.by, now);
  if (fault !== null) return fault;
  await parts.judge({
    tenant,
    decision_id,
    source: kept.by,
    reward: kept.score,
    is_success: kept.accepted,
    at: instant(now),
    verdict: canonicalJson(kept),
  });
  const { task_id, model_id } = found.view;
  parts.log("info", "model_decision_judged", {
    tenant,
    decision_id,
    task_id,
    model_id,
    accepted: kept.accepted,
    score: kept.score,
    by: kept.by,
  });
  const after = await parts.get(tenant, decision_id);
  return after === null ? refuse(UNKNOWN) : ok(after.view);
}

/** The use cases of choices of models after the fact. */
export function createVerdicts(parts: VerdictParts): Verdicts {
  return {
    stats: (by, query) => parts.stats(by.tenant, query),
    list: (by, query) => parts.list(by.tenant, query),
    async get(by, decision_id) {
      const found = await parts.get(by.tenant, decision_id);
      if (found === null) return refuse(UNKNOWN);
      const record = jsonObjectSchema.parse(JSON.parse(found.record));
      const replayed = replay(found.record, TUNING.version) === found.record;
      return ok({ ...found.view, record, replayed });
    },
    judge: (by, decision_id, verdict) => judgeOne(parts, by.tenant, { decision_id, verdict }),
  };
}
