import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import { Recent } from "./recent.ts";

/** Requests that an address may make in a window (protocol.md §7, Sizes); wrangler.toml gives the platform the same. */
const PERMITS = 600;
const WINDOW_S = 60;
const WINDOW_MS = WINDOW_S * 1_000;

/** Addresses whose credit is remembered where a permit is not worth exactly one request. */
const MAX_REMEMBERED = 10_000;

/** How often a platform that does not count is logged. */
const SILENCE_MS = 60_000;

/** Less than this is an error of floating-point sums. */
const ROUNDING = 1e-9;

/** The platform's limiter (facts/platform.md §2): it counts permits by key, and says no more than yes or no. */
export interface Limiter {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/**
 * The limit of requests by address.
 *
 * The platform counts, per location, and its limit can't be changed while it runs. So a factor is what one of its
 * permits is worth in requests: what is left of it is kept as credit until the window is over. In production the
 * factor is 1, and nothing is kept.
 */
export class AddressLimit {
  readonly quota: number;
  readonly window_s = WINDOW_S;
  readonly #limiter: Limiter | undefined;
  readonly #worth: number;
  readonly #now: Clock;
  readonly #log: Log;
  readonly #credits = new Recent<number>({ maxEntries: MAX_REMEMBERED, ttl_ms: WINDOW_MS });
  #nextComplaintAt = 0;

  /** @param ports.factor multiplies the limit; a window always allows one request */
  constructor(ports: { limiter: Limiter | undefined; factor: number; now: Clock; log: Log }) {
    this.#limiter = ports.limiter;
    this.#worth = Math.max(ports.factor, 1 / PERMITS);
    this.quota = Math.floor(PERMITS * this.#worth + ROUNDING);
    this.#now = ports.now;
    this.#log = ports.log;
  }

  /** Whether one more request of this address may pass. It may when nobody can count: a limit is not a lock. */
  async take(address: string): Promise<boolean> {
    if (this.#worth === 1) return this.#permit(address);
    const now = this.#now();
    const name = `${Math.floor(now / WINDOW_MS)}/${address}`;
    for (;;) {
      const credit = this.#credits.get(name, now) ?? 0;
      if (credit >= 1 - ROUNDING) {
        this.#credits.put(name, credit - 1, now);
        return true;
      }
      if (!(await this.#permit(address))) return false;
      // Others of this address may have come and gone meanwhile.
      this.#credits.put(name, (this.#credits.get(name, now) ?? 0) + this.#worth, now);
    }
  }

  async #permit(key: string): Promise<boolean> {
    try {
      if (this.#limiter === undefined) throw new Error("there is no binding");
      return (await this.#limiter.limit({ key })).success;
    } catch (error) {
      const now = this.#now();
      if (now >= this.#nextComplaintAt) {
        this.#nextComplaintAt = now + SILENCE_MS;
        this.#log("error", "address_limit_unavailable", { error: String(error) });
      }
      return true;
    }
  }
}
