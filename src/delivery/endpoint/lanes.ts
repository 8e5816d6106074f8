import { Heap } from "./heap.ts";

/** A delivery that waits for its turn. */
export interface LaneItem {
  /** Deliveries of one lane go one after the other; different lanes don't wait for each other. */
  lane: string;
  source: string;
  seq: number;
  /** 0 (low) to 3 (critical). */
  priority: number;
  /** Epoch milliseconds before which it must not be sent. */
  due: number;
  /** Grows with each delivery of the endpoint: the order of creation. */
  position: number;
  /** Whether it has failed before, so that `due` is a stored instant and not the one of its creation. */
  isRetry: boolean;
}

/** How an endpoint orders its deliveries (protocol.md §3, webhook_registration). */
export type Ordering = "task" | "endpoint" | "none";

/** The lane of a delivery. News without a task are in order with nothing. */
export function laneOf(ordering: Ordering, source: string, seq: number): string {
  switch (ordering) {
    case "task":
      return source;
    case "endpoint":
      return "";
    case "none":
      return `${source}/${seq}`;
  }
}

interface Lane {
  items: LaneItem[];
  /** How many items there are of each priority: their highest is the lane's. */
  counts: number[];
  isBusy: boolean;
  /** Entries of the heaps with an older stamp are void. */
  stamp: number;
}

interface Entry {
  lane: Lane;
  stamp: number;
  rank: number;
  due: number;
  position: number;
}

const byDue = (a: Entry, b: Entry) => a.due < b.due;

/** Highest priority first, inside it the longest due, then the oldest (facts/webhooks.md §6.3). */
function byRank(a: Entry, b: Entry): boolean {
  if (a.rank !== b.rank) return a.rank > b.rank;
  return a.due === b.due ? a.position < b.position : a.due < b.due;
}

/** Inside a task its own count decides: it needs no clock. */
function isBefore(a: LaneItem, b: LaneItem): boolean {
  return a.source === b.source ? a.seq < b.seq : a.position < b.position;
}

function rankOf(lane: Lane): number {
  return lane.counts.findLastIndex((count) => count > 0);
}

function countItem(lane: Lane, priority: number, change: 1 | -1): void {
  lane.counts[priority] = (lane.counts[priority] ?? 0) + change;
}

/**
 * Which delivery of an endpoint goes next, each step in O(log lanes).
 *
 * Priority never changes the order inside a lane; a lane goes by the highest priority in it, because otherwise a
 * critical notification would wait behind low ones of its own task (facts/webhooks.md §6.3).
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #waiting = new Heap<Entry>(byDue);
  readonly #ready = new Heap<Entry>(byRank);

  /** Puts a delivery into its lane, in order of creation. */
  add(item: LaneItem): void {
    const lane = this.#lanes.get(item.lane) ?? {
      items: [],
      counts: [0, 0, 0, 0],
      isBusy: false,
      stamp: 0,
    };
    this.#lanes.set(item.lane, lane);
    const [head, rank] = [lane.items[0], rankOf(lane)];
    const after = lane.items.findLastIndex((other) => isBefore(other, item));
    lane.items.splice(after + 1, 0, item);
    countItem(lane, item.priority, 1);
    if (head !== lane.items[0] || rank !== rankOf(lane)) this.#publish(lane);
  }

  /** The delivery to send now, or null when none is due. Its lane is busy until `finish` or `postpone`. */
  take(now: number): LaneItem | null {
    for (let entry = this.#next(this.#waiting); entry && entry.due <= now;) {
      this.#waiting.pop();
      this.#ready.push(entry);
      entry = this.#next(this.#waiting);
    }
    const best = this.#next(this.#ready);
    if (best === undefined) return null;
    this.#ready.pop();
    best.lane.isBusy = true;
    return best.lane.items[0] ?? null;
  }

  /** The head of a busy lane is done. Whether another one of its lane may go now. */
  finish(item: LaneItem): boolean {
    const lane = this.#lanes.get(item.lane);
    if (lane === undefined || lane.items[0] !== item) return false;
    lane.items.shift();
    countItem(lane, item.priority, -1);
    lane.isBusy = false;
    if (lane.items.length === 0) this.#lanes.delete(item.lane);
    else this.#publish(lane);
    return lane.items.length > 0;
  }

  /** The head of a busy lane failed: the lane waits for it until `due`. */
  postpone(item: LaneItem, due: number): void {
    const lane = this.#lanes.get(item.lane);
    if (lane === undefined || lane.items[0] !== item) return;
    item.due = due;
    item.isRetry = true;
    lane.isBusy = false;
    this.#publish(lane);
  }

  /** When the next lane that is not busy comes due, in epoch milliseconds; null when there is none. */
  nextDue(): number | null {
    const dues = [this.#next(this.#ready), this.#next(this.#waiting)].map((entry) => entry?.due);
    const known = dues.filter((due) => due !== undefined);
    return known.length === 0 ? null : Math.min(...known);
  }

  /** Whether every lane waits for the retry of its head. */
  areAllRetrying(): boolean {
    return [...this.#lanes.values()].every((lane) => lane.items[0]?.isRetry ?? true);
  }

  #publish(lane: Lane): void {
    const head = lane.items[0];
    lane.stamp += 1;
    if (lane.isBusy || head === undefined) return;
    const { due, position } = head;
    this.#waiting.push({ lane, stamp: lane.stamp, rank: rankOf(lane), due, position });
  }

  /** The first entry of a heap that still holds; void ones are dropped on the way. */
  #next(heap: Heap<Entry>): Entry | undefined {
    for (;;) {
      const entry = heap.peek();
      if (entry === undefined || entry.stamp === entry.lane.stamp) return entry;
      heap.pop();
    }
  }
}
