import type { LanePolicy, Ordering } from "../../protocol/webhook-options.ts";
import { batchWaitMs, isBatchFull, type BatchRules } from "../batching.ts";
import { fillBatch } from "./batch-fill.ts";
import { createdAt, type DeliveryRow } from "./delivery-row.ts";
import { earlier, leastAt, releaseAtOf, type Gate, type NextTurn } from "./gate.ts";
import { HeldBatches, rankOf, type HeldBatch, type HeldUnit } from "./held-batches.ts";
import { CRITICAL, placeKey, type LaneItem } from "./lane.ts";
import { laneOf, Lanes } from "./lanes.ts";

/** One request to send: a delivery alone, or a batch. */
export interface Unit {
  /** In order; never empty. */
  items: readonly LaneItem[];
  /** What a batch keeps when it is sent again; null for a delivery alone and for a batch that is new. */
  held: HeldUnit | null;
  /** Whether an operator asked for it: it belongs to no lane. */
  isManual: boolean;
  /** Whether it is to find out if an open breaker can close. */
  isProbe: boolean;
  isBatch: boolean;
}

/** How an endpoint wants its deliveries arranged. */
export interface AgendaRules {
  ordering: Ordering;
  lanePolicy: LanePolicy;
  batching: BatchRules | null;
}

/** What an endpoint has to send, in memory; its tables can rebuild it. */
export class Agenda {
  readonly #rules: AgendaRules;
  readonly #lanes = new Lanes();
  readonly #replays: LaneItem[] = [];
  readonly #held = new HeldBatches((lane) => this.#lanes.free(lane));
  readonly #inFlight = new Map<string, number>();
  /** Lanes that wait for the replay of their head, by its key. */
  readonly #replayed = new Map<string, string>();
  #requests = 0;

  constructor(rules: AgendaRules) {
    this.#rules = rules;
  }

  /** Deliveries that wait in lanes. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Requests that are in flight. */
  get requests(): number {
    return this.#requests;
  }

  /** Adds an open delivery to its lane. `now` in epoch milliseconds. */
  add(row: DeliveryRow, now: number, hasLeft = false): void {
    this.#lanes.add(this.#itemOf(row, now, hasLeft));
  }

  /** Adds a delivery that an operator wants sent again; it waits for nothing but a pause and the rate. */
  addReplay(row: DeliveryRow, now: number): void {
    this.#replays.push(this.#itemOf(row, now));
  }

