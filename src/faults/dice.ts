import type { Clock, Random } from "../lib/ports.ts";

/** Uniform draws in [0, 1), the same ones for the same seed: Mulberry32 (Tommy Ettinger, public domain). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** An instant until which, and from which, something lasts. Epoch milliseconds. */
export interface Lasting {
  from: number;
  until: number;
}

/** Whether something lasts at an instant: its first millisecond is in it, its last one is not. */
function lasts({ from, until }: Lasting, now: number): boolean {
  return from <= now && now < until;
}

/** Decides whether a call meets a fault, and which. */
export class Dice {
  readonly #lasting: Lasting;
  readonly #now: Clock;
  readonly #random: Random;

  /** @param now the true time: a clock that is wrong must not move the end of its being wrong */
  constructor(lasting: Lasting, now: Clock, random: Random) {
    this.#lasting = lasting;
    this.#now = now;
    this.#random = random;
  }

  /** Whether faults happen at all at present. */
  get isOn(): boolean {
    return lasts(this.#lasting, this.#now());
  }

  /** Whether something lasts at present, inside the time of all faults or not. */
  isIn(lasting: Lasting): boolean {
    return lasts(lasting, this.#now());
  }

  /** One of these by its share of all calls, or null for none; null whenever faults are over. */
  pick<Kind extends string>(shares: Readonly<Record<Kind, number>>): Kind | null {
    if (!this.isOn) return null;
    let draw = this.#random();
    for (const kind in shares) {
      draw -= shares[kind];
      if (draw < 0) return kind;
    }
    return null;
  }

  /** A whole number from 1 to `most`. */
  upTo(most: number): number {
    return 1 + Math.floor(this.#random() * most);
  }
}
