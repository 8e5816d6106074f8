import type { Clock } from "../../lib/ports.ts";

/** One run sends for at most a minute; the platform ends an alarm after 15 (facts/platform.md §4, Workers). */
export const RUN_MS = 60_000;

/**
 * Requests of one run. An alarm that waited for a run does another one in the same invocation, and that has 10,000
 * subrequests and 30 s of CPU time (facts/platform.md §4): beyond them requests fail as if the receiver had.
 */
export const MOST_SENT = 4_000;

/** What one run may still do, from when it is made. */
export class RunBudget {
  readonly #now: Clock;
  readonly #until: number;
  #sent = 0;

  constructor(now: Clock) {
    this.#now = now;
    this.#until = now() + RUN_MS;
  }

  /** Whether nothing more may leave in this run. */
  get isOver(): boolean {
    return this.#sent >= MOST_SENT || this.#now() >= this.#until;
  }

  /** Counts what leaves; gives it back. */
  spend<Turn>(turn: Turn | null): Turn | null {
    if (turn !== null) this.#sent += 1;
    return turn;
  }
}
