import { instant } from "../../lib/ports.ts";
import { barOf, freeSlots, presenceState } from "../pool/pool.ts";
import type { Member, PlacementRule, PoolItem, PoolView } from "../pool/pool.ts";
import { isLeftToOthers, mayTake, misfit } from "./fit.ts";
import { workOf } from "./reputation.ts";
import { scored } from "./score.ts";
import type { Scored, ScoreParts } from "./score.ts";

/**
 * One executor in a decision: whether it fits, its free slots, its score and what that is made of (null
 * where it does not fit), and why it was or was not a choice.
 */
export interface Candidate {
  agent_id: string;
  fits: boolean;
  free_slots: number;
  score: number | null;
  parts: ScoreParts | null;
  reasons: string[];
}

/** What the pool was like when it decided; GET /v1/pools/{pool}/snapshot shows the whole of it. */
export interface SnapshotFigures {
  snapshot_id: string;
  ready: number;
  agents_online: number;
  slots_free: number;
}

/** The decision as the event task_routed carries it. `at` is an RFC 3339 instant. */
export interface Placement extends SnapshotFigures {
  agent_id: string;
  candidates: Candidate[];
  rule: PlacementRule;
  at: string;
}

/** Enough to see why; an event must stay small however many executors a pool has. */
export const MAX_CANDIDATES = 10;

const DISTANCE = { online: 0, stale: 1, offline: 2 };

/**
 * All these executors for one task, the best first.
 *
 * Those that fit before those that don't, online before stale before offline, then by score, then by
 * agent_id, so that equal facts always give the equal order.
 */
export function rank(item: PoolItem, members: readonly Member[], view: PoolView): Candidate[] {
  const fitting = members.filter(({ agent }) => misfit(agent, item) === null);
  const unfit = members.filter(({ agent }) => misfit(agent, item) !== null);
  const distance = ({ member }: Scored) => DISTANCE[presenceState(member, view.now)];
  const best = scored(item, fitting, view.now).sort(
    (one, other) => distance(one) - distance(other) || other.score - one.score,
  );
  const last = unfit.toSorted((one, other) => (one.agent.agent_id < other.agent.agent_id ? -1 : 1));
  return [
    ...best.map((one) => candidateOf(one.member, one, item, view)),
    ...last.map((member) => candidateOf(member, null, item, view)),
  ];
}

function candidateOf(
  member: Member,
  judged: Scored | null,
  item: PoolItem,
  view: PoolView,
): Candidate {
  const { agent } = member;
  const free = freeSlots(agent, member.slots_in_use);
  const fault = misfit(agent, item);
  const bar = barOf(member, view.now);
  const reasons = [
    fault ?? "fits",
    `${free} of ${agent.slots} slots free`,
    member.isWaiting ? "waits for a task" : presenceState(member, view.now),
    ...(bar === null ? [] : [bar]),
    ...(isLeftToOthers(agent, item, view)
      ? ["has no skill for it and leaves it to the others"]
      : []),
  ];
  if (item.declined_by.includes(agent.agent_id)) {
    const isBarred = fault === null && !mayTake(agent, item, view);
    reasons.push(isBarred ? "declined this task" : "declined this task, and nobody else fits");
  }
  return {
    agent_id: agent.agent_id,
    fits: fault === null,
    free_slots: free,
    score: judged?.score ?? null,
    parts: judged?.parts ?? null,
    reasons,
  };
}

/** Who was chosen, and from what. */
interface Choice {
  agent_id: string;
  rule: PlacementRule;
  /** Those who could have had it at once, the best first, the chosen one among them. */
  rivals: readonly Scored[];
  /** Some of the others, to say why not. */
  others: readonly Member[];
  snapshot: SnapshotFigures;
}

/**
 * The record of a decision: the chosen executor first, then its rivals by score, then the best of some
 * others, `MAX_CANDIDATES` in all. Not all others are ranked: a decision must not cost more the more
 * executors there are, and explain ranks them all.
 */
export function placementOf(choice: Choice, item: PoolItem, view: PoolView): Placement {
  const { agent_id, rule, snapshot } = choice;
  const isChosen = ({ member }: Scored) => member.agent.agent_id === agent_id;
  const rivals = [
    ...choice.rivals.filter(isChosen),
    ...choice.rivals.filter((one) => !isChosen(one)),
  ]
    .slice(0, MAX_CANDIDATES)
    .map((one) => candidateOf(one.member, one, item, view));
  const named = new Set(choice.rivals.map(({ member }) => member.agent.agent_id));
  const rest =
    rivals.length < MAX_CANDIDATES
      ? choice.others.filter(({ agent }) => !named.has(agent.agent_id))
      : [];
  return {
    agent_id,
    candidates: [...rivals, ...rank(item, rest, view)].slice(0, MAX_CANDIDATES),
    rule,
    at: instant(view.now),
    ...snapshot,
  };
}

/** When a task may start and what would bring that about. */
export interface Outlook {
  /** Epoch ms; null when nobody can say. */
  estimated_start: number | null;
  unblocked_by: string[];
}

/** At most so many executors are named. */
const MAX_NAMED = 5;

/**
 * When a task that stands at `position` may start: at once while a slot is free for it, else after as many
 * mean durations as rounds of the fitting executors' slots come before it. Durations are those of its type
 * as these executors have shown them; without any, or without an executor that fits, nobody can say.
 */
export function outlookOf(
  item: PoolItem,
  position: number,
  members: readonly Member[],
  now: number,
): Outlook {
  const able = members.filter(
    (member) =>
      misfit(member.agent, item) === null &&
      !isLeftToOthers(member.agent, item, { members, now }) &&
      presenceState(member, now) !== "offline" &&
      barOf(member, now) === null,
  );
  if (able.length === 0)
    return { estimated_start: null, unblocked_by: wantedOf(item, members, now) };
  const slots = able.reduce((sum, { agent }) => sum + agent.slots, 0);
  const free = able.reduce((sum, one) => sum + freeSlots(one.agent, one.slots_in_use), 0);
  const names = able.map(({ agent }) => agent.agent_id).toSorted();
  if (position <= free) {
    const asks = names.slice(0, MAX_NAMED).map((name) => `${name} asks for a task`);
    return { estimated_start: now, unblocked_by: asks };
  }
  const known = able.map(({ life }) => workOf(life.reputation, item.task_type).duration_s);
  const seen = known.reduce((sum, { n }) => sum + n, 0);
  const total = known.reduce((sum, mean) => sum + mean.sum, 0);
  const rounds = Math.ceil((position - free) / slots);
  return {
    estimated_start: seen === 0 ? null : Math.round(now + (rounds * total * 1_000) / seen),
    unblocked_by: names.slice(0, MAX_NAMED).map((name) => `${name} frees a slot`),
  };
}

function wantedOf(item: PoolItem, members: readonly Member[], now: number): string[] {
  const away = members.filter(({ agent }) => misfit(agent, item) === null);
  if (away.length === 0) return ["an executor that fits registers in this pool"];
  return away.slice(0, MAX_NAMED).map((member) => {
    const { agent_id } = member.agent;
    if (member.agent.isDraining) return `POST /v1/agents/${agent_id}/activate`;
    return barOf(member, now) === null
      ? `${agent_id} comes back`
      : `${agent_id} answers pushes again`;
  });
}