  /** Adds a batch that failed before: it is sent again with the same members. */
  addHeld(held: HeldBatch, rows: readonly DeliveryRow[], now: number): void {
    const items = rows.map((row) => this.#itemOf(row, now));
    const lanes = new Set(items.map(({ lane }) => lane));
    for (const lane of lanes) this.#lanes.hold(lane);
    this.#held.push({ ...held, items, lanes });
  }

  /** The next one to send, or null. It is in flight until `settle`. */
  take(now: number, gate: Gate): Unit | null {
    if (Math.max(gate.pausedUntil, gate.rateAt) > now || this.#requests >= gate.slots) return null;
    const unit = this.#takeReplay() ?? (gate.isActive ? this.#takeOwn(now, gate) : null);
    if (unit === null) return null;
    this.#requests += 1;
    for (const item of unit.items) this.#countInFlight(item, 1);
    return unit;
  }

  /**
   * A unit is no longer in flight. Whether something waits in the lane of one that is done: the retries' index, which
   * knew it by that one, may know it no longer.
   *
   * @param rows its deliveries as they now stand, in the unit's order; those that stay open wait for `due`
   * @param held what a batch that is sent again keeps
   */
  settle(unit: Unit, rows: readonly DeliveryRow[], held: HeldBatch | null, now: number): boolean {
    this.#requests -= 1;
    for (const item of unit.items) this.#countInFlight(item, -1);
    if (unit.isManual) this.#settleReplay(unit, rows, now);
    else if (unit.isBatch) this.#settleBatch(unit, held, now);
    else this.#settleOne(unit, rows, now);
    const open = new Set(rows.filter(({ state }) => state === "open").map(placeKey));
    return unit.items.some(
      (item) => !open.has(placeKey(item)) && this.#lanes.has(this.#homeLaneOf(item)),
    );
  }

  #settleOne({ items: [item], isProbe }: Unit, [row]: readonly DeliveryRow[], now: number): void {
    if (item === undefined) return;
    if (row === undefined || row.state !== "open") {
      this.#lanes.free(item.lane);
      return;
    }
    const again = this.#itemOf(row, now);
    // A probe that failed goes behind the others, or every probe would be this one.
    if (isProbe) again.due = Math.max(again.due, now);
    if (again.lane === item.lane) return this.#lanes.putBack(again);
    // Its lane does not wait for it any longer.
    this.#lanes.add(again);
    this.#lanes.free(item.lane);
  }

  /** When the next one may go; null when nothing waits for a time. */
  next(now: number, gate: Gate): NextTurn | null {
    if (this.#requests >= gate.slots) return null;
    const own = gate.isActive ? this.#nextOwn(now, gate) : null;
    const turn = this.#replays.length > 0 ? { at: 0, isRetry: false, rank: CRITICAL } : own;
    if (turn === null) return null;
    const at = Math.max(turn.at, gate.rateAt, gate.pausedUntil);
    const isRetry = at === gate.pausedUntil ? at > now : turn.isRetry && at === turn.at;
    return { ...turn, at, isRetry };
  }

  /** Whether everything that waits in a lane waits behind a retry. */
  isAllRetrying(): boolean {
    // The members of a batch may be done one by one, and no longer tell of what waits behind it.
    const isSimple = this.#replays.length === 0 && this.#held.first() === null;
    const isQuiet = isSimple && this.#requests === 0;
    return isQuiet && this.#lanes.areAllRetrying();
  }

  isInFlight(key: { source: string; seq: number }): boolean {
    return (this.#inFlight.get(placeKey(key)) ?? 0) > 0;
  }

  /** Whether another delivery of its lane has to go before this one. */
  isBehind(row: DeliveryRow): boolean {
    return this.#lanes.isBehind({ ...row, lane: this.#homeLaneOf(row) });
  }

  #takeReplay(): Unit | null {
    const item = this.#replays.shift();
    const kind = { held: null, isManual: true, isProbe: false, isBatch: false };
    return item === undefined ? null : { items: [item], ...kind };
  }

  #takeOwn(now: number, gate: Gate): Unit | null {
    const isProbe = gate.probeAt !== null;
    if (isProbe && (this.#requests > 0 || (gate.probeAt ?? 0) > now)) return null;
    const kind = { isManual: false, isProbe };
    const held = this.#takeHeld(now, gate);
    if (held !== null) return { items: held.items, held, ...kind, isBatch: true };
    const batching = this.#batchingNow(now, gate);
    if (batching !== null && this.#batchAt(batching, now, gate) > now) return null;
    const first = this.#takeFirst(now, gate);
    if (first === null) return null;
    const isBatch = batching !== null && mayShare(first);
    const items = isBatch ? this.#fill(first, batching, now, gate) : [first];
    return { items, held: null, ...kind, isBatch: items.length > 1 };
  }

  /** A batch that is sent again, unless something of it is under way or what waits in lanes is more urgent. */
  #takeHeld(now: number, gate: Gate): HeldUnit | null {
    const held = this.#held.peek(now);
    if (held === null || held.items.some((item) => this.isInFlight(item))) return null;
    if (rankOf(held) < leastAt(now, gate)) return null;
    const isOvertaken =
      gate.probeAt === null
        ? this.#lanes.readyRank(now) === CRITICAL
        : (this.#lanes.oldestDue(now) ?? Infinity) < held.due;
    return isOvertaken ? null : this.#held.pop();
  }

  /**
   * The head of a lane; one that is being replayed waits with its lane for what comes of that. A probe is what
   * came due first, so that no single delivery that always fails keeps the breaker open.
   */
  #takeFirst(now: number, gate: Gate): LaneItem | null {
    for (;;) {
      const item = this.#lanes.take(now, leastAt(now, gate), gate.probeAt !== null);
      if (item === null || !this.isInFlight(item)) return item;
      this.#lanes.putBack(item);
      this.#lanes.hold(item.lane);
      this.#replayed.set(placeKey(item), item.lane);
    }
  }

  /** The rules of batching where they apply: a probe and a retry go alone, and at once. */
  #batchingNow(now: number, gate: Gate): BatchRules | null {
    if (gate.probeAt !== null) return null;
    const isRetry = this.#lanes.nextReady(now, leastAt(now, gate))?.isRetry ?? false;
    return isRetry ? null : this.#rules.batching;
  }

  #fill(first: LaneItem, rules: BatchRules, now: number, gate: Gate): LaneItem[] {
    // A critical one goes alone; those of its lane that it waits for need not.
    const mayJoin = (item: LaneItem) =>
      !this.isInFlight(item) && !item.hasLeft && item.priority < CRITICAL;
    return fillBatch(this.#lanes, { first, rules, now, least: leastAt(now, gate), mayJoin });
  }

  #batchAt(rules: BatchRules, now: number, gate: Gate): number {
    const load = this.#lanes.load(now);
    const oldest = this.#lanes.oldestDue(now);
    const isUrgent = this.#lanes.readyRank(now) === CRITICAL;
    if (oldest === null || isUrgent || isBatchFull(rules, load)) return oldest ?? now;
    return oldest + batchWaitMs(rules, gate.latencyMs, load.items);
  }

  /** A replay that settled an open delivery takes it out of its lane, which goes on; one that failed has left now. */
  #settleReplay({ items: [item] }: Unit, [row]: readonly DeliveryRow[], now: number): void {
    if (item === undefined) return;
    const lane = this.#replayed.get(placeKey(item)) ?? item.lane;
    if (this.#replayed.delete(placeKey(item))) this.#lanes.free(lane);
    const wasWaiting = this.#lanes.drop({ ...item, lane });
    if (wasWaiting && row?.state === "open") this.#lanes.add({ ...this.#itemOf(row, now), lane });
  }

  #settleBatch(unit: Unit, held: HeldBatch | null, now: number): void {
    const lanes = new Set(unit.items.map(({ lane }) => lane));
    if (held !== null) {
      // As for a delivery alone: a batch that failed as a probe goes behind what waits.
      const due = unit.isProbe ? Math.max(held.due, now) : held.due;
      if (unit.held === null) this.#held.push({ ...held, due, items: unit.items, lanes });
      else this.#held.again(unit.held, due);
      this.#held.release(now);
      return;
    }
    if (unit.held !== null && !this.#held.finish(unit.held)) return;
    for (const lane of lanes) this.#lanes.free(lane);
  }

  #nextOwn(now: number, gate: Gate): NextTurn | null {
    if (gate.probeAt !== null && this.#requests > 0) return null;
    const turn = earlier(earlier(this.#nextLane(now, gate), this.#nextHeld(now, gate)), {
      at: this.#held.nextRelease(),
      isRetry: false,
      rank: 1,
    });
    if (turn === null || gate.probeAt === null) return turn;
    const at = Math.max(turn.at, gate.probeAt);
    return { ...turn, at, isRetry: turn.isRetry && at === turn.at };
  }

  #nextHeld(now: number, gate: Gate): NextTurn | null {
    const held = this.#held.first();
    if (held === null) return null;
    const isLower = rankOf(held) < leastAt(now, gate);
    const at = isLower ? Math.max(held.due, gate.trickleAt) : held.due;
    return { at, isRetry: at === held.due, rank: rankOf(held) };
  }

