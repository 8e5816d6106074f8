import { between, newDraw } from "../chaos/draw.ts";

/** The chances of one run: the same ones for the same seed. */
export class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = newDraw(seed);
  }

  /** Whether something of this probability happens. */
  happens(probability: number): boolean {
    return this.#next() < probability;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return between(this.#next, low, high);
  }

  /** One of these, or undefined when there are none. */
  oneOf<Value>(values: readonly Value[]): Value | undefined {
    return values[Math.floor(this.#next() * values.length)];
  }

  /** One of these by its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries<number>(weights) as [Name, number][];
    let left = this.#next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new RangeError("weights must not be empty");
  }
}
