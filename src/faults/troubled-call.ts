import type { InjectedFaults } from "../protocol/injected-faults.ts";
import type { Dice } from "./dice.ts";

/** Waits. Passed in, so that tests need not. */
type Pause = (ms: number) => Promise<void>;

/** What faults are made with. */
export interface Maker {
  dice: Dice;
  pause: Pause;
}

/** The error of a fault that was injected: it says so, whoever reads it in a log. */
export function injectedError(what: string, facts: Readonly<Record<string, unknown>> = {}): Error {
  return Object.assign(new Error(`${what}: injected by BATUTA_FAULTS`), facts);
}

/**
 * A call that may meet a fault.
 *
 * @param error what its caller gets when it fails, or when its answer is lost
 */
export function troubledCall(
  { dice, pause }: Maker,
  { slow_ms, fail, lose_answer, slow }: InjectedFaults["outbound"],
  call: () => unknown,
  error: () => Error,
): unknown {
  const fault = dice.pick({ fail, lose_answer, slow });
  switch (fault) {
    case "fail":
      return Promise.reject(error());
    case "lose_answer":
      return Promise.resolve(call()).then(() => {
        throw error();
      });
    case "slow":
      return pause(dice.upTo(slow_ms)).then(call);
    case null:
      return call();
  }
}
