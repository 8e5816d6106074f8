import type { ClaimOrder, ClaimOutcome } from "./pool-port.ts";

/** A claim that found nothing and waits. `end` answers it; a second answer changes nothing. */
export interface Waiting {
  order: ClaimOrder;
  end: (outcome: ClaimOutcome) => void;
}

/**
 * The long polls of one pool, in the order in which they came (shell: the timer only ends a wait).
 *
 * In memory alone: an executor whose call breaks off with the object claims again.
 */
export class WaitingClaims {
  #all: readonly Waiting[] = [];

  /** The claims that wait, first come first; later changes do not show in this list. */
  get all(): readonly Waiting[] {
    return this.#all;
  }

  /** Executors that wait. */
  agents(): Set<string> {
    return new Set(this.#all.map(({ order }) => order.agent_id));
  }

  /**
   * Waits until `end` is called, at most `wait_ms`; then the answer is empty.
   *
   * @param onEnd called once when the wait is over, whatever came of it
   */
  add(order: ClaimOrder, onEnd: () => void): Promise<ClaimOutcome> {
    return new Promise((resolve) => {
      const end = (outcome: ClaimOutcome) => {
        if (!this.#all.includes(waiting)) return;
        this.#all = this.#all.filter((other) => other !== waiting);
        clearTimeout(timer);
        onEnd();
        resolve(outcome);
      };
      const waiting: Waiting = { order, end };
      const timer = setTimeout(() => end({ known: true, offers: [] }), order.wait_ms);
      this.#all = [...this.#all, waiting];
    });
  }
}
