/** Frames of one connection that may be without an answer; a client that sends more waits for none. */
const MOST_UNANSWERED = 64;

/** Carries out the frames of one connection: those of a lane one after the other, lanes side by side. */
export class FrameLanes {
  readonly #lanes = new Map<string, Promise<void>>();
  #unanswered = 0;

  /** Whether everything is answered. */
  get isIdle(): boolean {
    return this.#unanswered === 0;
  }

  /** Does the work when those before it in its lane are done; false, and nothing is done, when too many wait. */
  async run(lane: string, work: () => Promise<void>): Promise<boolean> {
    if (this.#unanswered >= MOST_UNANSWERED) return false;
    this.#unanswered += 1;
    const mine = (this.#lanes.get(lane) ?? Promise.resolve()).then(work);
    this.#lanes.set(lane, mine);
    try {
      await mine;
    } finally {
      this.#unanswered -= 1;
      if (this.#lanes.get(lane) === mine) this.#lanes.delete(lane);
    }
    return true;
  }
}
