import { z } from "zod";

import { prioritySchema, taskTypeSchema, type Priority } from "../../protocol/enums.ts";
import { agentIdSchema, taskIdSchema } from "../../protocol/primitives.ts";
import { requiresSchema } from "../../protocol/task-execution.ts";

/* The rules of one pool. Pure: the object fetches, calls these, and writes what they say. */

/** An executor as a pool knows it. */
export const poolAgentSchema = z.strictObject({
  agent_id: agentIdSchema,
  capabilities: z.array(z.string()),
  task_types: z.array(taskTypeSchema),
  labels: z.record(z.string(), z.union([z.string(), z.number()])),
  slots: z.int().min(1),
  weight: z.number(),
  isBuiltin: z.boolean(),
});
export type PoolAgent = z.infer<typeof poolAgentSchema>;

/** A task that wants an executor, as the task announces itself. */
export const poolItemSchema = z.strictObject({
  task_id: taskIdSchema,
  attempt: z.int().min(1).meta({ description: "Number of the attempt to come." }),
  priority: prioritySchema,
  task_type: taskTypeSchema,
  requires: requiresSchema.nullable(),
  declined_by: z.array(agentIdSchema),
  ready_at: z.int().min(0).meta({ description: "Since when it waits, epoch ms." }),
  slot_seconds: z
    .int()
    .min(1)
    .meta({ description: "Seconds after which a reserved slot is free again by itself." }),
  retry_delay: z
    .int()
    .min(0)
    .meta({ description: "Seconds before an executor that gave it back may have it again." }),
});
export type PoolItem = z.infer<typeof poolItemSchema>;

/** A slot: a row that expires, never a counter. Instants are epoch ms; `decision` is JSON text. */
export interface Reservation {
  agent_id: string;
  reserved_at: number;
  expires_at: number;
  decision: string;
}

/** One task in the pool. `since` is when this attempt was first announced here, epoch ms. */
export interface Entry {
  item: PoolItem;
  since: number;
  reservation: Reservation | null;
}

/**
 * An executor and how it is doing at one instant. `last_seen_at` is epoch ms, null when never; `assigned`
 * and `released` count offers and ended ones, roughly: a wake may forget the last minute of them.
 */
export interface Member {
  agent: PoolAgent;
  last_seen_at: number | null;
  slots_in_use: number;
  isWaiting: boolean;
  assigned: number;
  released: number;
}

/** What a choice is made from. */
export interface PoolView {
  members: readonly Member[];
  now: number;
}

/**
 * How long a reservation is believed although its task says that nobody came: many times what a claim
 * needs to reach the task's object, and still short for a task whose claimant went away.
 */
export const RESERVATION_GRACE_MS = 10_000;

/** How long a task waits for an online external executor before the built-in one takes it. */
export const EXTERNAL_GRACE_MS = 5_000;

/** An executor is online this long after its last call, and stale until five minutes. */
export const ONLINE_MS = 60_000;
const STALE_MS = 300_000;

/** Expiring slots wake the pool at whole minutes only, so that many of them share one alarm. */
const COARSE_MS = 60_000;

const RANK: Record<Priority, number> = { critical: 0, high: 1, normal: 2, low: 3 };

/** The order in which tasks are handed out: priority, then first in first out; ties by task_id. */
export function inOrder(one: PoolItem, other: PoolItem): number {
  return (
    RANK[one.priority] - RANK[other.priority] ||
    one.ready_at - other.ready_at ||
    (one.task_id < other.task_id ? -1 : one.task_id > other.task_id ? 1 : 0)
  );
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
  const label = Object.entries(requires.labels ?? {}).find(([name, value]) => {
    return !Object.hasOwn(agent.labels, name) || agent.labels[name] !== value;
  });
  return label === undefined ? null : `label ${label[0]} is not ${label[1]}`;
}

/** Whether an executor is there: calling or working, silent for a while, or gone. */
export function presenceState(member: Member, now: number): "online" | "stale" | "offline" {
  if (member.agent.isBuiltin || member.isWaiting || member.slots_in_use > 0) return "online";
  if (member.last_seen_at === null) return "offline";
  const silentMs = now - member.last_seen_at;
  if (silentMs <= ONLINE_MS) return "online";
  return silentMs <= STALE_MS ? "stale" : "offline";
}

/** How an executor is doing, as a pool answers. */
export function presenceOf(member: Member, now: number) {
  const { agent, isWaiting: _, ...figures } = member;
  return { agent_id: agent.agent_id, state: presenceState(member, now), ...figures };
}

/** Slots that are left. Never negative, also when an executor registered again with fewer. */
export function freeSlots(agent: PoolAgent, inUse: number): number {
  return Math.max(0, agent.slots - inUse);
}

