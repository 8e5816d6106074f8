/** A priority queue: `push` and `pop` take O(log n). What comes first is decided by `isBefore`. */
export class Heap<Entry> {
  readonly #entries: Entry[] = [];
  readonly #isBefore: (a: Entry, b: Entry) => boolean;

  constructor(isBefore: (a: Entry, b: Entry) => boolean) {
    this.#isBefore = isBefore;
  }

  /** The first entry, which stays. */
  peek(): Entry | undefined {
    return this.#entries[0];
  }

  push(entry: Entry): void {
    const entries = this.#entries;
    let place = entries.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = entries[parent];
      if (above === undefined || !this.#isBefore(entry, above)) break;
      entries[place] = above;
      place = parent;
    }
    entries[place] = entry;
  }

  /** Takes the first entry out. */
  pop(): Entry | undefined {
    const first = this.#entries[0];
    const last = this.#entries.pop();
    if (last !== undefined && this.#entries.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: Entry): void {
    const entries = this.#entries;
    let place = 0;
    for (;;) {
      const [left, right] = [entries[2 * place + 1], entries[2 * place + 2]];
      const isRight = left !== undefined && right !== undefined && this.#isBefore(right, left);
      const child = isRight ? right : left;
      if (child === undefined || !this.#isBefore(child, entry)) break;
      entries[place] = child;
      place = 2 * place + (isRight ? 2 : 1);
    }
    entries[place] = entry;
  }
}
