import type { LoggedEvent } from "./machine/state.ts";

/** Characters that are kept at most: of what is larger, the log is read in portions. */
const MOST_KEPT = 500_000;

/**
 * The last events of a log as reading it would give them, so that what was written just now need not be read to be
 * sent. It knows the end of the log or nothing at all: never a part with a gap.
 */
export class RecentEvents {
  #events: LoggedEvent[] = [];
  /** Characters of them, counted since there were none. */
  #length = 0;

  /** Keeps what was appended to the log. */
  append(events: readonly LoggedEvent[]): void {
    const text = JSON.stringify(events);
    this.#length += text.length;
    if (this.#length > MOST_KEPT) {
      this.#events = [];
      this.#length = 0;
      return;
    }
    // In the form in which the log has them: what is undefined is not there.
    const written: LoggedEvent[] = JSON.parse(text);
    const follows = written[0]?.seq === (this.#events.at(-1)?.seq ?? 0) + 1;
    this.#events = follows ? [...this.#events, ...written] : written;
  }

  /** Events after a seq in order, at most `limit`; null when it does not know them all. */
  after(seq: number, limit: number): LoggedEvent[] | null {
    const first = this.#events[0];
    if (first === undefined || first.seq > seq + 1) return null;
    return this.#events.slice(seq + 1 - first.seq).slice(0, limit);
  }

  /** Forgets what is before a seq and with it: nobody will ask for that again. */
  forget(seq: number): void {
    this.#events = this.#events.filter((event) => event.seq > seq);
    if (this.#events.length === 0) this.#length = 0;
  }
}
