import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { ChildOffer } from "../../protocol/kin.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { endedRefusal } from "../machine/lease.ts";
import { totalDeadline } from "../machine/limits.ts";
import type { Gate, Lineage, TaskState } from "../machine/state.ts";
import { hasVerdict } from "../machine/state.ts";
import { openCancels } from "../machine/verdict.ts";
import type { Child, Reservation } from "./family.ts";
import { isHeldBack, prerequisitesIn } from "./gates.ts";
import { reservationFor } from "./tree-budget.ts";

/** Generations below a root that sets no limit: the most that a contract can ask for (protocol.md §3). */
const DEEPEST = 20;

/** Children of one task that says nothing of subtasks: its object keeps all of them in memory. */
const MOST_CHILDREN = 1_000;

/** What an adopted child is born with. */
export interface Birthright {
  lineage: Lineage;
  /** While its parent is held back it waits for the parent's release. */
  gates: Gate[];
}

/** An adoption: what each child is born with, and whether it was new to the parent. */
export interface Adoption {
  births: Birthright[];
  fresh: string[];
}

function levelsLeft(state: TaskState): number {
  const own = state.task.contract?.budget?.max_depth ?? DEEPEST;
  return Math.min(own, state.origin.lineage?.levels_left ?? DEEPEST);
}

/** How much later than its parent's budget a child would end by itself: its parent ends first, and stops it. */
const DEADLINE_GRACE_MS = 60_000;

/** When a child must be over. Wall time counts from the parent's start, which may still be to come. */
function deadlineFor(state: TaskState): number {
  const total = totalDeadline(state);
  const limit = state.task.contract?.budget?.max_duration_s;
  if (limit === undefined || state.started_at === null) return total;
  const seconds = limit + state.granted.duration_s;
  return Math.min(total, state.started_at + seconds * 1_000 + DEADLINE_GRACE_MS);
}

/** What a child is born with: its place in the tree, and what was set aside for it. */
export function birthrightOf(
  state: TaskState,
  child: { reserved: Reservation },
  max_depth: number = DEEPEST,
): Birthright {
  const { lineage, task_id } = state.origin;
  return {
    lineage: {
      parent_task_id: task_id,
      root_task_id: lineage?.root_task_id ?? task_id,
      depth: (lineage?.depth ?? 0) + 1,
      levels_left: Math.min(levelsLeft(state) - 1, max_depth),
      deadline_at: deadlineFor(state),
      allowance: child.reserved,
    },
    gates: isHeldBack(state)
      ? [{ kind: "parent", task_id, behind: prerequisitesIn(state.origin.gates ?? []) }]
      : [],
  };
}

function parentRefusal(detail: string): Refusal {
  return {
    code: "parent_refused",
    detail,
    errors: [{ pointer: "/parent_task_id", code: "parent_refused", detail }],
  };
}

/** Why the parent can have no further child at all, or null. */
function adoptionFault(state: TaskState): Refusal | null {
  if (hasVerdict(state)) return endedRefusal(state);
  if (openCancels(state).length > 0) return parentRefusal("The parent is being cancelled.");
  if (state.phase === "awaiting_approval") {
    return parentRefusal("The parent waits for its approval; submit its subtasks afterwards.");
  }
  const count = state.family?.children.length ?? 0;
  const { subtasks } = state.task;
  if (count >= (subtasks?.expected ?? MOST_CHILDREN)) {
    return parentRefusal(`The parent has all of its ${count} subtasks already.`);
  }
  if (levelsLeft(state) >= 1) return null;
  return {
    code: "budget_exceeded",
    detail: "The tree may not become deeper: the parent has 0 of max_depth left.",
    errors: [
      {
        pointer: "/parent_task_id",
        code: "budget_exceeded",
        detail: "no generation may follow below this parent",
        expected: "a parent further up",
      },
    ],
    extra: { resource: "depth", left: 0 },
  };
}

/**
 * Sets aside what further children need of their parent's budget. One that is known already keeps what it has.
 *
 * Refused, all together, with task_ended, parent_refused or budget_exceeded; `errors` point into the child.
 *
 * @returns the children that are new, in order
 * @param now epoch milliseconds
 */
export function adopt(
  state: TaskState,
  offers: readonly ChildOffer[],
  now: number,
): Result<Child[], Refusal> {
  const adopted: Child[] = [];
  let current = state;
  for (const offer of offers) {
    const known = current.family?.children ?? [];
    if (known.some(({ task_id }) => task_id === offer.task_id)) continue;
    const fault = adoptionFault(current);
    if (fault !== null) return refuse(fault);
    const reserved = reservationFor(current, offer);
    if (!reserved.ok) return reserved;
    const child: Child = {
      task_id: offer.task_id,
      weight: offer.weight,
      reserved: reserved.value,
      adopted_at: now,
      report: null,
    };
    adopted.push(child);
    current = { ...current, family: { children: [...known, child] } };
  }
  return ok(adopted);
}
