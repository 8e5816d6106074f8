import type { LanePolicy, Ordering } from "../../protocol/webhook-options.ts";
import { batchWaitMs, isBatchFull, type BatchRules } from "../batching.ts";
import { createdAt, type DeliveryRow } from "./delivery-row.ts";
import { leastAt, releaseAtOf, type Gate, type NextTurn } from "./gate.ts";
import { HeldBatches, type HeldBatch, type HeldUnit } from "./held-batches.ts";
import type { LaneItem } from "./lane.ts";
import { laneOf, Lanes } from "./lanes.ts";

/** One request to send: a delivery alone, or a batch. */
export interface Unit {
  /** In order; never empty. */
  items: readonly LaneItem[];
  /** What a batch keeps when it is sent again; null for a delivery alone and for a batch that is new. */
  held: HeldUnit | null;
  /** Whether an operator asked for it: it belongs to no lane. */
  isManual: boolean;
  isBatch: boolean;
}

/** How an endpoint wants its deliveries arranged. */
export interface AgendaRules {
  ordering: Ordering;
  lanePolicy: LanePolicy;
  batching: BatchRules | null;
}

const CRITICAL = 3;

const keyOf = ({ source, seq }: { source: string; seq: number }) => `${source}/${seq}`;

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
  add(row: DeliveryRow, now: number): void {
    this.#lanes.add(this.#itemOf(row, now));
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
   * A unit is no longer in flight. Whether it freed another of its lanes, one that has not been tried yet.
   *
   * @param rows its deliveries as they now stand, in the unit's order; those that stay open wait for `due`
   * @param held what a batch that is sent again keeps
   */
  settle(unit: Unit, rows: readonly DeliveryRow[], held: HeldBatch | null, now: number): boolean {
    this.#requests -= 1;
    for (const item of unit.items) this.#countInFlight(item, -1);
    if (unit.isManual) return this.#settleReplay(unit, rows);
    if (unit.isBatch) return this.#settleBatch(unit, held, now);
    const [item] = unit.items;
    if (item === undefined) return false;
    const [row] = rows;
    if (row === undefined || row.state !== "open") return this.#lanes.free(item.lane);
    const again = this.#itemOf(row, now);
    if (again.lane === item.lane) {
      this.#lanes.putBack(again);
      return false;
    }
    // Its lane does not wait for it any longer.
    this.#lanes.add(again);
    return this.#lanes.free(item.lane);
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
    const isQuiet = this.#replays.length === 0 && this.#requests === 0;
    return isQuiet && this.#lanes.areAllRetrying();
  }

  isInFlight(key: { source: string; seq: number }): boolean {
    return (this.#inFlight.get(keyOf(key)) ?? 0) > 0;
  }

  /** Whether another delivery of its lane has to go before this one. */
  isBehind(row: DeliveryRow): boolean {
    const lane = laneOf(this.#rules.ordering, row.source, row.seq);
    return this.#lanes.isBehind({ lane, source: row.source, seq: row.seq });
  }

  #takeReplay(): Unit | null {
    const item = this.#replays.shift();
    return item === undefined
      ? null
      : { items: [item], held: null, isManual: true, isBatch: false };
  }

  #takeOwn(now: number, gate: Gate): Unit | null {
    if (gate.probeAt !== null && (this.#requests > 0 || gate.probeAt > now)) return null;
    const held = this.#held.take(now);
    if (held !== null) return { items: held.items, held, isManual: false, isBatch: true };
    const batching = this.#batchingNow(now, gate);
    if (batching !== null && this.#batchAt(batching, now, gate) > now) return null;
    const least = leastAt(now, gate);
    const first = this.#takeFirst(now, least);
    if (first === null) return null;
    // One that failed alone goes alone again: the receiver may know it by its own id.
    const isBatch = batching !== null && !first.isRetry;
    const items = isBatch ? this.#fill(first, batching, now, least) : [first];
    return { items, held: null, isManual: false, isBatch: items.length > 1 };
  }

  /** The head of a lane; one that is being replayed waits with its lane for what comes of that. */
  #takeFirst(now: number, least: number): LaneItem | null {
    for (;;) {
      const item = this.#lanes.take(now, least);
      if (item === null || !this.isInFlight(item)) return item;
      this.#lanes.putBack(item);
      this.#lanes.hold(item.lane);
      this.#replayed.set(keyOf(item), item.lane);
    }
  }

  /** The rules of batching where they apply: a probe and what is critical go alone. */
  #batchingNow(now: number, { probeAt }: Gate): BatchRules | null {
    return probeAt !== null || this.#lanes.readyRank(now) === CRITICAL
      ? null
      : this.#rules.batching;
  }

  /** A batch from its first member: those behind it in its lane, then other lanes, as far as the rules allow. */
  #fill(first: LaneItem, rules: BatchRules, now: number, least: number): LaneItem[] {
    const items = [first];
    let [bytes, last] = [first.bytes, first];
    const fits = (item: LaneItem) =>
      items.length < rules.maxItems &&
      bytes + item.bytes <= rules.maxBytes &&
      !this.isInFlight(item);
    const join = (item: LaneItem) => {
      items.push(item);
      bytes += item.bytes;
      last = item;
    };
    for (;;) {
      const behind = this.#lanes.peekBehind(last, now);
      if (behind !== null && fits(behind)) {
        this.#lanes.takeBehind(last);
        join(behind);
        continue;
      }
      if (behind !== null || items.length >= rules.maxItems) return items;
      const other = this.#lanes.take(now, least);
      if (other === null) return items;
      if (other.isRetry || !fits(other)) {
        this.#lanes.putBack(other);
        return items;
      }
      join(other);
    }
  }

  #batchAt(rules: BatchRules, now: number, gate: Gate): number {
    const load = this.#lanes.load(now);
    const oldest = this.#lanes.oldestDue(now);
    if (oldest === null || isBatchFull(rules, load)) return oldest ?? now;
    return oldest + batchWaitMs(rules, gate.latencyMs, load.items);
  }

  /** A replay that settled an open delivery takes it out of its lane, which goes on. */
  #settleReplay({ items: [item] }: Unit, [row]: readonly DeliveryRow[]): boolean {
    if (item === undefined) return false;
    const lane = this.#replayed.get(keyOf(item)) ?? item.lane;
    const wasHeld = this.#replayed.delete(keyOf(item));
    if (wasHeld) this.#lanes.free(lane);
    return row?.state !== "open" && this.#lanes.drop({ ...item, lane });
  }

  #settleBatch(unit: Unit, held: HeldBatch | null, now: number): boolean {
    const lanes = new Set(unit.items.map(({ lane }) => lane));
    if (held !== null) {
      if (unit.held === null) this.#held.push({ ...held, items: unit.items, lanes });
      else this.#held.again(unit.held, held.due);
      this.#held.release(now);
      return false;
    }
    if (unit.held !== null && !this.#held.finish(unit.held)) return false;
    return [...lanes].map((lane) => this.#lanes.free(lane)).some(Boolean);
  }

  #nextOwn(now: number, gate: Gate): NextTurn | null {
    if (gate.probeAt !== null && this.#requests > 0) return null;
    const lanes = this.#nextLane(now, gate);
    const heldAt = this.#held.next();
    const isHeldFirst = heldAt !== null && heldAt < (lanes?.at ?? Infinity);
    const turn = isHeldFirst ? { at: heldAt, isRetry: true, rank: lanes?.rank ?? 1 } : lanes;
    if (turn === null || gate.probeAt === null) return turn;
    const at = Math.max(turn.at, gate.probeAt);
    return { ...turn, at, isRetry: turn.isRetry && at === turn.at };
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

  #countInFlight(key: LaneItem, change: 1 | -1): void {
    const count = (this.#inFlight.get(keyOf(key)) ?? 0) + change;
    if (count > 0) this.#inFlight.set(keyOf(key), count);
    else this.#inFlight.delete(keyOf(key));
  }

  #itemOf(row: DeliveryRow, now: number): LaneItem {
    const { ordering, lanePolicy } = this.#rules;
    const releaseAt = releaseAtOf(lanePolicy, row.first_failed_at);
    const isLate = releaseAt !== null && releaseAt <= now && row.due !== null;
    const lane = laneOf(ordering, row.source, row.seq);
    return {
      lane: isLate ? `late:${keyOf(row)}` : lane,
      source: row.source,
      seq: row.seq,
      priority: row.priority,
      due: row.due ?? createdAt(row),
      position: row.position,
      isRetry: row.due !== null,
      releaseAt: isLate ? null : releaseAt,
      bytes: row.bytes,
    };
  }
}
