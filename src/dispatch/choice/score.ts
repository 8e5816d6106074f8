import type { Objective } from "../../protocol/task-execution.ts";
import { presenceState } from "../pool/pool.ts";
import type { AgentLife, Member, PoolItem } from "../pool/pool.ts";
import { wishesMet } from "./fit.ts";
import { breakerState } from "./push-breaker.ts";
import { believed, workOf } from "./reputation.ts";
import type { Mean, Work } from "./reputation.ts";

/* Which of several executors should have a task. Pure, and equal facts give the equal answer. */

/** What a score is made of: each part in [0, 1] but `wishes`, which are as heavy as the task says. */
export interface ScoreParts {
  /** Least loaded by slots and weight: 1; twice the load: about 0.5. */
  load: number;
  /** Least served of late by slots and weight: 1; twice as much: 0.5. */
  fairness: number;
  wishes: number;
  /** Presence, lost leases and the breaker. */
  health: number;
  /** Success, quality, speed and cost in tasks of this type, by the task's objective. */
  history: number;
  /** 1 if it had one of the tasks or sessions that this one belongs with. */
  affinity: number;
}

/** An executor with its score; the score is the sum of the weighted parts. */
export interface Scored {
  member: Member;
  score: number;
  parts: ScoreParts;
}

/**
 * What each part weighs. Load and history decide; fairness shares the work out among equals without
 * covering a difference of a quarter in history; affinity breaks near-ties only.
 */
const WEIGHT = { load: 1, fairness: 0.25, wishes: 1, health: 0.5, history: 1, affinity: 0.1 };

/** What counts in the history, by what the task wants. Each row sums to 1. */
const FAVOURS: Record<Objective, Record<keyof Work, number>> = {
  quality: { success: 0.4, quality: 0.5, duration_s: 0.1, cost_usd: 0 },
  balanced: { success: 0.5, quality: 0.25, duration_s: 0.15, cost_usd: 0.1 },
  cheap: { success: 0.3, quality: 0.1, duration_s: 0.1, cost_usd: 0.5 },
  fast: { success: 0.3, quality: 0.1, duration_s: 0.6, cost_usd: 0 },
};

/**
 * Beliefs before the first fact, worth as many facts as their strength. All are good: who is new gets
 * tasks and shows what it can do, and who only ever succeeds gains nothing by having done more.
 */
const PRIOR = {
  success: { value: 1, strength: 4 },
  quality: { value: 0.9, strength: 4 },
  ratio: { value: 1, strength: 4 },
  losing: { value: 0, strength: 4 },
};

/** Served tasks count half after this long: shares even out, and what was long ago is forgotten. */
const HALF_LIFE_MS = 600_000;

/** Costs below a tenth of a cent are equal. */
const LEAST_COST_USD = 0.001;
const LEAST_DURATION_S = 0.1;

/** How many tasks an executor was offered, those of long ago forgotten. */
export function servedBy({ served, served_at }: AgentLife, now: number): number {
  return served * 2 ** (-Math.max(0, now - served_at) / HALF_LIFE_MS);
}

/** What an executor can carry, compared with others. */
export function capacityOf({ agent }: Member): number {
  return agent.slots * agent.weight;
}

function loadOf(member: Member): number {
  return member.slots_in_use / capacityOf(member);
}

function shareOf(member: Member, now: number): number {
  return (servedBy(member.life, now) + 1) / capacityOf(member);
}

const PRESENCE = { online: 1, stale: 0.5, offline: 0 };

function healthOf(member: Member, now: number): number {
  const { reputation, breaker } = member.life;
  const kept = 1 - believed(reputation.losing, PRIOR.losing);
  const trust = breakerState(breaker, now) === "closed" ? 1 : 0.5;
  return PRESENCE[presenceState(member, now)] * kept * trust;
}

/** The yardsticks: the least of each figure, infinite when nobody knows it. */
interface Best {
  load: number;
  /** One task's share of the largest capacity: what makes loads comparable that may be zero. */
  grain: number;
  share: number;
  duration_s: number;
  cost_usd: number;
}

function meanOf({ sum, n }: Mean, least: number): number {
  return n === 0 ? Number.POSITIVE_INFINITY : Math.max(sum / n, least);
}

function bestOf(item: PoolItem, members: readonly Member[], now: number): Best {
  const best: Best = {
    load: Number.POSITIVE_INFINITY,
    grain: Number.POSITIVE_INFINITY,
    share: Number.POSITIVE_INFINITY,
    duration_s: Number.POSITIVE_INFINITY,
    cost_usd: Number.POSITIVE_INFINITY,
  };
  for (const member of members) {
    const work = workOf(member.life.reputation, item.task_type);
    best.load = Math.min(best.load, loadOf(member));
    best.grain = Math.min(best.grain, 1 / capacityOf(member));
    best.share = Math.min(best.share, shareOf(member, now));
    best.duration_s = Math.min(best.duration_s, meanOf(work.duration_s, LEAST_DURATION_S));
    best.cost_usd = Math.min(best.cost_usd, meanOf(work.cost_usd, LEAST_COST_USD));
  }
  return best;
}

/** How near to the best, drawn towards 1 while little is known. */
function nearness(mean: Mean, best: number, least: number): number {
  const ratio = mean.n === 0 ? 1 : best / meanOf(mean, least);
  return believed({ sum: ratio * mean.n, n: mean.n }, PRIOR.ratio);
}

function historyOf(member: Member, item: PoolItem, best: Best): number {
  const work = workOf(member.life.reputation, item.task_type);
  const favour = FAVOURS[item.objective];
  return (
    favour.success * believed(work.success, PRIOR.success) +
    favour.quality * believed(work.quality, PRIOR.quality) +
    favour.duration_s * nearness(work.duration_s, best.duration_s, LEAST_DURATION_S) +
    favour.cost_usd * nearness(work.cost_usd, best.cost_usd, LEAST_COST_USD)
  );
}

/** Floating point must not decide between equals. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

function scoreOf(member: Member, item: PoolItem, best: Best, now: number): Scored {
  const { recent } = member.life;
  const parts: ScoreParts = {
    load: rounded((best.load + best.grain) / (loadOf(member) + best.grain)),
    fairness: rounded(best.share / shareOf(member, now)),
    wishes: wishesMet(member.agent, item),
    health: rounded(healthOf(member, now)),
    history: rounded(historyOf(member, item, best)),
    affinity: item.affinity.some((name) => recent.includes(name)) ? 1 : 0,
  };
  const score =
    WEIGHT.load * parts.load +
    WEIGHT.fairness * parts.fairness +
    WEIGHT.wishes * parts.wishes +
    WEIGHT.health * parts.health +
    WEIGHT.history * parts.history +
    WEIGHT.affinity * parts.affinity;
  return { member, score: rounded(score), parts };
}

/** Executors that can have a task, the best first; ties go by agent_id. */
export function scored(item: PoolItem, members: readonly Member[], now: number): Scored[] {
  const best = bestOf(item, members, now);
  return members
    .map((member) => scoreOf(member, item, best, now))
    .sort(
      (one, other) =>
        other.score - one.score ||
        (one.member.agent.agent_id < other.member.agent.agent_id ? -1 : 1),
    );
}
