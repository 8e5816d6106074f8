/**
 * Remembers what was looked up a short while ago, and no more of it than `maxEntries`.
 *
 * When it is full the oldest entry goes, so that a flood of look-ups costs a bounded amount of memory.
 */
export class Recent<Value> {
  readonly #entries = new Map<string, { value: Value; until: number }>();
  readonly #limits: { maxEntries: number; ttl_ms: number };

  constructor(limits: { maxEntries: number; ttl_ms: number }) {
    this.#limits = limits;
  }

  /** What was put under this name less than `ttl_ms` ago, or undefined. */
  get(name: string, now: number): Value | undefined {
    const entry = this.#entries.get(name);
    return entry !== undefined && now < entry.until ? entry.value : undefined;
  }

  /** What was put under this name and has been out of date for less than `grace_ms`, or undefined. */
  stale(name: string, now: number, grace_ms: number): Value | undefined {
    return this.get(name, now - grace_ms);
  }

  put(name: string, value: Value, now: number): void {
    this.#entries.delete(name);
    this.#entries.set(name, { value, until: now + this.#limits.ttl_ms });
    if (this.#entries.size <= this.#limits.maxEntries) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  forget(name: string): void {
    this.#entries.delete(name);
  }

  /** Forgets all that is of a kind. */
  forgetWhere(isOfKind: (value: Value) => boolean): void {
    for (const [name, { value }] of this.#entries) {
      if (isOfKind(value)) this.#entries.delete(name);
    }
  }

  get size(): number {
    return this.#entries.size;
  }
}