  #nextLane(now: number, gate: Gate): NextTurn | null {
    const any = this.#lanes.nextDue();
    if (any === null) return null;
    const least = leastAt(now, gate);
    const urgent = least > 0 ? this.#lanes.nextReady(now, least) : any;
    const turn = urgent ?? { ...any, at: Math.max(any.at, gate.trickleAt), isRetry: false };
    const batching = turn.at > now ? null : this.#batchingNow(now, gate);
    if (batching === null) return turn;
    return { ...turn, at: Math.max(turn.at, this.#batchAt(batching, now, gate)), isRetry: false };
  }

  #homeLaneOf({ source, seq }: Pick<LaneItem, "source" | "seq">): string {
    return laneOf(this.#rules.ordering, source, seq);
  }

  #countInFlight(key: LaneItem, change: 1 | -1): void {
    const count = (this.#inFlight.get(placeKey(key)) ?? 0) + change;
    if (count > 0) this.#inFlight.set(placeKey(key), count);
    else this.#inFlight.delete(placeKey(key));
  }

  #itemOf(row: DeliveryRow, now: number, hasLeft = false): LaneItem {
    const releaseAt = releaseAtOf(this.#rules.lanePolicy, row.first_failed_at);
    const isLate = releaseAt !== null && releaseAt <= now && row.due !== null;
    const lane = this.#homeLaneOf(row);
    return {
      lane: isLate ? `late:${placeKey(row)}` : lane,
      source: row.source,
      seq: row.seq,
      priority: row.priority,
      due: row.due ?? createdAt(row),
      position: row.position,
      isRetry: row.due !== null,
      // What was tried and stands in a lane went alone, and the receiver may know it by its own id.
      hasLeft: hasLeft || row.attempts > 0,
      releaseAt: isLate ? null : releaseAt,
      bytes: row.bytes,
    };
  }
}

const mayShare = ({ isRetry, hasLeft, priority }: LaneItem): boolean =>
  !isRetry && !hasLeft && priority < CRITICAL;
