/** Within which a denied attempt that is repeated is counted and not told anew, milliseconds. */
const QUIET_MS = 60_000;

/** Attempts that are remembered; when there are more, the oldest is forgotten. */
const MAX_REMEMBERED = 1_000;

interface Attempt {
  until: number;
  /** How often it was repeated since it was told. */
  repeated: number;
}

/**
 * Keeps those who are denied again and again from filling the audit: of attempts of one name, one a minute is told.
 *
 * It remembers what one isolate has seen, so that a denial costs memory alone.
 */
export class Denials {
  readonly #attempts = new Map<string, Attempt>();

  /**
   * Whether an attempt is to be told: then how many before it were not, otherwise null.
   *
   * @param now epoch milliseconds
   */
  admit(name: string, now: number): number | null {
    const known = this.#attempts.get(name);
    if (known !== undefined && now < known.until) {
      known.repeated += 1;
      return null;
    }
    this.#attempts.delete(name);
    this.#attempts.set(name, { until: now + QUIET_MS, repeated: 0 });
    if (this.#attempts.size > MAX_REMEMBERED) {
      const [oldest] = this.#attempts.keys();
      if (oldest !== undefined) this.#attempts.delete(oldest);
    }
    return known?.repeated ?? 0;
  }
}
