import { and, asc, desc, eq, ne } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import { isBefore } from "../../db/keyset.ts";
import {
  modelStatisticTable as statistic,
  routingCellTable as cell,
  routingDecisionTable as decision,
} from "../../db/routing-table.ts";
import { ok, type Result } from "../../lib/result.ts";
import { pageOf, placeOf, type Page } from "../../protocol/keyset.ts";
import {
  keptVerdictSchema,
  modelDecisionSchema,
  modelStatSchema,
  type ModelDecisionsQuery,
  type ModelDecisionView,
  type ModelStat,
  type ModelStats,
  type ModelStatsQuery,
} from "../../protocol/model-decision.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { POOLED, recentSchema } from "./routing-store.ts";
import { remaining, ticksOf } from "./rules/cell.ts";
import { latencyWithin } from "./statistics.ts";

/* What others may know of choices and of how models do. */

/** Models times task types that one answer has, at most. */
const MAX_STATS = 1_000;

type Row = typeof decision.$inferSelect;

const reasonsSchema = z
  .object({ answer: z.object({ reasons: z.array(z.string()) }) })
  .transform(({ answer }) => answer.reasons);

function viewOf(row: Row): ModelDecisionView {
  const { decision_id, task_id, task_type, band, model_id, created_at, reward, settled_at } = row;
  return modelDecisionSchema.parse({
    decision_id,
    task_id,
    task_type,
    band,
    model_id,
    reasons: reasonsSchema.parse(JSON.parse(row.record)),
    created_at,
    reward,
    reward_source: row.source,
    settled_at,
    verdict: row.verdict === null ? null : keptVerdictSchema.parse(JSON.parse(row.verdict)),
  });
}

/** The decisions of a task, newest first. Refuses a cursor that is not one. */
export async function listDecisions(
  db: D1Database,
  tenant: string,
  { task_id, cursor, limit }: ModelDecisionsQuery,
): Promise<Result<Page<ModelDecisionView>, Refusal>> {
  const from = placeOf(cursor);
  if (!from.ok) return from;
  const { created_at, decision_id } = decision;
  const rows = await drizzle(db)
    .select()
    .from(decision)
    .where(
      and(
        eq(decision.tenant, tenant),
        eq(decision.task_id, task_id),
        isBefore({ at: created_at, id: decision_id }, from.value),
      ),
    )
    .orderBy(desc(created_at), desc(decision_id))
    .limit(limit + 1);
  const place = (row: Row) => ({ at: row.created_at, id: row.decision_id });
  return ok(pageOf(rows, limit, { place, item: viewOf }));
}

/** A decision with its record as it is stored, and the rank of its reward; null where there is none. */
export async function readDecision(
  db: D1Database,
  tenant: string,
  decision_id: string,
): Promise<{ view: ModelDecisionView; record: string; rank: number } | null> {
  const row = await drizzle(db)
    .select()
    .from(decision)
    .where(and(eq(decision.tenant, tenant), eq(decision.decision_id, decision_id)))
    .get();
  return row === undefined ? null : { view: viewOf(row), record: row.record, rank: row.rank };
}

type Cells = (typeof cell.$inferSelect)[];

function bandsOf(
  cells: Cells,
  { model_id, task_type }: { model_id: string; task_type: string },
  gamma: number,
): ModelStat["bands"] {
  return (["low", "medium", "high"] as const).flatMap((band) => {
    const group = cells.filter((one) => one.task_type === task_type && one.band === band);
    const own = group.find((one) => one.model_id === model_id);
    if (own === undefined) return [];
    const { mean, n } = remaining(own, ticksOf(group), gamma);
    const mean_reward = Math.min(1, Math.max(0, mean));
    return [{ band, mean_reward, n, updates: own.updates }];
  });
}

function share(sum: number, count: number): number | null {
  return count === 0 ? null : sum / count;
}

/** A sum as it may be shown: one row with a figure that is none must not hide all others. */
function amountOf(sum: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, sum));
}

function statOf(row: typeof statistic.$inferSelect, bands: ModelStat["bands"]): ModelStat {
  const { model_id, task_type, runs, judged, successes, faults } = row;
  const cost_usd = amountOf(row.cost_usd);
  const latencies = recentSchema.parse(row.recent).map(([latency_s]) => latency_s);
  const mean_s = share(row.latency_sum_s, runs - faults);
  const [p50_s, p95_s] = [latencyWithin(latencies, 0.5), latencyWithin(latencies, 0.95)];
  return modelStatSchema.parse({
    model_id,
    task_type,
    runs,
    judged,
    successes,
    success_rate: share(successes, judged),
    faults,
    mean_quality: share(row.quality_sum, row.qualities),
    latency: mean_s === null || p50_s === null || p95_s === null ? null : { mean_s, p50_s, p95_s },
    cost_usd,
    mean_cost_usd: share(cost_usd, runs),
    tokens: Math.round(amountOf(row.tokens)),
    bands,
  });
}

/** How the models of a tenant do, by model and task type; the first thousand. */
export async function readModelStats(
  db: D1Database,
  tenant: string,
  { query, gamma }: { query: ModelStatsQuery; gamma: number },
): Promise<ModelStats> {
  const orm = drizzle(db);
  const { task_type, model_id } = query;
  const [rows, cells] = await orm.batch([
    orm
      .select()
      .from(statistic)
      .where(
        and(
          eq(statistic.tenant, tenant),
          task_type === undefined ? undefined : eq(statistic.task_type, task_type),
          model_id === undefined ? undefined : eq(statistic.model_id, model_id),
        ),
      )
      .orderBy(asc(statistic.model_id), asc(statistic.task_type))
      .limit(MAX_STATS + 1),
    // Of all models: what is left of one model's observations depends on how many the others have had.
    orm
      .select()
      .from(cell)
      .where(
        and(
          eq(cell.tenant, tenant),
          task_type === undefined ? ne(cell.task_type, POOLED) : eq(cell.task_type, task_type),
        ),
      ),
  ]);
  const items = rows.slice(0, MAX_STATS).map((row) => statOf(row, bandsOf(cells, row, gamma)));
  return { items, is_complete: rows.length <= MAX_STATS };
}
