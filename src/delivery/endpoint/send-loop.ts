/** Requests that one invocation may have waiting for an answer (facts/platform.md §4, Workers). */
const SLOTS = 6;

/** What the loop asks of its endpoint. */
export interface SendLoopPorts<Item, Report> {
  /** The next one to send, or null when nothing may go now. */
  take: () => Item | null;
  /** Sends it. Should not reject: that ends the run. */
  send: (item: Item) => Promise<Report>;
  /** Stores what has finished since the last call. */
  commit: (finished: readonly Finished<Item, Report>[]) => void;
}

/** An item and what became of it. */
export interface Finished<Item, Report> {
  item: Item;
  report: Report;
}

/**
 * Keeps up to six requests in flight until nothing is left to send.
 *
 * Our own gate, because the platform would queue a seventh request while its timeout runs (facts/webhooks.md §5).
 * Answers that arrive together are committed together.
 */
export class SendLoop<Item, Report> {
  readonly #finished: Finished<Item, Report>[] = [];
  #inFlight = 0;
  #isRunning = false;
  #broken: { cause: unknown } | null = null;
  #news = Promise.withResolvers<void>();

  /** Whether `run` is under way, so that what is added now will be seen without being told. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Something may have become ready: look again. */
  poke(): void {
    this.#news.resolve();
  }

  /**
   * Ends when nothing is in flight and `take` has nothing.
   *
   * @throws what `send` or `commit` throws; what is in flight then is forgotten, so a new loop is needed
   */
  async run(ports: SendLoopPorts<Item, Report>): Promise<void> {
    this.#isRunning = true;
    try {
      for (;;) {
        this.#fill(ports);
        if (this.#inFlight === 0) return;
        await this.#news.promise;
        this.#news = Promise.withResolvers<void>();
        const finished = this.#finished.splice(0);
        if (finished.length > 0) ports.commit(finished);
        if (this.#broken !== null) throw this.#broken.cause;
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #fill(ports: SendLoopPorts<Item, Report>): void {
    while (this.#inFlight < SLOTS) {
      const item = ports.take();
      if (item === null) return;
      this.#inFlight += 1;
      // Awaited through `news`: the loop does not end while anything is in flight.
      void ports
        .send(item)
        .then(
          (report) => this.#finished.push({ item, report }),
          (cause: unknown) => {
            this.#broken = { cause };
          },
        )
        .then(() => {
          this.#inFlight -= 1;
          this.#news.resolve();
        });
    }
  }
}
