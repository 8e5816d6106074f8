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
  /** Whether `due` is a stored instant and not the one of its creation. */
  isRetry: boolean;
  /** Whether it has left alone, or may have before this object woke up: it goes under no other id then. */
  hasLeft: boolean;
  /** When its lane stops waiting for it, in epoch milliseconds; null when it waits to the end. */
  releaseAt: number | null;
  /** Bytes of its body. */
  bytes: number;
}

/** The priority that overtakes. */
export const CRITICAL = 3;

/** Names a delivery among those of its endpoint. */
export const placeKey = ({ source, seq }: { source: string; seq: number }) => `${source}/${seq}`;

/** Taken items in front are cut off when there are so many. */
const LOOSE_ITEMS = 1_024;

/** Inside a task its own count decides: it needs no clock. */
function isBefore(a: LaneItem, b: LaneItem): boolean {
  return a.source === b.source ? a.seq < b.seq : a.position < b.position;
}

/** Deliveries that go one after the other. Taking the first one does not move the others. */
export class Lane {
  isBusy = false;
  /** Entries of heaps with an older stamp are void. */
  stamp = 0;
  readonly #items: LaneItem[] = [];
  /** How many items there are of each priority. */
  readonly #counts = [0, 0, 0, 0];
  #start = 0;
  #bytes = 0;

  get length(): number {
    return this.#items.length - this.#start;
  }

  /** Bytes of all bodies in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first one, which stays; null when the lane is empty. */
  head(): LaneItem | null {
    return this.#items[this.#start] ?? null;
  }

  /** Whether the head waits for its retry, and all others are of the same source: who finds the one finds them all. */
  isFoundByRetry(): boolean {
    const head = this.head();
    if (head === null) return true;
    return head.isRetry && this.#items.at(-1)?.source === head.source;
  }

  /** The highest priority in it; -1 when it is empty. */
  rank(): number {
    return this.#counts.findLastIndex((count) => count > 0);
  }

  /** Puts an item in its place. Whether that changes the head or the rank. */
  insert(item: LaneItem): boolean {
    const [head, rank] = [this.head(), this.rank()];
    let place = this.#items.length;
    for (; place > this.#start; place -= 1) {
      const before = this.#items[place - 1];
      if (before === undefined || isBefore(before, item)) break;
    }
    this.#items.splice(place, 0, item);
    this.#count(item, 1);
    return head !== this.head() || rank !== this.rank();
  }

  /** Takes the first one out. */
  shift(): LaneItem | null {
    const head = this.head();
    if (head === null) return null;
    this.#start += 1;
    this.#count(head, -1);
    if (this.#start >= LOOSE_ITEMS && this.#start * 2 >= this.#items.length) {
      this.#items.splice(0, this.#start);
      this.#start = 0;
    }
    return head;
  }

  /** Puts one in front of all others. */
  unshift(item: LaneItem): void {
    if (this.#start > 0) {
      this.#start -= 1;
      this.#items[this.#start] = item;
    } else {
      this.#items.unshift(item);
    }
    this.#count(item, 1);
  }

  /** Takes a delivery out wherever it stands. Whether it was there. */
  remove({ source, seq }: Pick<LaneItem, "source" | "seq">): boolean {
    const place = this.#items.findIndex(
      (item, index) => index >= this.#start && item.source === source && item.seq === seq,
    );
    const [removed] = place < 0 ? [] : this.#items.splice(place, 1);
    if (removed !== undefined) this.#count(removed, -1);
    return removed !== undefined;
  }

  #count({ priority, bytes }: LaneItem, change: 1 | -1): void {
    this.#bytes += change * bytes;
    this.#counts[priority] = (this.#counts[priority] ?? 0) + change;
  }
}
