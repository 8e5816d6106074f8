import type { LabelCondition } from "../../protocol/requires.ts";
import { BUILTIN_SKILLS } from "../builtin.ts";
import { presenceState } from "../pool/pool.ts";
import type { Entry, Member, PoolAgent, PoolItem, PoolView } from "../pool/pool.ts";

/* Whether an executor can have a task at all. Pure. */

type Label = string | number;

/** Numbers are compared with numbers and texts with texts; any other pair is not comparable. */
function compare(one: Label, other: unknown): number | null {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "string" && typeof other === "string") {
    return one < other ? -1 : one > other ? 1 : 0;
  }
  return null;
}

/** Whether a label, absent when undefined, meets a condition. What is absent or of another kind meets `ne` alone. */
function isMet(label: Label | undefined, { op, value }: LabelCondition): boolean {
  if (op === "exists") return label !== undefined;
  if (op === "ne") return label !== value;
  if (label === undefined) return false;
  if (op === "in") return Array.isArray(value) && value.includes(label);
  const order = compare(label, value);
  if (order === null) return false;
  switch (op) {
    case "eq":
      return order === 0;
    case "gt":
      return order > 0;
    case "gte":
      return order >= 0;
    case "lt":
      return order < 0;
    case "lte":
      return order <= 0;
  }
}

function labelOf(agent: PoolAgent, name: string): Label | undefined {
  return Object.hasOwn(agent.labels, name) ? agent.labels[name] : undefined;
}

type Wanted = NonNullable<NonNullable<PoolItem["requires"]>["labels"]>[string];

/** A plain value is a condition, too: to be equal. */
function conditionOf(wanted: Wanted): LabelCondition {
  return typeof wanted === "object" ? wanted : { op: "eq", value: wanted };
}

function labelFault(agent: PoolAgent, requires: NonNullable<PoolItem["requires"]>): string | null {
  for (const [name, wanted] of Object.entries(requires.labels ?? {})) {
    const condition = conditionOf(wanted);
    if (condition.weight !== undefined || isMet(labelOf(agent, name), condition)) continue;
    const { op, value } = condition;
    if (op === "eq") return `label ${name} is not ${String(value)}`;
    const meant = Array.isArray(value) ? ` ${value.join(" | ")}` : ` ${value ?? ""}`;
    return op === "exists" ? `has no label ${name}` : `label ${name} is not ${op}${meant}`;
  }
  return null;
}

/** Why an executor can't run a task whatever its load: the first reason, or null when it can. */
export function misfit(agent: PoolAgent, item: PoolItem): string | null {
  if (!agent.task_types.includes(item.task_type)) return `does not run ${item.task_type}`;
  const { requires } = item;
  if (requires === null) return null;
  if (requires.agent_id !== undefined && requires.agent_id !== agent.agent_id) {
    return `the task asks for ${requires.agent_id}`;
  }
  const lacking = requires.capabilities?.find((name) => !agent.capabilities.includes(name));
  if (lacking !== undefined) return `lacks capability ${lacking}`;
  return labelFault(agent, requires);
}

/** What an executor's labels add to its score: the weights of the wishes that they meet. */
export function wishesMet(agent: PoolAgent, item: PoolItem): number {
  const wanted = Object.entries(item.requires?.labels ?? {});
  return wanted.reduce((sum, [name, value]) => {
    const condition = conditionOf(value);
    const isWish = condition.weight !== undefined && isMet(labelOf(agent, name), condition);
    return isWish ? sum + (condition.weight ?? 0) : sum;
  }, 0);
}

/** Whether an executor that fits would only say that it can't do it: the built-in one, of types it does only in part. */
function isUnskilled({ isBuiltin }: PoolAgent, { task_type }: PoolItem): boolean {
  return isBuiltin && !BUILTIN_SKILLS.includes(task_type);
}

/** Whether an executor that does such tasks is there, busy or not. */
function isThere(member: Member, item: PoolItem, now: number): boolean {
  const { agent } = member;
  return (
    !agent.isDraining &&
    misfit(agent, item) === null &&
    !isUnskilled(agent, item) &&
    presenceState(member, now) !== "offline"
  );
}

/** Whether the built-in executor leaves a task that it does only in part to another one that is there. */
export function isLeftToOthers(agent: PoolAgent, item: PoolItem, view: PoolView): boolean {
  return isUnskilled(agent, item) && view.members.some((one) => isThere(one, item, view.now));
}

/** From when on an executor that gave a task back may have it again, epoch ms. */
function mayReturnAt({ free_again_at, ready_at, retry_delay }: PoolItem): number {
  return (free_again_at ?? ready_at) + retry_delay * 1_000;
}

/**
 * Whether an executor may be offered a task: it fits, nobody does it better, and it has not declined it.
 *
 * Who declined may get it again when nobody else that is still there fits, and then after `retry_delay`
 * (protocol.md §7, Decline). When all who fit have declined, each of them counts as the only one.
 */
export function mayTake(agent: PoolAgent, item: PoolItem, view: PoolView): boolean {
  if (misfit(agent, item) !== null || isLeftToOthers(agent, item, view)) return false;
  if (!item.declined_by.includes(agent.agent_id)) return true;
  if (view.now < mayReturnAt(item)) return false;
  return !view.members.some(
    (member) =>
      !item.declined_by.includes(member.agent.agent_id) && isThere(member, item, view.now),
  );
}

/**
 * When an executor may have the first of these tasks again that it gave back, epoch ms; null when it may
 * have none of them again as far as can be seen now, or may at once.
 */
export function firstReturn(
  agent: PoolAgent,
  ready: Iterable<Entry>,
  view: PoolView,
): number | null {
  let first: number | null = null;
  for (const { item } of ready) {
    if (!item.declined_by.includes(agent.agent_id)) continue;
    const at = mayReturnAt(item);
    if (at <= view.now || (first !== null && at >= first)) continue;
    if (mayTake(agent, item, { members: view.members, now: at })) first = at;
  }
  return first;
}

/** The first tasks in the given order that an executor may be offered, at most `count`. */
export function pick(
  agent: PoolAgent,
  ready: Iterable<Entry>,
  count: number,
  view: PoolView,
): Entry[] {
  const picked: Entry[] = [];
  if (count <= 0) return picked;
  for (const entry of ready) {
    if (!mayTake(agent, entry.item, view)) continue;
    picked.push(entry);
    if (picked.length === count) break;
  }
  return picked;
}
