import { mayTake } from "../choice/fit.ts";
import { barOf, freeSlots, presenceState, slotEnd } from "./pool.ts";
import type { Entry, PlacementRule, PoolAgent, PoolView } from "./pool.ts";

/* When the built-in executor may have a task. Pure. */

/** How long a task waits for an online external executor before the built-in one takes it. */
export const EXTERNAL_GRACE_MS = 5_000;

/** Expiring slots wake the pool at whole minutes only, so that many of them share one alarm. */
const COARSE_MS = 60_000;

/** So many tasks inside their grace are looked past; what is behind them is seen when the first grace ends. */
const MAX_AHEAD = 200;

/**
 * The instant (epoch ms) from which the built-in executor may have a task, or null when it may not.
 *
 * What it has no skill for is left to an external executor that fits and is there, though it be busy. An online external executor that fits and has a free slot is preferred, for `EXTERNAL_GRACE_MS`.
 */
export function builtinFrom(builtin: PoolAgent, entry: Entry, view: PoolView): number | null {
  if (!mayTake(builtin, entry.item, view)) return null;
  const isExternalNear = view.members.some(
    (member) =>
      !member.agent.isBuiltin &&
      freeSlots(member.agent, member.slots_in_use) > 0 &&
      barOf(member, view.now) === null &&
      presenceState(member, view.now) === "online" &&
      mayTake(member.agent, entry.item, view),
  );
  return isExternalNear ? entry.since + EXTERNAL_GRACE_MS : entry.since;
}

/** The built-in executor, its free slots, and when its first slot expires (epoch ms, null when none). */
export interface BuiltinLoad {
  agent: PoolAgent;
  free: number;
  firstExpiry: number | null;
}

/** Tasks for the built-in executor, and when to look again (epoch ms) if nothing happens before. */
export interface BuiltinPlan {
  take: { entry: Entry; rule: PlacementRule }[];
  wakeAt: number | null;
}

/**
 * Which of these tasks go to the built-in executor now. It looks again when a grace ends or, while all its
 * slots are taken and a task waits for it, when one that nobody released expires.
 */
export function builtinPlan(
  ready: Iterable<Entry>,
  builtin: BuiltinLoad,
  view: PoolView,
): BuiltinPlan {
  const take: BuiltinPlan["take"] = [];
  let wakeAt = Number.POSITIVE_INFINITY;
  let ahead = 0;
  for (const entry of ready) {
    const from = builtinFrom(builtin.agent, entry, view);
    if (from === null) continue;
    if (take.length >= builtin.free) {
      const ends = take.map(({ entry: taken }) => slotEnd(taken.item, view.now));
      const freedAt = Math.min(builtin.firstExpiry ?? Number.POSITIVE_INFINITY, ...ends);
      wakeAt = Math.min(wakeAt, Math.ceil(freedAt / COARSE_MS) * COARSE_MS);
      break;
    }
    if (from <= view.now) {
      take.push({ entry, rule: from > entry.since ? "builtin_after_grace" : "builtin_only" });
      continue;
    }
    wakeAt = Math.min(wakeAt, from);
    ahead += 1;
    if (ahead === MAX_AHEAD) break;
  }
  return { take, wakeAt: Number.isFinite(wakeAt) ? wakeAt : null };
}
