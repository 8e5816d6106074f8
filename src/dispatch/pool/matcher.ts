import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import { BUILTIN_AGENT_ID } from "../../protocol/agent.ts";
import type { ExecutionMessage } from "../../protocol/queue-messages.ts";
import { firstReturn, mayTake, pick } from "../choice/fit.ts";
import { MAX_CANDIDATES, placementOf } from "../choice/placement.ts";
import { breakerState, pushing } from "../choice/push-breaker.ts";
import { scored, servedBy } from "../choice/score.ts";
import type { Scored } from "../choice/score.ts";
import { builtinPlan } from "./builtin-turn.ts";
import type { BuiltinPlan } from "./builtin-turn.ts";
import type { ClaimOrder, Offer } from "./pool-port.ts";
import type { PoolStore } from "./pool-store.ts";
import { barOf, freeSlots, inOrder, marksOf, reservationOf } from "./pool.ts";
import type { Entry, Member, PlacementRule, PoolAgent, PoolView } from "./pool.ts";
import type { Waiting, WaitingClaims } from "./waiting-claims.ts";

/** What a pool needs from outside. */
export interface PoolParts {
  now: Clock;
  store: PoolStore;
  /** Whose pool it is, and its name. */
  home: { tenant: string; pool: string };
  /** Hands tasks to the built-in executor. */
  execute: (messages: readonly ExecutionMessage[]) => Promise<void>;
  /** Has tasks pushed to the executors that they are reserved for. */
  push: (messages: readonly (ExecutionMessage & { agent_id: string })[]) => Promise<void>;
  /** Wakes the pool at this instant (epoch ms) or before. */
  wakeAt: (at: number) => Promise<void>;
  log: Log;
}

/** An executor that can have tasks now, since it waits for some or they are pushed to it, and what it gets. */
interface Seat {
  agent: PoolAgent;
  free: number;
  waiting: Waiting | null;
  offers: Offer[];
}

/** Names of tasks and sessions that an executor is remembered to have had. */
const MAX_RECENT = 32;

/** Brings tasks and executors together, by the rules of `choice/`. */
export class Matcher {
  readonly #parts: PoolParts;
  readonly #store: PoolStore;
  readonly #waiting: WaitingClaims;

