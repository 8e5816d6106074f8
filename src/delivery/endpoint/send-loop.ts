/** What the loop asks of its endpoint. */
export interface SendLoopPorts<Item, Report> {
  /** The next one to send, or null when nothing may go now. It decides how many are in flight. */
  take: () => Item | null;
  /** Sends it. Should not reject: that ends the run. */
  send: (item: Item) => Promise<Report>;
  /** Stores what has finished since the last call. */
  commit: (finished: readonly Finished<Item, Report>[]) => void;
  /** Milliseconds after which `take` may have something although no answer came; null when it won't soon. */
  gap: () => number | null;
  /** Lets so many milliseconds pass. */
  wait: (ms: number) => Promise<void>;
}

/** An item and what became of it. */
export interface Finished<Item, Report> {
  item: Item;
  report: Report;
}

/**
 * Keeps requests in flight until nothing is left to send.
 *
 * Answers that arrive together are committed together.
 */
export class SendLoop<Item, Report> {
  readonly #finished: Finished<Item, Report>[] = [];
  #inFlight = 0;
  #isRunning = false;
  #isWaiting = false;
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
   * Ends when nothing is in flight and `take` will have nothing soon.
   *
   * @throws what `send` or `commit` throws, once everything that was in flight has come back: who begins anew must not
   *   send beside it
   */
  async run(ports: SendLoopPorts<Item, Report>): Promise<void> {
    this.#isRunning = true;
    try {
      for (;;) {
        if (this.#broken === null) {
          this.#fill(ports);
          this.#mindTheGap(ports);
        }
        if (this.#inFlight === 0 && (this.#broken !== null || !this.#isWaiting)) break;
        await this.#news.promise;
        this.#news = Promise.withResolvers<void>();
        this.#commit(ports);
      }
    } finally {
      this.#isRunning = false;
    }
    if (this.#broken !== null) throw this.#broken.cause;
  }

  #commit({ commit }: SendLoopPorts<Item, Report>): void {
    const finished = this.#finished.splice(0);
    if (finished.length === 0) return;
    try {
      commit(finished);
    } catch (cause) {
      this.#broken ??= { cause };
    }
  }

  #fill(ports: SendLoopPorts<Item, Report>): void {
    for (let item = ports.take(); item !== null; item = ports.take()) {
      const sent = item;
      this.#inFlight += 1;
      // Awaited through `news`: the loop does not end while anything is in flight.
      void ports
        .send(sent)
        .then(
          (report) => this.#finished.push({ item: sent, report }),
          (cause: unknown) => {
            this.#broken ??= { cause };
          },
        )
        .then(() => {
          this.#inFlight -= 1;
          this.#news.resolve();
        });
    }
  }

  /** Looks again when the wait is over, unless somebody is waiting already. */
  #mindTheGap(ports: SendLoopPorts<Item, Report>): void {
    const gap = this.#isWaiting ? null : ports.gap();
    if (gap === null) return;
    this.#isWaiting = true;
    const done = (): void => {
      this.#isWaiting = false;
      this.#news.resolve();
    };
    void ports.wait(gap).then(done, done);
  }
}
