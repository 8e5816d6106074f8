import { instant } from "../../lib/ports.ts";
import { BUILTIN_AGENT_ID } from "../../protocol/agent.ts";
import { attemptOutcomeSchema } from "../../protocol/attempt-outcome.ts";
import type { AttemptOutcome } from "../../protocol/attempt-outcome.ts";
import type { PoolSnapshot } from "../../protocol/pool-snapshot.ts";
import { BUILTIN_POOL } from "../builtin.ts";
import { MAX_CANDIDATES, outlookOf, rank } from "../choice/placement.ts";
import { breakerState, pushedTo } from "../choice/push-breaker.ts";
import type { PushOutcome } from "../choice/push-breaker.ts";
import { afterAttempt, afterDecline } from "../choice/reputation.ts";
import { conditionOf } from "./census.ts";
import { Matcher } from "./matcher.ts";
import type { PoolParts } from "./matcher.ts";
import type { AgentPresence, ClaimOrder, ClaimOutcome, Offer } from "./pool-port.ts";
import type { PoolExplanation, PoolPort } from "./pool-port.ts";
import type { PoolStore } from "./pool-store.ts";
import { announced, isGivenBack, isReleased, poolItemSchema, presenceOf } from "./pool.ts";
import type { Entry, PoolAgent, PoolItem } from "./pool.ts";
import { WaitingClaims } from "./waiting-claims.ts";