  constructor(parts: PoolParts, waiting: WaitingClaims) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#waiting = waiting;
  }

  /** What a choice is made from; the executors are looked up when a rule asks for them. */
  view(now: number): PoolView {
    const { agents } = this.#store;
    let known: Member[] | null = null;
    return {
      now,
      get members() {
        known ??= agents.members();
        return known;
      },
    };
  }

  /** Reserves what an executor that asks may have, within its free slots: the first in order that fit it. */
  serve(order: ClaimOrder, now: number): Offer[] {
    const stored = this.#store.agents.get(order.agent_id);
    if (stored === null || stored.agent.isDraining) return [];
    const inUse = this.#store.slotsInUse(order.agent_id) + (order.slots_elsewhere ?? 0);
    const count = Math.min(order.max_tasks, freeSlots(stored.agent, inUse));
    const view = this.view(now);
    return pick(stored.agent, this.#store.line.fitting(stored.agent), count, view).map((entry) => {
      const member = this.#store.agents.member(order.agent_id);
      const rivals = member === null ? [] : scored(entry.item, [member], now);
      return this.#reserve(entry, { agent_id: order.agent_id, rule: "first_claim", rivals }, view);
    });
  }

  /** Offers one task: to the best of those that can have it now, else to the built-in executor, else later. */
  async place(entry: Entry, isWritten: boolean, now: number): Promise<void> {
    const view = this.view(now);
    const seats = this.#seats(now);
    if (this.#give(entry, seats, view)) return this.#conclude(seats);
    const plan = this.#planBuiltin([entry], view);
    // What is reserved in this same turn is written once, with its reservation.
    if (!isWritten && plan.take.length === 0) this.#store.put(entry);
    await this.#carryOut(plan, view);
    if (plan.take.length === 0) await this.#awaitReturns(view, [entry]);
  }

  /** Matches everything anew: first with those that can have tasks now, then with the built-in executor. */
  async settle(now: number): Promise<void> {
    await this.#fill(now);
    await this.#settleBuiltin(now);
    await this.#awaitReturns(this.view(now));
  }

  /**
   * When an executor may have the first task again that it gave back, of these or of all that wait, epoch ms;
   * null when there is none.
   */
  returnOf(agent_id: string, view: PoolView, ready?: readonly Entry[]): number | null {
    const { agents, line } = this.#store;
    const agent = agents.get(agent_id)?.agent;
    return agent === undefined ? null : firstReturn(agent, ready ?? line.returned, view);
  }

  /** Wakes the pool when one of those who would take it at once may have a task again. */
  async #awaitReturns(view: PoolView, ready?: readonly Entry[]): Promise<void> {
    const waiting = this.#waiting.all.map(({ order }) => order.agent_id);
    const present = new Set([...waiting, ...this.#store.agents.pushed]);
    const returns = [...present].flatMap((agent_id) => this.returnOf(agent_id, view, ready) ?? []);
    if (returns.length > 0) await this.#parts.wakeAt(Math.min(...returns));
  }

  /** What an executor with a slot that has become free may have. */
  async freed(agent_id: string, now: number): Promise<void> {
    if (agent_id === BUILTIN_AGENT_ID) await this.#settleBuiltin(now);
    else await this.#fill(now, agent_id);
  }

  /** Gives the tasks in order, each to the best of the seats, until no seat can have any more. */
  async #fill(now: number, agent_id?: string): Promise<void> {
    const view = this.view(now);
    const seats = this.#seats(now, agent_id);
    for (;;) {
      const open = seats.filter(({ free }) => free > 0);
      const heads = open.flatMap(({ agent }) =>
        pick(agent, this.#store.line.fitting(agent), 1, view),
      );
      const [first] = heads.sort((one, other) => inOrder(one.item, other.item));
      if (first === undefined || !this.#give(first, open, view)) break;
    }
    await this.#conclude(seats);
    // An executor may wait more than once; its further claims are seats of another round.
    const isServed = seats.some(({ waiting, offers }) => waiting !== null && offers.length > 0);
    if (isServed && this.#waiting.all.length > 0) await this.#fill(now, agent_id);
  }

  /** Who can have tasks now: all, or one. */
  #seats(now: number, only?: string): Seat[] {
    const seats = new Map<string, Seat>();
    const isMeant = (agent_id: string) =>
      (only === undefined || only === agent_id) && !seats.has(agent_id);
    // An executor's newest claim first: behind an older one there may be nobody any more.
    for (const waiting of this.#waiting.all.toReversed()) {
      const { agent_id } = waiting.order;
      const seat = isMeant(agent_id) ? this.#seatOfClaim(waiting) : null;
      if (seat !== null) seats.set(agent_id, seat);
    }
    for (const agent_id of this.#store.agents.pushed) {
      const seat = isMeant(agent_id) ? this.#seatOfPush(agent_id, now) : null;
      if (seat !== null) seats.set(agent_id, seat);
    }
    return [...seats.values()];
  }

  #seatOfClaim(waiting: Waiting): Seat | null {
    const { agent_id, max_tasks, slots_elsewhere = 0 } = waiting.order;
    const stored = this.#store.agents.get(agent_id);
    if (stored === null || stored.agent.isDraining) return null;
    const inUse = this.#store.slotsInUse(agent_id) + slots_elsewhere;
    const free = Math.min(max_tasks, freeSlots(stored.agent, inUse));
    return { agent: stored.agent, free, waiting, offers: [] };
  }

  #seatOfPush(agent_id: string, now: number): Seat | null {
    const member = this.#store.agents.member(agent_id);
    if (member === null || barOf(member, now) !== null) return null;
    const { agent, life, slots_in_use } = member;
    const free = freeSlots(agent, slots_in_use);
    const isProbe = breakerState(life.breaker, now) === "half_open";
    return { agent, free: isProbe ? Math.min(1, free) : free, waiting: null, offers: [] };
  }

  /** Reserves a task for the best of these seats; false when none of them can have it. */
  #give(entry: Entry, seats: readonly Seat[], view: PoolView): boolean {
    const able = seats.filter(({ agent, free }) => free > 0 && mayTake(agent, entry.item, view));
    const members = able.flatMap(({ agent }) => this.#store.agents.member(agent.agent_id) ?? []);
    const rivals = scored(entry.item, members, view.now);
    const agent_id = rivals[0]?.member.agent.agent_id;
    const seat = able.find(({ agent }) => agent.agent_id === agent_id);
    if (seat === undefined || agent_id === undefined) return false;
    const isOnlyClaim = rivals.length === 1 && seat.waiting !== null;
    const rule = isOnlyClaim ? "first_claim" : "best_score";
    seat.offers.push(this.#reserve(entry, { agent_id, rule, rivals }, view));
    seat.free -= 1;
    return true;
  }

  /** Answers the claims that got something, and has pushed what goes to the others. */
  async #conclude(seats: readonly Seat[]): Promise<void> {
    const { home } = this.#parts;
    const messages: (ExecutionMessage & { agent_id: string })[] = [];
    for (const { agent, waiting, offers } of seats) {
      if (offers.length === 0) continue;
      if (waiting !== null) waiting.end({ known: true, offers });
      else {
        this.#probe(agent.agent_id);
        const { agent_id } = agent;
        messages.push(...offers.map(({ task_id }) => ({ ...home, task_id, agent_id })));
      }
    }
    if (messages.length === 0) return;
    try {
      await this.#parts.push(messages);
    } catch (cause) {
      // Like a message that is lost: the task announces itself again, and is offered again.
      this.#parts.log("error", "push_not_sent", { ...home, cause: String(cause) });
    }
  }

  #probe(agent_id: string): void {
    const stored = this.#store.agents.get(agent_id);
    if (stored === null) return;
    const now = this.#parts.now();
    this.#store.agents.learn(stored, { breaker: pushing(stored.life.breaker, now) }, now);
  }

  #settleBuiltin(now: number): Promise<void> {
    const view = this.view(now);
    const stored = this.#store.agents.get(BUILTIN_AGENT_ID);
    const ready = stored === null ? [] : this.#store.line.fitting(stored.agent);
    return this.#carryOut(this.#planBuiltin(ready, view), view);
  }

  #planBuiltin(ready: Iterable<Entry>, view: PoolView): BuiltinPlan {
    const stored = this.#store.agents.get(BUILTIN_AGENT_ID);
    if (stored === null) return { take: [], wakeAt: null };
    const free = freeSlots(stored.agent, this.#store.slotsInUse(BUILTIN_AGENT_ID));
    const firstExpiry = this.#store.firstExpiry(BUILTIN_AGENT_ID);
    return builtinPlan(ready, { agent: stored.agent, free, firstExpiry }, view);
  }

  /** Hands tasks to the built-in executor, and wakes up for those that it may have later. */
  async #carryOut(plan: BuiltinPlan, view: PoolView): Promise<void> {
    const agent_id = BUILTIN_AGENT_ID;
    const offers = plan.take.map(({ entry, rule }) => {
      const member = this.#store.agents.member(agent_id);
      const rivals = member === null ? [] : scored(entry.item, [member], view.now);
      return this.#reserve(entry, { agent_id, rule, rivals }, view);
    });
    if (offers.length > 0) await this.#handOver(offers);
    if (plan.wakeAt !== null) await this.#parts.wakeAt(plan.wakeAt);
  }

  /** A message that is lost or not sent is sent again when the task announces itself again. */
  async #handOver(offers: readonly Offer[]): Promise<void> {
    const { home } = this.#parts;
    try {
      await this.#parts.execute(offers.map(({ task_id }) => ({ ...home, task_id })));
    } catch (cause) {
      this.#parts.log("error", "execution_not_sent", { ...home, cause: String(cause) });
    }
  }

  #reserve(
    entry: Entry,
    choice: { agent_id: string; rule: PlacementRule; rivals: readonly Scored[] },
    view: PoolView,
  ): Offer {
    const { item } = entry;
    const { agents } = this.#store;
    const snapshot = this.#store.figures(view.now);
    const others = choice.rivals.length < MAX_CANDIDATES ? agents.members(MAX_CANDIDATES) : [];
    const decision = JSON.stringify(placementOf({ ...choice, others, snapshot }, item, view));
    const reservation = reservationOf(item, choice.agent_id, decision, view.now);
    this.#store.put({ ...entry, reservation });
    const stored = agents.get(choice.agent_id);
    if (stored !== null) {
      stored.assigned += 1;
      const served = servedBy(stored.life, view.now) + 1;
      const recent = [...marksOf(item), ...stored.life.recent].slice(0, MAX_RECENT);
      agents.learn(stored, { served, served_at: view.now, recent }, view.now);
    }
    return { task_id: item.task_id, attempt: item.attempt, decision };
  }
}
