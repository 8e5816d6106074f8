import type { Ordering } from "../../protocol/webhook-options.ts";
import { Heap } from "./heap.ts";
import { CRITICAL, Lane, type LaneItem } from "./lane.ts";
import { storyOf } from "./story.ts";

/** A waiting delivery rises one class each half minute (facts/webhooks.md §6.3). */
export const AGEING_MS = 30_000;

/** Every eighth turn is not a critical delivery's, so that a flood of them starves nobody. */
const TURNS = 8;

/** The lane of a delivery. News without a task are in order with those of the same alert. */
export function laneOf(ordering: Ordering, source: string, seq: number): string {
  switch (ordering) {
    case "task":
      return seq === 0 ? storyOf(source) : source;
    case "endpoint":
      return "";
    case "none":
      return `${source}/${seq}`;
  }
}

/** How much waits. */
export interface Load {
  items: number;
  bytes: number;
}

/** When a lane may go on, in epoch milliseconds, and by what. */
export interface NextLane {
  at: number;
  /** Whether it is the wait for a retry that ends then. */
  isRetry: boolean;
  rank: number;
}

interface Entry {
  lane: Lane;
  stamp: number;
  rank: number;
  /** When the lane may go on: its head is due, or it need not wait for its head any longer. */
  at: number;
  position: number;
}

const byTime = (a: Entry, b: Entry) => a.at < b.at;
const byAge = (a: Entry, b: Entry) => (a.at === b.at ? a.position < b.position : a.at < b.at);

/** What an entry is older than, were all of one class: constant in time, so that heaps stay heaps. */
const agedAt = ({ at, rank }: Entry) => at - rank * AGEING_MS;

