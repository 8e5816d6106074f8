import type { Random } from "../lib/ports.ts";
import type { ValidationOutcome } from "../protocol/validation-record.ts";

/** So many kept in one minute of one isolate make those that follow in it ten times rarer. */
const STEP = 60;
const RARER = 10;

const MINUTE_MS = 60_000;

const NONE_KEPT: Readonly<Record<ValidationOutcome, number>> = {
  passed: 0,
  refused: 0,
  withheld: 0,
};

/**
 * Which validations are kept, and how many each stands for.
 *
 * Of those that passed one in `oneIn` is, none when it is 0; of those that did not, all. In each minute every 60 kept
 * ones make further ones of their outcome ten times rarer, so that a flood costs a few hundred rows and can still be counted:
 * a draw decides, so that the sum of the weights is an unbiased estimate.
 */
export class ValidationSampling {
  readonly #oneIn: number;
  readonly #random: Random;
  #minute = 0;
  #kept = NONE_KEPT;

  constructor(oneIn: number, random: Random) {
    this.#oneIn = oneIn;
    this.#random = random;
  }

  /** How many validations this one stands for when it is kept; 0 when it is not to be kept. */
  weightOf(outcome: ValidationOutcome, now: number): number {
    const base = outcome === "passed" ? this.#oneIn : 1;
    if (base === 0) return 0;
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#kept = NONE_KEPT;
    }
    const weight = base * RARER ** Math.floor(this.#kept[outcome] / STEP);
    if (weight > 1 && this.#random() * weight >= 1) return 0;
    this.#kept = { ...this.#kept, [outcome]: this.#kept[outcome] + 1 };
    return weight;
  }
}
