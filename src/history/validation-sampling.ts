import type { Random } from "../lib/ports.ts";
import type { ValidationOutcome } from "../protocol/validation-record.ts";

/** So many kept in one minute of one isolate make those that follow in it ten times rarer. */
const STEP = 60;
const RARER = 10;

const MINUTE_MS = 60_000;

/**
 * Which validations are kept, and how many each stands for.
 *
 * Of those that passed one in `oneIn` is, none when it is 0; of those that did not, all. In each minute every 60 kept
 * ones make further ones of their kind ten times rarer, so that a flood costs a few hundred rows and can still be counted:
 * a draw decides, so that the sum of the weights is an unbiased estimate.
 */
export class ValidationSampling {
  readonly #oneIn: number;
  readonly #random: Random;
  #minute = 0;
  #kept = { good: 0, bad: 0 };

  constructor(oneIn: number, random: Random) {
    this.#oneIn = oneIn;
    this.#random = random;
  }

  /** How many validations this one stands for when it is kept; 0 when it is not to be kept. */
  weightOf(outcome: ValidationOutcome, now: number): number {
    const kind = outcome === "passed" ? "good" : "bad";
    const base = kind === "good" ? this.#oneIn : 1;
    if (base === 0) return 0;
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#kept = { good: 0, bad: 0 };
    }
    const weight = base * RARER ** Math.floor(this.#kept[kind] / STEP);
    if (weight > 1 && this.#random() * weight >= 1) return 0;
    this.#kept[kind] += 1;
    return weight;
  }
}
