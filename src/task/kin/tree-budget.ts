import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Amounts, ChildOffer } from "../../protocol/kin.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Memo, TaskState } from "../machine/state.ts";
import { addUse, usageOf } from "../machine/state.ts";
import { isComposite, openChildren, usedBelow } from "./family.ts";
import type { Reservation } from "./family.ts";

/*
 * The law of a tree's budget, for each resource that a task or an ancestor limits:
 *   used by itself + used by ended children + set aside for open children <= limit + granted.
 */

type Resource = keyof Amounts;

/** Sums of money are compared with this much slack: 0.1 + 0.2 is more than 0.3 in binary. Dollars. */
const ROUNDING = 1e-9;

function least(...limits: (number | null | undefined)[]): number | null {
  const known = limits.filter((limit) => limit !== null && limit !== undefined);
  return known.length === 0 ? null : Math.min(...known);
}

/** What the task and all below it may use: its own budget or its parent's allowance, whichever is less, and grants. */
export function limitsOf(state: TaskState): Reservation {
  const own = state.task.contract?.budget;
  const allowed = state.origin.lineage?.allowance;
  const plus = (limit: number | null, granted: number): number | null =>
    limit === null ? null : addUse(limit, granted);
  return {
    cost_usd: plus(least(own?.max_cost_usd, allowed?.cost_usd), state.granted.cost_usd),
    tokens: plus(least(own?.max_tokens, allowed?.tokens), state.granted.tokens),
    attempts: least(own?.max_attempts, allowed?.attempts),
    children: least(own?.max_children, allowed?.children),
  };
}

/** Attempts that count: those declined or given up to ask do not, those that failed before somebody was asked do. */
function ownAttempts(state: TaskState): number {
  return Math.max(0, state.attempt - state.uncounted_attempts + state.asked_attempts);
}

function ownUse(state: TaskState, memo: Memo | null): Amounts {
  const { cost_usd, tokens } = usageOf({ ...state, memo });
  return { cost_usd, tokens, attempts: ownAttempts(state), children: 0 };
}

/** What the task and all below it have used. */
export function usedInTree(state: TaskState, memo: Memo | null = state.memo): Amounts {
  const own = ownUse(state, memo);
  const below = usedBelow(state.family);
  return {
    cost_usd: addUse(own.cost_usd, below.cost_usd),
    tokens: addUse(own.tokens, below.tokens),
    attempts: own.attempts + below.attempts,
    children: below.children,
  };
}

/** The attempt that a task is about to make; the work of a composite task is its children's attempts. */
function attemptsToCome(state: TaskState): number {
  return isComposite(state.task) || state.holder !== null || state.verdict !== null ? 0 : 1;
}

/**
 * What is used up or set aside for good: an open child counts with its reservation, or its use if that is more, and
 * the task itself with the attempt that it waits for.
 */
export function committedInTree(state: TaskState, memo: Memo | null = state.memo): Amounts {
  const used = usedInTree(state, memo);
  const open = openChildren(state.family);
  const aside = (resource: Resource): number =>
    open.reduce((sum, { reserved, report }) => {
      const soFar = report?.used[resource] ?? 0;
      return sum + Math.max(0, (reserved[resource] ?? 0) - soFar);
    }, 0);
  return {
    cost_usd: addUse(used.cost_usd, aside("cost_usd")),
    tokens: addUse(used.tokens, aside("tokens")),
    attempts: used.attempts + aside("attempts") + attemptsToCome(state),
    children: used.children + aside("children"),
  };
}

/** What is still free; null where there is no limit. */
export function freeInTree(state: TaskState): Reservation {
  const limits = limitsOf(state);
  const committed = committedInTree(state);
  const free = (resource: Resource): number | null => {
    const limit = limits[resource];
    return limit === null ? null : limit - committed[resource];
  };
  return {
    cost_usd: free("cost_usd"),
    tokens: free("tokens"),
    attempts: free("attempts"),
    children: free("children"),
  };
}

/** Among how many children, the one to come included, the free amounts are divided. */
function childrenToCome(state: TaskState): number {
  const adopted = state.family?.children.length ?? 0;
  const total = state.task.subtasks?.expected ?? limitsOf(state).children ?? 1;
  return Math.max(1, total - adopted);
}

function exceeded(resource: string, left: number, wanted: string): Refusal {
  return {
    code: "budget_exceeded",
    detail: `The parent has ${left} of ${resource} left for further children, ${wanted}.`,
    errors: [
      {
        pointer: "/parent_task_id",
        code: "budget_exceeded",
        detail: `${resource} is used up or set aside`,
        expected: `at most ${left}`,
      },
    ],
    extra: { resource, left },
  };
}

