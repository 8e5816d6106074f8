import { instant } from "../../lib/ports.ts";
import { freeSlots, mayTake, misfit, presenceState } from "./pool.ts";
import type { Member, PlacementRule, PoolItem, PoolView } from "./pool.ts";

/** One executor in a decision: whether it fits, its free slots, and why it was or was not a choice. */
export interface Candidate {
  agent_id: string;
  fits: boolean;
  free_slots: number;
  reasons: string[];
}

/** The decision as the event task_routed carries it. `at` is an RFC 3339 instant. */
export interface Placement {
  agent_id: string;
  candidates: Candidate[];
  rule: PlacementRule;
  at: string;
}

/** Enough to see why; an event must stay small however many executors a pool has. */
export const MAX_CANDIDATES = 10;

/**
 * All executors of a pool for one task, the best first.
 *
 * Those that fit before those that don't, online before stale before offline, then most free slots by
 * weight, then by agent_id, so that equal facts always give the equal order.
 */
export function rank(item: PoolItem, view: PoolView): Candidate[] {
  return view.members
    .map((member) => judge(member, item, view))
    .sort(
      (one, other) =>
        Number(other.candidate.fits) - Number(one.candidate.fits) ||
        one.distance - other.distance ||
        other.freeWeight - one.freeWeight ||
        (one.candidate.agent_id < other.candidate.agent_id ? -1 : 1),
    )
    .map(({ candidate }) => candidate);
}

const DISTANCE = { online: 0, stale: 1, offline: 2 };

function judge(member: Member, item: PoolItem, view: PoolView) {
  const { agent } = member;
  const state = presenceState(member, view.now);
  const free = freeSlots(agent, member.slots_in_use);
  const fault = misfit(agent, item);
  const reasons = [
    fault ?? "fits",
    `${free} of ${agent.slots} slots free`,
    member.isWaiting ? "waits for a task" : state,
  ];
  if (item.declined_by.includes(agent.agent_id)) {
    const isBarred = fault === null && !mayTake(agent, item, view);
    reasons.push(isBarred ? "declined this task" : "declined this task, and nobody else fits");
  }
  return {
    candidate: { agent_id: agent.agent_id, fits: fault === null, free_slots: free, reasons },
    distance: DISTANCE[state],
    freeWeight: free * agent.weight,
  };
}

/** The record of a decision: the chosen executor first, then the best of the others, `MAX_CANDIDATES` in all. */
export function placementOf(
  chosen: { agent_id: string; rule: PlacementRule },
  item: PoolItem,
  view: PoolView,
): Placement {
  const ranked = rank(item, view);
  const isChosen = (candidate: Candidate) => candidate.agent_id === chosen.agent_id;
  return {
    agent_id: chosen.agent_id,
    candidates: [
      ...ranked.filter(isChosen),
      ...ranked.filter((candidate) => !isChosen(candidate)),
    ].slice(0, MAX_CANDIDATES),
    rule: chosen.rule,
    at: instant(view.now),
  };
}
