import type { RateLimit } from "../../protocol/webhook-options.ts";
import { earliest, rateOf, reserveUntil, taken, type Pace, type Shard } from "../rate-limit.ts";

/** Keeps an endpoint's rate limit. Instants are epoch milliseconds. */
export class Pacer {
  #pace: Pace | null = null;
  /** The theoretical arrival time of the next request; 0 before this object knows one. */
  #tat = 0;

  /**
   * Takes over a limit.
   *
   * A new rate begins with an empty bucket at most: under a slow old one the next request might be due in days.
   *
   * @param reserved the stored instant that no request's theoretical arrival time exceeds
   */
  set(limit: RateLimit | null, shard: Shard, { reserved, now }: { reserved: number; now: number }) {
    const pace = rateOf(limit, shard);
    const empty = pace === null ? 0 : now + pace.toleranceMs + pace.intervalMs;
    this.#tat = Math.min(this.#tat === 0 ? reserved : this.#tat, empty);
    this.#pace = pace;
  }

  /** When the next request may go; 0 without a limit. */
  next(): number {
    return this.#pace === null ? 0 : earliest(this.#pace, this.#tat);
  }

  /**
   * Accounts for a request that leaves now. What to store before it does, or null when that is stored already.
   *
   * @param factor the share of the rate that is granted
   */
  spend(now: number, factor: number, reserved: number): number | null {
    if (this.#pace === null) return null;
    this.#tat = taken(this.#pace, this.#tat, now, factor);
    return reserveUntil(this.#tat, reserved);
  }
}
