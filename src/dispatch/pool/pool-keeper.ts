import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import { BUILTIN_AGENT_ID } from "../../protocol/agent.ts";
import type { ExecutionMessage } from "../../protocol/queue-messages.ts";
import { MAX_CANDIDATES, placementOf, rank } from "./placement.ts";
import type { AgentPresence, ClaimOrder, ClaimOutcome, Offer } from "./pool-port.ts";
import type { PoolExplanation, PoolPort } from "./pool-port.ts";
import type { PoolStore } from "./pool-store.ts";
import { announced, builtinPlan, freeSlots, isReleased } from "./pool.ts";
import { pick, poolItemSchema, presenceOf, reservationOf } from "./pool.ts";
import type { BuiltinPlan, Entry, PlacementRule, PoolAgent, PoolItem, PoolView } from "./pool.ts";
import { WaitingClaims } from "./waiting-claims.ts";

/** What a pool needs from outside. */
export interface PoolParts {
  now: Clock;
  store: PoolStore;
  /** Whose pool it is, and its name. */
  home: { tenant: string; pool: string };
  /** Hands tasks to the built-in executor. */
  execute: (messages: readonly ExecutionMessage[]) => Promise<void>;
  /** Wakes the pool at this instant (epoch ms) or before. */
  wakeAt: (at: number) => Promise<void>;
  log: Log;
}

/** What a pool does, whatever it is kept in: an object, or a simulation that has its own clock and rows. */
export class PoolKeeper implements PoolPort {
  readonly #parts: PoolParts;
  readonly #store: PoolStore;
  readonly #waiting = new WaitingClaims();

  constructor(parts: PoolParts) {
    this.#parts = parts;
    this.#store = parts.store;
  }

  async register(agent: PoolAgent): Promise<void> {
    const now = await this.#expire();
    this.#store.putAgent(agent, now);
    // An executor registers when it starts: what its former self still waits for would win a task for nobody.
    for (const { order, end } of this.#waiting.all) {
      if (order.agent_id === agent.agent_id) end({ known: true, offers: [] });
    }
  }

  async deregister(agent_id: string): Promise<void> {
    this.#store.removeAgent(agent_id);
    for (const { order, end } of this.#waiting.all) {
      if (order.agent_id === agent_id) end({ known: false, offers: [] });
    }
  }

  async announce(announcement: PoolItem): Promise<void> {
    const item = poolItemSchema.parse(announcement);
    const now = await this.#expire();
    const stored = this.#store.entry(item.task_id);
    const effect = announced(stored, item, now);
    if (effect === "ignore") return;
    const since = stored?.item.attempt === item.attempt ? stored.since : now;
    const entry: Entry = { item, since, reservation: null };
    // Written first: the reservation that ends here frees a slot, maybe the one that the task needs.
    const wasReserved = Boolean(stored?.reservation);
    if (wasReserved) this.#store.put(entry);
    await this.#place(entry, wasReserved || effect === "keep", now);
    if (stored) await this.#slotFreed(stored, now);
  }

  async release(task_id: string, attempt: number, agent_id?: string): Promise<void> {
    const now = await this.#expire();
    const stored = this.#store.entry(task_id);
    if (stored === null || !isReleased(stored, attempt, agent_id ?? null)) return;
    this.#store.remove(stored);
    await this.#slotFreed(stored, now);
  }

