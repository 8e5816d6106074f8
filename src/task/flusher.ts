import type { Archivist } from "./archivist.ts";
import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { EVENTS_PER_FLUSH, newsOf } from "./outbox.ts";
import type { TaskPorts } from "./ports.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { StoredTask } from "./task-store.ts";
import { readEvents } from "./task-store.ts";

/** What a flusher works on. */
interface FlusherParts {
  sql: SqlStorage;
  recent: RecentEvents;
  ports: Pick<TaskPorts, "publish">;
  archivist: Archivist;
  load: () => StoredTask | null;
}

type Send = (state: TaskState, events: readonly LoggedEvent[], after: number) => Promise<void>;

/**
 * Sends events past their cursors, to endpoints and to history: each in order, one flush at a time, and
 * each at its own pace, so that a broken endpoint never stalls history.
 */
export class Flusher {
  readonly #parts: FlusherParts;
  #running: Promise<unknown> = Promise.resolve();
  #published = 0;
  #recorded = 0;

  constructor(parts: FlusherParts) {
    this.#parts = parts;
  }

  /** Flushes what there is; tells what failed, in words. What failed is sent again by the next flush. */
  flush(): Promise<string[]> {
    const flushed = this.#running.then(() => this.#flushBoth());
    this.#running = flushed;
    return flushed;
  }

  async #flushBoth(): Promise<string[]> {
    const { ports, archivist } = this.#parts;
    const outcomes = await Promise.allSettled([
      this.#sendPast(
        () => this.#published,
        (seq) => (this.#published = seq),
        (state, events) => ports.publish(newsOf(state, events)),
      ),
      this.#sendPast(
        () => this.#recorded,
        (seq) => (this.#recorded = seq),
        (state, events, after) => archivist.tell(state, events, after),
      ),
    ]);
    return outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [String(outcome.reason)] : [],
    );
  }

  async #sendPast(cursor: () => number, move: (seq: number) => void, send: Send): Promise<void> {
    const { sql, recent, load } = this.#parts;
    for (let stored = load(); stored !== null; stored = load()) {
      const after = Math.max(cursor(), stored.flushed);
      if (after >= stored.state.seq) return;
      const events =
        recent.after(after, EVENTS_PER_FLUSH) ?? readEvents(sql, after, EVENTS_PER_FLUSH);
      const last = events.at(-1);
      if (last === undefined) return;
      await send(stored.state, events, after);
      move(last.seq);
      const latest = load();
      // Written with the next commit: losing it costs a repetition that changes nothing.
      if (latest !== null)
        latest.flushed = Math.max(latest.flushed, Math.min(this.#published, this.#recorded));
      recent.forget(Math.min(this.#published, this.#recorded));
    }
  }
}
