import { sql, type SQL } from "drizzle-orm";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";

import {
  modelStatisticTable as statistic,
  routingBreakerTable as breaker,
  routingCellTable as cell,
  routingDecisionTable as decision,
} from "../../db/routing-table.ts";
import { RANK, type Judgement } from "./ledger.ts";
import type { ModelOutcome } from "./router-port.ts";
import { POOLED } from "./routing-store.ts";

/*
 * What is learned from how a choice went. One batch, which D1 carries out as one transaction: each statement asks the
 * decision's row whether it still has something to say, and the row is changed last. So a repetition changes nothing,
 * and of two isolates none loses what the other has learned.
 */

/** Last runs whose latency and cost are kept: a p95 of fifty is the third largest. */
const MOST_RECENT = 50;

interface Key {
  tenant: string;
  decision_id: string;
}

const keyed = ({ tenant, decision_id }: Key): SQL =>
  sql`d.tenant = ${tenant} AND d.decision_id = ${decision_id} AND d.model_id IS NOT NULL`;

/** Whether a judgement has a say: over lesser ones, and over its own kind where somebody may change their mind. */
function outranks({ source, verdict }: Judgement): SQL {
  return verdict === null ? sql`d.rank < ${RANK[source]}` : sql`d.rank <= ${RANK[source]}`;
}

const typeOf = (isParent: boolean): SQL => (isParent ? sql`${POOLED}` : sql`d.task_type`);

/** Bits of a number of ticks that count: after 4,095 of them nothing is left. */
const TICK_BITS = 12;

/** gamma to the power of so many ticks. D1 refuses SQLite's own function for it, so it is multiplied bit by bit. */
function remains(gamma: number, ticks: SQL): SQL {
  const factors = Array.from({ length: TICK_BITS }, (_, bit) => {
    const mask = 2 ** bit;
    return sql`iif((${ticks}) & ${sql.raw(String(mask))}, ${sql.raw(String(gamma ** mask))}, 1.0)`;
  });
  const most = sql.raw(String(2 ** TICK_BITS));
  return sql`iif((${ticks}) >= ${most}, 0.0, ${sql.join(factors, sql` * `)})`;
}

/** The first reward of a decision: one observation more (rules/cell.ts `observed`, in SQL). */
function observe(judgement: Judgement, gamma: number, isParent: boolean): SQL {
  const type = typeOf(isParent);
  const left = remains(gamma, sql`excluded.seen - routing_cell.seen`);
  return sql`
    INSERT INTO ${cell} (tenant, task_type, band, model_id, weight, total, updates, seen)
    SELECT d.tenant, ${type}, d.band, d.model_id, 1, ${judgement.reward}, 1,
      (SELECT coalesce(sum(g.updates), 0) + 1 FROM ${cell} AS g
        WHERE g.tenant = d.tenant AND g.task_type = ${type} AND g.band = d.band)
    FROM ${decision} AS d WHERE ${keyed(judgement)} AND d.reward IS NULL AND ${outranks(judgement)}
    ON CONFLICT DO UPDATE SET
      weight = routing_cell.weight * ${left} + 1, total = routing_cell.total * ${left} + excluded.total,
      updates = routing_cell.updates + 1, seen = excluded.seen`;
}

/**
 * Another reward in place of one that counted already: the difference, less what has been forgotten of the first one
 * since it came. So the cell is as if the new one had come then.
 */
function correct(judgement: Judgement, gamma: number, isParent: boolean): SQL {
  const tick = isParent ? sql`d.parent_tick` : sql`d.cell_tick`;
  return sql`
    UPDATE ${cell} SET
      total = routing_cell.total + (${judgement.reward} - d.reward) * ${remains(gamma, sql`routing_cell.seen - ${tick}`)}
    FROM ${decision} AS d
    WHERE ${keyed(judgement)} AND d.reward IS NOT NULL AND ${outranks(judgement)}
      AND routing_cell.tenant = d.tenant AND routing_cell.task_type = ${typeOf(isParent)}
      AND routing_cell.band = d.band AND routing_cell.model_id = d.model_id`;
}

/** Whether the run succeeded, after all: only where it is in the statistics already. */
function recount(judgement: Judgement): SQL {
  return sql`
    UPDATE ${statistic} SET
      judged = model_statistic.judged + (d.is_success IS NULL),
      successes = model_statistic.successes + ${Number(judgement.is_success)} - coalesce(d.is_success, 0)
    FROM ${decision} AS d
    WHERE ${keyed(judgement)} AND d.is_counted = 1 AND ${outranks(judgement)}
      AND model_statistic.tenant = d.tenant AND model_statistic.task_type = d.task_type
      AND model_statistic.model_id = d.model_id`;
}

function tickOf(isParent: boolean): SQL {
  const known = isParent ? sql`d.parent_tick` : sql`d.cell_tick`;
  return sql`CASE WHEN d.reward IS NOT NULL THEN ${known} ELSE (SELECT g.seen FROM ${cell} AS g
    WHERE g.tenant = d.tenant AND g.task_type = ${typeOf(isParent)} AND g.band = d.band AND g.model_id = d.model_id) END`;
}

function close(judgement: Judgement): SQL {
  const { source, reward, is_success, at, verdict } = judgement;
  // An automatic reward comes with its run, which is counted in the same batch.
  return sql`
    UPDATE ${decision} AS d SET
      cell_tick = ${tickOf(false)}, parent_tick = ${tickOf(true)}, rank = ${RANK[source]}, source = ${source},
      reward = ${reward}, is_success = ${Number(is_success)}, settled_at = ${at},
      is_counted = max(d.is_counted, ${Number(verdict === null)}), verdict = coalesce(${verdict}, d.verdict)
    WHERE ${keyed(judgement)} AND ${outranks(judgement)}`;
}

