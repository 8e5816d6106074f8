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
  readonly #counts = new Map<string, number>();

  /** The claims that wait, first come first; later changes do not show in this list. */
  get all(): readonly Waiting[] {
    return this.#all;
  }

  /** Whether an executor waits. */
  has(agent_id: string): boolean {
    return (this.#counts.get(agent_id) ?? 0) > 0;
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
        this.#count(order.agent_id, -1);
        clearTimeout(timer);
        onEnd();
        resolve(outcome);
      };
      const waiting: Waiting = { order, end };
      const timer = setTimeout(() => end({ known: true, offers: [] }), order.wait_ms);
      this.#all = [...this.#all, waiting];
      this.#count(order.agent_id, 1);
    });
  }

  #count(agent_id: string, change: 1 | -1): void {
    const count = (this.#counts.get(agent_id) ?? 0) + change;
    if (count === 0) this.#counts.delete(agent_id);
    else this.#counts.set(agent_id, count);
  }
}
