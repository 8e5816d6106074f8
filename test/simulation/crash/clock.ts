interface Timer {
  id: number;
  due: number;
  ring: () => unknown;
}

/** The time of a crash world: it stands still until the world moves it, for timers of the code under test too. */
export class WorldClock {
  now = Date.parse("2026-11-22T10:00:00.000Z");
  #timers: Timer[] = [];
  #count = 0;

  /** In place of the global setTimeout. */
  readonly setTimeout = (ring: () => unknown, delayMs = 0): number => {
    this.#count += 1;
    this.#timers.push({ id: this.#count, due: this.now + delayMs, ring });
    return this.#count;
  };

  /** In place of the global clearTimeout. */
  readonly clearTimeout = (id: unknown): void => {
    this.#timers = this.#timers.filter((timer) => timer.id !== id);
  };

  /** When the first timer rings, epoch milliseconds, or null. */
  get nextAt(): number | null {
    return this.#timers.length === 0 ? null : Math.min(...this.#timers.map(({ due }) => due));
  }

  /** Rings the timers that are due. */
  ring(): void {
    const due = this.#timers.filter((timer) => timer.due <= this.now);
    this.#timers = this.#timers.filter((timer) => timer.due > this.now);
    for (const timer of due) timer.ring();
  }

  /** A machine that went down takes its timers with it. */
  forget(): void {
    this.#timers = [];
  }
}