/** What a pool does, whatever it is kept in: an object, or a simulation that has its own clock and rows. */
export class PoolKeeper implements PoolPort {
  readonly #parts: PoolParts;
  readonly #store: PoolStore;
  readonly #waiting = new WaitingClaims();
  readonly #matcher: Matcher;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#store.agents.isWaiting = (agent_id) => this.#waiting.has(agent_id);
    this.#matcher = new Matcher(parts, this.#waiting);
  }

  async register(agent: PoolAgent): Promise<void> {
    const now = await this.#expire();
    this.#store.agents.put(agent, now);
    // An executor registers when it starts: what its former self still waits for would win a task for nobody.
    for (const { order, end } of this.#waiting.all) {
      if (order.agent_id === agent.agent_id) end({ known: true, offers: [] });
    }
    if (agent.isPush) await this.#matcher.freed(agent.agent_id, now);
    if (agent.isDraining) await this.#matcher.freed(BUILTIN_AGENT_ID, now);
  }

  async deregister(agent_id: string): Promise<void> {
    this.#store.agents.remove(agent_id);
    for (const { order, end } of this.#waiting.all) {
      if (order.agent_id === agent_id) end({ known: false, offers: [] });
    }
    // What was left to it has nobody else to wait for.
    await this.#matcher.freed(BUILTIN_AGENT_ID, await this.#expire());
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
    if (stored) this.#ended(stored, now, isGivenBack(stored, item) ? "declined" : null);
    await this.#matcher.place(entry, wasReserved || effect === "keep", now);
    if (stored?.reservation) await this.#matcher.freed(stored.reservation.agent_id, now);
  }

  async release(
    task_id: string,
    attempt: number,
    agent_id?: string,
    outcome?: AttemptOutcome,
  ): Promise<void> {
    const now = await this.#expire();
    const stored = this.#store.entry(task_id);
    if (stored === null || !isReleased(stored, attempt, agent_id ?? null)) return;
    this.#store.remove(stored);
    this.#ended(stored, now, outcome ?? null);
    if (stored.reservation) await this.#matcher.freed(stored.reservation.agent_id, now);
  }

  async claim(order: ClaimOrder): Promise<ClaimOutcome> {
    const now = await this.#expire();
    if (!this.#store.agents.touch(order.agent_id, now)) return { known: false, offers: [] };
    // Before it is served, so that nothing comes between finding no task and waiting for one.
    const { agent_id, wait_ms } = order;
    const wakeAt = wait_ms > 0 ? this.#matcher.returnOf(agent_id, this.#matcher.view(now)) : null;
    if (wakeAt !== null) await this.#parts.wakeAt(wakeAt);
    this.#vacate(order);
    const offers = this.#matcher.serve(order, now);
    if (offers.length > 0 || order.wait_ms <= 0) return { known: true, offers };
    return this.#waiting.add(order, () =>
      this.#store.agents.touch(order.agent_id, this.#parts.now()),
    );
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
    await this.#matcher.place(entry, true, now);
  }

  async pushed(agent_id: string, outcome: PushOutcome): Promise<void> {
    const now = await this.#expire();
    const { agents } = this.#store;
    const stored = agents.get(agent_id);
    if (stored === null) return;
    const breaker = pushedTo(stored.life.breaker, outcome, now);
    if (outcome !== "failed") stored.last_seen_at = now;
    agents.learn(stored, { breaker }, now);
    if (breakerState(breaker, now) === "closed") await this.#matcher.freed(agent_id, now);
    else if (breaker.open_until !== null) await this.#parts.wakeAt(breaker.open_until);
  }

  async reservation(task_id: string, agent_id: string): Promise<Offer | null> {
    await this.#expire();
    const stored = this.#store.entry(task_id);
    if (stored?.reservation?.agent_id !== agent_id) return null;
    return { task_id, attempt: stored.item.attempt, decision: stored.reservation.decision };
  }

  async presence(agent_id?: string): Promise<AgentPresence[]> {
    const now = await this.#expire();
    const { agents } = this.#store;
    const members = agent_id === undefined ? agents.members() : [agents.member(agent_id)];
    return members.flatMap((member) => (member === null ? [] : presenceOf(member, now)));
  }

  async explain(task_id: string): Promise<PoolExplanation | null> {
    const now = await this.#expire();
    const entry = this.#store.entry(task_id);
    if (entry === null) return null;
    const view = this.#matcher.view(now);
    const position = this.#store.line.position(entry.item);
    const outlook =
      position === null
        ? { estimated_start: null, unblocked_by: [] }
        : outlookOf(entry.item, position, view.members, now);
    return {
      state: entry.reservation === null ? "ready" : "reserved",
      position,
      candidates: rank(entry.item, view.members, view).slice(0, MAX_CANDIDATES),
      decision: entry.reservation?.decision ?? null,
      ...outlook,
    };
  }

  async snapshot(): Promise<PoolSnapshot | null> {
    const now = await this.#expire();
    const { line, reserved, agents } = this.#store;
    const members = agents.members();
    const { pool } = this.#parts.home;
    const isHome = (isBuiltin: boolean) => !isBuiltin || pool === BUILTIN_POOL;
    const isServed = members.some(({ agent }) => isHome(agent.isBuiltin));
    if (!isServed && line.size + reserved === 0) return null;
    const { snapshot_id, agents_online, slots_free } = this.#store.figures(now);
    return {
      snapshot_id,
      pool,
      at: instant(now),
      ready: line.counts,
      oldest_ready_at: line.oldestReadyAt === null ? null : instant(line.oldestReadyAt),
      reserved,
      agents_online,
      slots_free,
      agents: members.map((member) => conditionOf(member, now)),
    };
  }

  /** The time has come that `wakeAt` asked for: matches everything anew. */
  async wake(): Promise<void> {
    await this.#matcher.settle(await this.#expire());
  }

  /** Frees what has expired, offers it again, and says what time it is. */
  async #expire(): Promise<number> {
    const now = this.#parts.now();
    if (this.#store.expire(now).length > 0) await this.#matcher.settle(now);
    return now;
  }

  /** What becomes known of an executor when its reservation ends. */
  #ended({ reservation }: Entry, now: number, how: AttemptOutcome | "declined" | null): void {
    const { agents } = this.#store;
    const holder = agents.get(reservation?.agent_id ?? "");
    if (holder === null) return;
    holder.released += 1;
    const { reputation } = holder.life;
    if (how === null) return;
    const after =
      how === "declined"
        ? afterDecline(reputation)
        : afterAttempt(reputation, attemptOutcomeSchema.parse(how));
    agents.learn(holder, { reputation: after }, now);
  }

  /** The slot of a task that its executor says is done is free for what it asks for in the same breath. */
  #vacate({ agent_id, releasing }: ClaimOrder): void {
    const stored = releasing === undefined ? null : this.#store.entry(releasing.task_id);
    if (stored?.reservation?.agent_id !== agent_id) return;
    if (stored.item.attempt === releasing?.attempt) this.#store.vacate(stored);
  }
}