  async claim(order: ClaimOrder): Promise<ClaimOutcome> {
    const now = await this.#expire();
    if (!this.#store.touch(order.agent_id, now)) return { known: false, offers: [] };
    const offers = this.#serve(order, this.#store.ready, this.#view(now));
    if (offers.length > 0 || order.wait_ms <= 0) return { known: true, offers };
    return this.#waiting.add(order, () => this.#store.touch(order.agent_id, this.#parts.now()));
  }

  async stopWaiting(claim_id: string): Promise<void> {
    for (const { order, end } of this.#waiting.all) {
      if (order.claim_id === claim_id) end({ known: true, offers: [] });
    }
  }

  async giveBack(task_id: string, attempt: number, agent_id: string): Promise<void> {
    const now = await this.#expire();
    const stored = this.#store.entry(task_id);
    if (stored?.item.attempt !== attempt || stored.reservation?.agent_id !== agent_id) return;
    const entry: Entry = { ...stored, reservation: null };
    this.#store.put(entry);
    await this.#place(entry, true, now);
  }

  async reservation(task_id: string, agent_id: string): Promise<Offer | null> {
    await this.#expire();
    const stored = this.#store.entry(task_id);
    if (stored?.reservation?.agent_id !== agent_id) return null;
    return { task_id, attempt: stored.item.attempt, decision: stored.reservation.decision };
  }

  async presence(agent_id?: string): Promise<AgentPresence[]> {
    const now = await this.#expire();
    return this.#view(now)
      .members.filter(({ agent }) => agent_id === undefined || agent.agent_id === agent_id)
      .map((member) => presenceOf(member, now));
  }

  async explain(task_id: string): Promise<PoolExplanation | null> {
    const now = await this.#expire();
    const entry = this.#store.entry(task_id);
    if (entry === null) return null;
    return {
      state: entry.reservation === null ? "ready" : "reserved",
      position: this.#store.position(entry.item),
      candidates: rank(entry.item, this.#view(now)).slice(0, MAX_CANDIDATES),
      decision: entry.reservation?.decision ?? null,
    };
  }

  /** The time has come that `wakeAt` asked for: matches everything anew. */
  async wake(): Promise<void> {
    await this.#settle(await this.#expire());
  }

  /** Frees what has expired, offers it again, and says what time it is. */
  async #expire(): Promise<number> {
    const now = this.#parts.now();
    if (this.#store.expire(now).length > 0) await this.#settle(now);
    return now;
  }

  /** What the executor whose reservation has ended may have instead. */
  async #slotFreed({ reservation }: Entry, now: number): Promise<void> {
    const holder = this.#store.agent(reservation?.agent_id ?? "");
    if (holder === null) return;
    holder.released += 1;
    if (holder.agent.isBuiltin) await this.#settleBuiltin(now);
    else this.#serveWaiting(now, holder.agent.agent_id);
  }

  /** Matches everything anew: first the waiting claims, then the built-in executor. */
  async #settle(now: number): Promise<void> {
    this.#serveWaiting(now);
    await this.#settleBuiltin(now);
  }

  #settleBuiltin(now: number): Promise<void> {
    const view = this.#view(now);
    return this.#carryOut(this.#planBuiltin(this.#store.ready, view), view);
  }

  /** Offers one task: to the first waiting claim that fits, else to the built-in executor, else later. */
  async #place(entry: Entry, isWritten: boolean, now: number): Promise<void> {
    const view = this.#view(now);
    for (const { order, end } of this.#waiting.all) {
      const offers = this.#serve(order, [entry], view);
      if (offers.length > 0) return end({ known: true, offers });
    }
    const plan = this.#planBuiltin([entry], view);
    // What is reserved in this same turn is written once, with its reservation.
    if (!isWritten && plan.take.length === 0) this.#store.put(entry);
    await this.#carryOut(plan, view);
  }

  #planBuiltin(ready: readonly Entry[], view: PoolView): BuiltinPlan {
    const stored = this.#store.agent(BUILTIN_AGENT_ID);
    if (stored === null) return { take: [], wakeAt: null };
    const free = freeSlots(stored.agent, this.#store.slotsInUse(BUILTIN_AGENT_ID));
    const firstExpiry = this.#store.firstExpiry(BUILTIN_AGENT_ID);
    return builtinPlan(ready, { agent: stored.agent, free, firstExpiry }, view);
  }

  /** Hands tasks to the built-in executor, and wakes up for those that it may have later. */
  async #carryOut(plan: BuiltinPlan, view: PoolView): Promise<void> {
    const offers = plan.take.map(({ entry, rule }) =>
      this.#reserve(entry, { agent_id: BUILTIN_AGENT_ID, rule }, view),
    );
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

  #serveWaiting(now: number, agent_id?: string): void {
    for (const { order, end } of this.#waiting.all) {
      if (agent_id !== undefined && order.agent_id !== agent_id) continue;
      const offers = this.#serve(order, this.#store.ready, this.#view(now));
      if (offers.length > 0) end({ known: true, offers });
    }
  }

  /** Reserves what an executor may have of these tasks, within its free slots. */
  #serve(order: ClaimOrder, ready: Iterable<Entry>, view: PoolView): Offer[] {
    const stored = this.#store.agent(order.agent_id);
    if (stored === null) return [];
    const inUse = this.#store.slotsInUse(order.agent_id) + (order.slots_elsewhere ?? 0);
    const count = Math.min(order.max_tasks, freeSlots(stored.agent, inUse));
    const choice = { agent_id: order.agent_id, rule: "first_claim" } as const;
    return pick(stored.agent, ready, count, view).map((entry) =>
      this.#reserve(entry, choice, view),
    );
  }

  #reserve(entry: Entry, choice: { agent_id: string; rule: PlacementRule }, view: PoolView): Offer {
    const decision = JSON.stringify(placementOf(choice, entry.item, view));
    const reservation = reservationOf(entry.item, choice.agent_id, decision, view.now);
    this.#store.put({ ...entry, reservation });
    const stored = this.#store.agent(choice.agent_id);
    if (stored) stored.assigned += 1;
    return { task_id: entry.item.task_id, attempt: entry.item.attempt, decision };
  }

  #view(now: number): PoolView {
    return { members: this.#store.members(this.#waiting.agents()), now };
  }
}