/**
 * Which delivery of an endpoint goes next, each step in O(log lanes).
 *
 * Priority never changes the order inside a lane; a lane goes by the highest priority in it, because otherwise a
 * critical notification would wait behind low ones of its own task. Between lanes critical goes first, whatever
 * waits how long; the other classes go by age, where a class counts as half a minute of waiting
 * (facts/webhooks.md §6.3).
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #waiting = new Heap<Entry>(byTime);
  /** One heap for each rank, low to critical. */
  readonly #ready = [0, 1, 2, CRITICAL].map(() => new Heap<Entry>(byAge));
  /** The lanes that may go on, with what of them is counted in `#load`. */
  readonly #ripe = new Map<Lane, Load>();
  #load: Load = { items: 0, bytes: 0 };
  #turn = 0;
  #size = 0;

  /** Deliveries that wait in lanes, whatever for. */
  get size(): number {
    return this.#size;
  }

  /** Deliveries of the lanes that may go on now, and the bytes of their bodies. */
  load(now: number): Load {
    this.#ripen(now);
    return this.#load;
  }

  /** Puts a delivery into its lane, in order of creation. */
  add(item: LaneItem): void {
    const lane = this.#laneNamed(item.lane);
    this.#size += 1;
    if (lane.insert(item)) this.#publish(lane);
    else if (this.#ripe.has(lane)) this.#weigh(lane, true);
  }

  /**
   * The delivery to send now, or null when none is due. It leaves its lane, which is busy until `free` or
   * `putBack`.
   *
   * @param leastRank lanes whose highest priority is lower wait
   * @param isByAge whether what came due first goes first, whatever its priority
   */
  take(now: number, leastRank = 0, isByAge = false): LaneItem | null {
    this.#ripen(now);
    const best = () => (isByAge ? this.#oldest() : this.#best(leastRank));
    for (let entry = best(); entry !== null; entry = best()) {
      this.#ready[entry.rank]?.pop();
      this.#weigh(entry.lane, false);
      const head = entry.lane.shift();
      if (head === null) continue;
      // Once due is due, also where the clock has been put back since: only its release lets a lane pass its head.
      if (head.due <= Math.max(now, entry.at)) return this.#leave(entry.lane, head);
      // The lane has waited long enough for a head that failed: it goes on, and the head comes late by itself.
      this.#detach(head);
      this.#publish(entry.lane);
      this.#ripen(now);
    }
    return null;
  }

  /** The one behind a delivery that was just taken, if it too may go now for the first time; it stays. */
  peekBehind(taken: LaneItem, now: number): LaneItem | null {
    const next = this.#lanes.get(taken.lane)?.head() ?? null;
    return next === null || next.due > now || next.isRetry ? null : next;
  }

  /** Takes the one behind a delivery that was just taken. */
  takeBehind(taken: LaneItem): void {
    if ((this.#lanes.get(taken.lane)?.shift() ?? null) !== null) this.#size -= 1;
  }

  /** A lane is no longer busy: its deliveries are done. Whether another one of it may go now. */
  free(name: string): boolean {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return false;
    lane.isBusy = false;
    if (lane.length === 0) {
      this.#lanes.delete(name);
      return false;
    }
    this.#publish(lane);
    return true;
  }

  /** A delivery was taken and is not done: it is the first of its lane again, and the lane is not busy. */
  putBack(item: LaneItem): void {
    const lane = this.#laneNamed(item.lane);
    lane.isBusy = false;
    lane.unshift(item);
    this.#size += 1;
    this.#publish(lane);
  }

  /** A delivery that waits is done already, or stands otherwise. Whether it was there. */
  drop(item: { lane: string; source: string; seq: number }): boolean {
    const lane = this.#lanes.get(item.lane);
    if (lane?.remove(item) !== true) return false;
    this.#size -= 1;
    if (!lane.isBusy) this.free(item.lane);
    return true;
  }

  /** Makes a lane busy: something of it is under way that `take` did not give. */
  hold(name: string): void {
    const lane = this.#laneNamed(name);
    lane.isBusy = true;
    this.#publish(lane);
  }

  /** When the next lane that is not busy may go on, in epoch milliseconds; null when there is none. */
  nextDue(): NextLane | null {
    return firstOf([...this.#ready, this.#waiting].map((heap) => this.#first(heap)));
  }

  /** The same among the lanes that may go on now and have at least this rank. */
  nextReady(now: number, leastRank: number): NextLane | null {
    this.#ripen(now);
    return firstOf(this.#ready.slice(leastRank).map((heap) => this.#first(heap)));
  }

  /** When the delivery that waits longest came due, in epoch milliseconds; null when none is due. */
  oldestDue(now: number): number | null {
    this.#ripen(now);
    const firsts = this.#ready.map((heap) => this.#first(heap)?.at);
    const known = firsts.filter((at) => at !== undefined);
    return known.length === 0 ? null : Math.min(...known);
  }

  /** The highest rank that is ready; -1 when none is. */
  readyRank(now: number): number {
    this.#ripen(now);
    return this.#ready.findLastIndex((heap) => this.#first(heap) !== undefined);
  }

  /** Whether every lane that is not busy waits for the retry of its head, which names all that is behind it. */
  areAllRetrying(): boolean {
    return [...this.#lanes.values()].every((lane) => lane.isBusy || lane.isFoundByRetry());
  }

  /** Whether there is anything of this lane, waiting or under way. */
  has(name: string): boolean {
    return this.#lanes.has(name);
  }

  /** Whether another delivery of its lane has to go before this one. */
  isBehind(item: { lane: string; source: string; seq: number }): boolean {
    const lane = this.#lanes.get(item.lane);
    if (lane === undefined) return false;
    const head = lane.head();
    return lane.isBusy || (head !== null && (head.source !== item.source || head.seq !== item.seq));
  }

  #laneNamed(name: string): Lane {
    const lane = this.#lanes.get(name) ?? new Lane();
    this.#lanes.set(name, lane);
    return lane;
  }

  #leave(lane: Lane, head: LaneItem): LaneItem {
    lane.isBusy = true;
    this.#turn += 1;
    this.#size -= 1;
    return head;
  }

  #detach(head: LaneItem): void {
    const alone: LaneItem = { ...head, lane: `late:${head.source}/${head.seq}`, releaseAt: null };
    const lane = this.#laneNamed(alone.lane);
    lane.insert(alone);
    this.#publish(lane);
  }

  /** Counts a lane among those that may go on, or no longer. */
  #weigh(lane: Lane, isRipe: boolean): void {
    const before = this.#ripe.get(lane) ?? { items: 0, bytes: 0 };
    const after = isRipe ? { items: lane.length, bytes: lane.bytes } : { items: 0, bytes: 0 };
    if (isRipe) this.#ripe.set(lane, after);
    else this.#ripe.delete(lane);
    this.#load = {
      items: this.#load.items + after.items - before.items,
      bytes: this.#load.bytes + after.bytes - before.bytes,
    };
  }

  #publish(lane: Lane): void {
    const head = lane.head();
    lane.stamp += 1;
    this.#weigh(lane, false);
    if (lane.isBusy || head === null) return;
    const at = Math.min(head.due, head.releaseAt ?? head.due);
    this.#waiting.push({ lane, stamp: lane.stamp, rank: lane.rank(), at, position: head.position });
  }

  #ripen(now: number): void {
    for (let entry = this.#first(this.#waiting); entry && entry.at <= now;) {
      this.#waiting.pop();
      this.#ready[entry.rank]?.push(entry);
      this.#weigh(entry.lane, true);
      entry = this.#first(this.#waiting);
    }
  }

  #oldest(): Entry | null {
    let oldest: Entry | null = null;
    for (const heap of this.#ready) {
      const entry = this.#first(heap);
      if (entry !== undefined && (oldest === null || byAge(entry, oldest))) oldest = entry;
    }
    return oldest;
  }

  #best(leastRank: number): Entry | null {
    const critical = this.#first(this.#ready[CRITICAL]);
    let best: Entry | null = null;
    for (const heap of this.#ready.slice(leastRank, CRITICAL)) {
      const entry = this.#first(heap);
      if (entry !== undefined && (best === null || agedAt(entry) < agedAt(best))) best = entry;
    }
    const isTheirTurn = this.#turn % TURNS === TURNS - 1;
    return critical !== undefined && !(isTheirTurn && best !== null) ? critical : best;
  }

  /** The first entry of a heap that still holds; void ones are dropped on the way. */
  #first(heap: Heap<Entry> | undefined): Entry | undefined {
    for (;;) {
      const entry = heap?.peek();
      if (entry === undefined || entry.stamp === entry.lane.stamp) return entry;
      heap?.pop();
    }
  }
}

function firstOf(entries: readonly (Entry | undefined)[]): NextLane | null {
  const known = entries.filter((entry) => entry !== undefined);
  const [first] = known.sort((a, b) => a.at - b.at);
  return first === undefined
    ? null
    : { at: first.at, isRetry: first.lane.head()?.isRetry ?? false, rank: first.rank };
}
