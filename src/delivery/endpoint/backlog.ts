import type { DeliveryRow } from "./delivery-row.ts";
import { CRITICAL, placeKey } from "./lane.ts";
import { storyIds } from "./story.ts";

/**
 * Deliveries that wait in memory at most: 200 bytes each, and 500 for a moment while they are read, so that no backlog
 * outgrows the 128 MB of an object (facts/platform.md §4). What is behind them waits until some of them are over, also
 * where its own lane is free.
 */
export const MOST_IN_MEMORY = 120_000;

/** Where open deliveries are found (delivery-store.ts). */
interface OpenDeliveries {
  openRows: (isIndexComplete: boolean, behind: number, limit: number) => DeliveryRow[];
  openRowsOf: (source: string, behind: number) => DeliveryRow[];
}

/**
 * How much of what is open is in memory: all, or the oldest of it.
 *
 * What comes while only the oldest is there is left to its page, except that a critical one brings its whole task, or alert, in,
 * so that it still overtakes.
 */
export class Backlog {
  readonly #store: OpenDeliveries;
  readonly #most: number;
  /** Everything up to this position is in memory; null when all is. */
  #loadedTo: number | null = null;
  readonly #ahead = new Set<string>();

  /** @param most deliveries in memory; the next page comes when half of them are left */
  constructor(store: OpenDeliveries, most = MOST_IN_MEMORY) {
    this.#store = store;
    this.#most = most;
  }

  /** Whether some of what is open is not in memory. */
  get isPartial(): boolean {
    return this.#loadedTo !== null;
  }

  /** The oldest of what is open, as much as there is room for. */
  first(isIndexComplete: boolean): DeliveryRow[] {
    this.#ahead.clear();
    this.#loadedTo = null;
    return this.#page(isIndexComplete, -1);
  }

  /** Nothing is open. */
  empty(): void {
    this.#ahead.clear();
    this.#loadedTo = null;
  }

  /** The next page, when there is one and room for it. */
  next(waiting: number): DeliveryRow[] {
    return this.#loadedTo === null || waiting > this.#most / 2
      ? []
      : this.#page(false, this.#loadedTo);
  }

  /** Which of those that have just been stored, and of what they bring with them, belong into memory now. */
  admit(rows: readonly DeliveryRow[], waiting: number): DeliveryRow[] {
    if (this.#loadedTo === null && waiting + rows.length <= this.#most) return [...rows];
    const [first] = rows;
    // What is in memory is everything before these: from here on it is partial.
    if (this.#loadedTo === null && first !== undefined) this.#loadedTo = first.position - 1;
    const behind = this.#loadedTo ?? -1;
    const sources = new Set(
      rows
        .filter(({ priority }) => priority === CRITICAL)
        .flatMap(({ source, seq }) => (seq === 0 ? storyIds(source) : [source])),
    );
    return [...sources].flatMap((source) =>
      this.#fresh(this.#store.openRowsOf(source, behind), true),
    );
  }

  #page(isIndexComplete: boolean, behind: number): DeliveryRow[] {
    const rows = this.#store.openRows(isIndexComplete, behind, this.#most);
    const last = rows.at(-1);
    const isFull = rows.length === this.#most && last !== undefined;
    this.#loadedTo = isFull ? last.position : null;
    const fresh = this.#fresh(rows, false);
    if (!isFull) this.#ahead.clear();
    return fresh;
  }

  #fresh(rows: readonly DeliveryRow[], isAhead: boolean): DeliveryRow[] {
    const fresh = rows.filter((row) => !this.#ahead.has(placeKey(row)));
    if (isAhead) for (const row of fresh) this.#ahead.add(placeKey(row));
    return fresh;
  }
}