/**
 * Whether an executor may be offered a task: it fits, and it has not declined it.
 *
 * Who declined may get it again when nobody else that is still there fits, and then after `retry_delay`
 * (protocol.md §7, Decline). When all who fit have declined, each of them counts as the only one.
 */
export function mayTake(agent: PoolAgent, item: PoolItem, view: PoolView): boolean {
  if (misfit(agent, item) !== null) return false;
  if (!item.declined_by.includes(agent.agent_id)) return true;
  if (view.now < item.ready_at + item.retry_delay * 1_000) return false;
  return !view.members.some(
    (member) =>
      !item.declined_by.includes(member.agent.agent_id) &&
      misfit(member.agent, item) === null &&
      presenceState(member, view.now) !== "offline",
  );
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

/**
 * The instant (epoch ms) from which the built-in executor may have a task, or null when it may not.
 *
 * An online external executor that fits and has a free slot is preferred, for `EXTERNAL_GRACE_MS`.
 */
export function builtinFrom(builtin: PoolAgent, entry: Entry, view: PoolView): number | null {
  if (!mayTake(builtin, entry.item, view)) return null;
  const isExternalNear = view.members.some(
    (member) =>
      !member.agent.isBuiltin &&
      freeSlots(member.agent, member.slots_in_use) > 0 &&
      presenceState(member, view.now) === "online" &&
      mayTake(member.agent, entry.item, view),
  );
  return isExternalNear ? entry.since + EXTERNAL_GRACE_MS : entry.since;
}

/**
 * Why a task went where it went. `first_claim`: the first asking executor that fits. `builtin_only`: no
 * external executor that fits was there with a free slot. `builtin_after_grace`: one was, and did not ask
 * in time.
 */
export type PlacementRule = "first_claim" | "builtin_only" | "builtin_after_grace";

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
  for (const entry of ready) {
    const from = builtinFrom(builtin.agent, entry, view);
    if (from === null) continue;
    if (take.length >= builtin.free) {
      const ends = take.map(({ entry: taken }) => slotEnd(taken.item, view.now));
      const freedAt = Math.min(builtin.firstExpiry ?? Number.POSITIVE_INFINITY, ...ends);
      wakeAt = Math.min(wakeAt, Math.ceil(freedAt / COARSE_MS) * COARSE_MS);
      break;
    }
    if (from > view.now) wakeAt = Math.min(wakeAt, from);
    else take.push({ entry, rule: from > entry.since ? "builtin_after_grace" : "builtin_only" });
  }
  return { take, wakeAt: Number.isFinite(wakeAt) ? wakeAt : null };
}

function slotEnd(item: PoolItem, now: number): number {
  return now + item.slot_seconds * 1_000;
}

/** A slot of an executor for a task, from now on. */
export function reservationOf(
  item: PoolItem,
  agent_id: string,
  decision: string,
  now: number,
): Reservation {
  return { agent_id, reserved_at: now, expires_at: slotEnd(item, now), decision };
}

/**
 * What an announcement does to what the pool knows of the task.
 *
 * `ignore`: an older attempt, or the task is being handed out right now. `keep`: nothing new, but it may be
 * offered again. `replace`: new, changed, given back by its executor, or reserved so long ago that the
 * task, which still says it is queued, knows better.
 */
export function announced(
  stored: Entry | null,
  item: PoolItem,
  now: number,
): "ignore" | "keep" | "replace" {
  if (stored === null || item.attempt > stored.item.attempt) return "replace";
  if (item.attempt < stored.item.attempt) return "ignore";
  const { reservation } = stored;
  if (reservation === null) {
    return JSON.stringify(stored.item) === JSON.stringify(item) ? "keep" : "replace";
  }
  const isGivenBack = item.declined_by.includes(reservation.agent_id);
  const isOld = now - reservation.reserved_at > RESERVATION_GRACE_MS;
  return isGivenBack || isOld ? "replace" : "ignore";
}

/**
 * Whether a release means what the pool holds: not an older attempt and, when it names one, not another
 * executor's reservation.
 */
export function isReleased(stored: Entry, attempt: number, agent_id: string | null): boolean {
  if (attempt < stored.item.attempt) return false;
  return agent_id === null || stored.reservation?.agent_id === agent_id;
}

/**
 * The tenant and the pool that an object's name `tenant/pool` speaks of. Only a pool's name may hold `/`.
 *
 * @throws Error if the name has another form
 */
export function poolOf(name: string | undefined): { tenant: string; pool: string } {
  const slash = name?.indexOf("/") ?? -1;
  if (name === undefined || slash < 1) throw new Error(`not the name of a pool: ${name}`);
  return { tenant: name.slice(0, slash), pool: name.slice(slash + 1) };
}
