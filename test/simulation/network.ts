import type { Draw } from "./draw.ts";

/** How often a call between objects fails, before or after it took effect. */
const CALL_FAILS = 0.03;

/** A call that got lost, or its answer. */
class NetworkFault extends Error {}

/** What lies between objects: calls get lost on it, until it is calm. */
export class Network {
  readonly #draw: Draw;
  isFaulty = true;

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  /** A call to another object: it may get lost before it took effect, or its answer after. */
  async call<Value>(work: () => Promise<Value>): Promise<Value> {
    this.mayFail();
    const value = await work();
    this.mayFail();
    return value;
  }

  /** @throws NetworkFault now and then */
  mayFail(): void {
    if (this.isFaulty && this.#draw.happens(CALL_FAILS)) throw new NetworkFault("lost");
  }

  /** Does something whose answer may get lost: nobody learns what came of it. */
  async unlessLost(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      if (!(cause instanceof NetworkFault)) throw cause;
    }
  }
}
