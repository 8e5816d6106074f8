import * as z from "zod";

import { prioritySchema, taskTypeSchema, type Priority } from "../../protocol/enums.ts";
import { agentIdSchema, taskIdSchema } from "../../protocol/primitives.ts";
import { requiresSchema } from "../../protocol/requires.ts";
import { objectiveSchema } from "../../protocol/task-execution.ts";
import { breakerState, CLOSED, mayPush, pushBreakerSchema } from "../choice/push-breaker.ts";
import { reputationSchema, UNKNOWN } from "../choice/reputation.ts";

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
  isPush: z.boolean().meta({ description: "Whether tasks are sent to it, without its asking." }),
  isDraining: z
    .boolean()
    .meta({ description: "Whether it finishes what it has and gets no more." }),
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
  free_again_at: z
    .int()
    .min(0)
    .optional()
    .meta({ description: "When an executor gave it back the last time since then, epoch ms." }),
  slot_seconds: z
    .int()
    .min(1)
    .meta({ description: "Seconds after which a reserved slot is free again by itself." }),
  retry_delay: z
    .int()
    .min(0)
    .meta({ description: "Seconds before an executor that gave it back may have it again." }),
  objective: objectiveSchema.default("balanced"),
  affinity: z
    .array(z.string())
    .default([])
    .meta({ description: "Tasks and sessions that it belongs with." }),
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
 * What an executor has behind it, as stored with it. `served` counts the tasks that it was offered,
 * discounted, as of `served_at`; `recent` names the last of them and their sessions.
 */
export const agentLifeSchema = z.strictObject({
  served: z.number().min(0),
  served_at: z.int(),
  recent: z.array(z.string()),
  reputation: reputationSchema,
  breaker: pushBreakerSchema,
});
export type AgentLife = z.infer<typeof agentLifeSchema>;

/** The life of an executor that comes new, with the share of work that the others of its pool have had. */
export function newLife(served: number, now: number): AgentLife {
  return { served, served_at: now, recent: [], reputation: UNKNOWN, breaker: CLOSED };
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
  life: AgentLife;
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

/** An executor is online this long after its last call, and stale until five minutes. */
export const ONLINE_MS = 60_000;
export const STALE_MS = 300_000;

const RANK: Record<Priority, number> = { critical: 0, high: 1, normal: 2, low: 3 };

/** What one step of priority is worth in waiting time. */
const STEP_MS = 300_000;

/** When a task's turn comes, as if all had one priority: a lower one is ready that much later. */
function turnOf({ ready_at, priority }: PoolItem): number {
  return ready_at + RANK[priority] * STEP_MS;
}

/**
 * The order in which tasks are handed out: priority with ageing, then first in first out; ties by task_id.
 *
 * The key is fixed when a task becomes ready: `ready_at` plus 300 s a step below critical. So of two tasks
 * that became ready within 300 s of each other the one of higher priority goes first, always; and a task
 * that is ready more than 300 s times the steps between them before another one goes before it: nothing
 * that comes 15 minutes later overtakes a task of low priority, however much of it comes.
 */
export function inOrder(one: PoolItem, other: PoolItem): number {
  return (
    turnOf(one) - turnOf(other) ||
    RANK[one.priority] - RANK[other.priority] ||
    (one.task_id < other.task_id ? -1 : one.task_id > other.task_id ? 1 : 0)
  );
}

/**
 * Whether an executor is there: calling or working, silent for a while, or gone. One that tasks are pushed to
 * need not call: it is there while its breaker is closed, and gone while it is open, whatever else it calls.
 */
export function presenceState(member: Member, now: number): "online" | "stale" | "offline" {
  const { agent, life, last_seen_at } = member;
  if (agent.isBuiltin || member.isWaiting) return "online";
  if (agent.isPush) return PUSH_PRESENCE[breakerState(life.breaker, now)];
  if (member.slots_in_use > 0) return "online";
  const silentMs = last_seen_at === null ? Number.POSITIVE_INFINITY : now - last_seen_at;
  if (silentMs <= ONLINE_MS) return "online";
  return silentMs <= STALE_MS ? "stale" : "offline";
}

const PUSH_PRESENCE = { closed: "online", half_open: "stale", open: "offline" } as const;

/** How an executor is doing, as a pool answers. */
export function presenceOf(member: Member, now: number) {
  const { agent, last_seen_at, slots_in_use, assigned, released, life } = member;
  const state = presenceState(member, now);
  const { reputation } = life;
  return {
    agent_id: agent.agent_id,
    state,
    last_seen_at,
    slots_in_use,
    assigned,
    released,
    reputation,
  };
}

/** Why an executor gets no task at present whatever the task is, or null. */
export function barOf({ agent, life }: Member, now: number): string | null {
  if (agent.isDraining) return "draining";
  if (!agent.isPush || mayPush(life.breaker, now)) return null;
  return breakerState(life.breaker, now) === "open"
    ? "its breaker is open after failed pushes"
    : "its breaker waits for the answer to a probe";
}

/** Slots that are left. Never negative, also when an executor registered again with fewer. */
export function freeSlots(agent: PoolAgent, inUse: number): number {
  return Math.max(0, agent.slots - inUse);
}

/**
 * Why a task went where it went. `first_claim`: the only executor that asked and fits. `best_score`: the
 * best of those that could have it at once. `builtin_only`: no
 * external executor that fits was there with a free slot. `builtin_after_grace`: one was, and did not ask
 * in time.
 */
export type PlacementRule = "first_claim" | "best_score" | "builtin_only" | "builtin_after_grace";

/** Begins the name of a session among the things that a task belongs with. */
const SESSION = "session/";

/** By what an executor that had this task is recognised later: the task, and the session it came from. */
export function marksOf({ task_id, affinity }: PoolItem): string[] {
  return [task_id, ...affinity.filter((name) => name.startsWith(SESSION))];
}

/** When a slot that is taken now is free again by itself, epoch ms. */
export function slotEnd(item: PoolItem, now: number): number {
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
  const isOld = now - reservation.reserved_at > RESERVATION_GRACE_MS;
  return isGivenBack(stored, item) || isOld ? "replace" : "ignore";
}

/** Whether the executor that a task was reserved for has given it back. */
export function isGivenBack({ reservation }: Entry, item: PoolItem): boolean {
  return reservation !== null && item.declined_by.includes(reservation.agent_id);
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