interface Share {
  resource: Resource;
  /** What the child asks for; undefined when it takes its share. */
  wish: number | undefined;
  share: number;
  /** Less than this is of no use to a child. */
  least: number;
}

function reserveOne(
  free: number | null,
  { resource, wish, share, least: floor }: Share,
): Result<number | null, Refusal> {
  if (free === null) return ok(wish ?? null);
  const left = Math.max(0, free);
  if (wish !== undefined) {
    return wish > free + ROUNDING
      ? refuse(exceeded(resource, left, `the child asks for ${wish}`))
      : ok(wish);
  }
  return free < floor || (resource === "cost_usd" && free <= 0)
    ? refuse(exceeded(resource, left, "which is too little for another one"))
    : ok(Math.max(floor, share));
}

/**
 * What a child to come gets of its parent's budget: what its own budget asks for, or an equal share of what is
 * free among the children still to come, and the task itself where its work is not theirs alone.
 *
 * Refused with budget_exceeded, which says how much is left.
 */
export function reservationFor(state: TaskState, offer: ChildOffer): Result<Reservation, Refusal> {
  const free = freeInTree(state);
  const places = free.children;
  if (places !== null && places < 1) {
    return refuse(exceeded("children", Math.max(0, places), "the child is one more"));
  }
  const toCome = childrenToCome(state);
  // Whoever works on it himself needs a share as well: his use may not touch what is set aside.
  const shares = isComposite(state.task) ? toCome : toCome + 1;
  const part = (amount: number | null): number => Math.floor((amount ?? 0) / shares);
  const wishes: Share[] = [
    {
      resource: "cost_usd",
      wish: offer.max_cost_usd,
      share: (free.cost_usd ?? 0) / shares,
      least: 0,
    },
    { resource: "tokens", wish: offer.max_tokens, share: part(free.tokens), least: 1 },
    {
      resource: "attempts",
      wish: offer.max_attempts,
      share: Math.min(1 + offer.max_retries, part(free.attempts)),
      least: 1,
    },
    {
      resource: "children",
      wish: offer.max_children,
      // Each of those to come is a child itself; what is left beyond them is for the generations below.
      share: Math.max(0, Math.floor(((places ?? 0) - toCome) / toCome)),
      least: 0,
    },
  ];
  const reserved: Reservation = { cost_usd: null, tokens: null, attempts: null, children: null };
  for (const wish of wishes) {
    const available =
      wish.resource === "children" && places !== null ? places - 1 : free[wish.resource];
    const done = reserveOne(available, wish);
    if (!done.ok) return done;
    reserved[wish.resource] = done.value;
  }
  return ok(reserved);
}

/** Whether the tree's budget has another attempt of this task itself: what is set aside for its children is not its own. */
export function hasAttemptLeft(state: TaskState): boolean {
  const { attempts } = limitsOf(state);
  return attempts === null || committedInTree(state).attempts < attempts;
}

/** Why nobody may try the task itself once more, or null: the attempts of its tree are used up. */
export function attemptRefusal(state: TaskState): Refusal | null {
  const { attempts } = limitsOf(state);
  const used = usedInTree(state).attempts;
  if (isComposite(state.task) || attempts === null || used < attempts) return null;
  return {
    code: "budget_exceeded",
    detail: `All ${attempts} attempts of the budget are used up; the task can only be cancelled.`,
    extra: { resource: "attempts", left: 0 },
  };
}

/** Why a child cannot be granted more than its parent has set aside for it, or null. Time is not set aside. */
export function grantRefusal(
  { origin: { lineage } }: TaskState,
  grant: { cost_usd?: number | undefined; tokens?: number | undefined },
): Refusal | null {
  const resource = (["cost_usd", "tokens"] as const).find(
    (name) => (grant[name] ?? 0) > 0 && (lineage?.allowance[name] ?? null) !== null,
  );
  if (lineage === undefined || resource === undefined) return null;
  const root = lineage.root_task_id;
  return {
    code: "budget_exceeded",
    detail: `The task has a share of its parent's ${resource}; grant them to ${root}, the root of the tree, for further tasks below it.`,
    extra: { resource, root_task_id: root },
  };
}

/** Whether an amount is beyond its limit, rounding aside. */
export function isBeyond(used: number, limit: number): boolean {
  return used > limit + ROUNDING;
}