/** Both cells of a decision, and then the decision itself. */
function judging(judgement: Judgement, gamma: number): SQL[] {
  return [
    correct(judgement, gamma, false),
    correct(judgement, gamma, true),
    observe(judgement, gamma, false),
    observe(judgement, gamma, true),
    close(judgement),
  ];
}

/** drizzle's own batch takes no statement that is written out. */
const DIALECT = new SQLiteAsyncDialect();

async function run(db: D1Database, statements: readonly SQL[]): Promise<void> {
  await db.batch(
    statements.map((statement) => {
      const { sql: text, params } = DIALECT.sqlToQuery(statement);
      return db.prepare(text).bind(...params);
    }),
  );
}

/** Writes down what somebody says of a choice, where that weighs more than what was said before. */
export function judge(db: D1Database, judgement: Judgement, gamma: number): Promise<void> {
  return run(db, [recount(judgement), ...judging(judgement, gamma)]);
}

/**
 * One run more in the plain statistics, once a decision; a fault says nothing of latency. One that is not the provider's
 * is no run: what it has used up counts all the same.
 */
function count(tenant: string, outcome: ModelOutcome): SQL {
  const { decision_id, quality, latency_s, cost_usd, tokens } = outcome;
  const isFault = outcome.source === "fault";
  const hasFailed = isFault && outcome.provider === "failed";
  const isJudged = outcome.reward !== null && !isFault;
  const latest = JSON.stringify([latency_s, cost_usd]);
  // What somebody said before the run was told of stands; else what the run itself says.
  const judged = sql`(d.is_success IS NOT NULL OR ${Number(isJudged)})`;
  const success = sql`coalesce(d.is_success, ${Number(isJudged && outcome.is_success)})`;
  return sql`
    INSERT INTO ${statistic} (tenant, task_type, model_id, runs, judged, successes, faults, qualities, quality_sum,
      latency_sum_s, cost_usd, tokens, recent)
    SELECT d.tenant, d.task_type, d.model_id, ${Number(hasFailed || !isFault)}, ${judged}, ${success}, ${Number(hasFailed)},
      ${Number(quality !== null)}, ${quality ?? 0}, ${isFault ? 0 : latency_s}, ${cost_usd}, ${tokens},
      ${isFault ? "[]" : `[${latest}]`}
    FROM ${decision} AS d WHERE ${keyed({ tenant, decision_id })} AND d.is_counted = 0
    ON CONFLICT DO UPDATE SET
      runs = model_statistic.runs + excluded.runs, judged = model_statistic.judged + excluded.judged,
      successes = model_statistic.successes + excluded.successes, faults = model_statistic.faults + excluded.faults,
      qualities = model_statistic.qualities + excluded.qualities,
      quality_sum = model_statistic.quality_sum + excluded.quality_sum,
      latency_sum_s = model_statistic.latency_sum_s + excluded.latency_sum_s,
      cost_usd = model_statistic.cost_usd + excluded.cost_usd, tokens = model_statistic.tokens + excluded.tokens,
      recent = CASE
        WHEN excluded.recent = '[]' THEN model_statistic.recent
        WHEN json_array_length(model_statistic.recent) >= ${MOST_RECENT}
        THEN json_insert(json_remove(model_statistic.recent, '$[0]'), '$[#]', json(${latest}))
        ELSE json_insert(model_statistic.recent, '$[#]', json(${latest})) END`;
}

/** A model that answers is well again; what was asked before its breaker opened says nothing of now. */
function heal(key: Key): SQL {
  const asked = sql`FROM ${decision} AS d WHERE ${keyed(key)} AND d.is_counted = 0`;
  return sql`
    DELETE FROM ${breaker}
    WHERE tenant = ${key.tenant} AND model_id = (SELECT d.model_id ${asked})
      AND (pause_ms IS NULL OR (SELECT d.is_probe ${asked}) = 1)`;
}

function countedOf(key: Key, at: string): SQL {
  return sql`
    UPDATE ${decision} AS d SET is_counted = 1, settled_at = coalesce(d.settled_at, ${at}) WHERE ${keyed(key)} AND d.is_counted = 0`;
}

/**
 * Writes down how a choice went: the statistics, and the reward where there is one. A fault's reward is nobody's word.
 *
 * A decision that is not known, or chose no model, changes nothing.
 */
export function writeOutcome(
  db: D1Database,
  tenant: string,
  { outcome, at, gamma }: { outcome: ModelOutcome; at: string; gamma: number },
): Promise<void> {
  const { decision_id, reward, source, is_success } = outcome;
  const key = { tenant, decision_id };
  const isRun = source !== "fault" || outcome.provider === "failed";
  const isCounted = isRun || outcome.cost_usd > 0 || outcome.tokens > 0;
  const hasAnswered = source !== "fault" || outcome.provider === "answered";
  const judgement =
    source === "fault" || reward === null
      ? null
      : { ...key, source, reward, is_success, at, verdict: null };
  return run(db, [
    ...(judgement === null ? [] : [recount(judgement)]),
    ...(isCounted ? [count(tenant, outcome)] : []),
    ...(hasAnswered ? [heal(key)] : []),
    ...(judgement === null ? [] : judging(judgement, gamma)),
    countedOf(key, at),
  ]);
}
