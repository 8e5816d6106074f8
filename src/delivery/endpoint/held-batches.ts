import { Heap } from "./heap.ts";
import type { LaneItem } from "./lane.ts";

/** A batch that failed and is sent again. Instants are epoch milliseconds. */
export interface HeldBatch {
  /** Its webhook-id. */
  batch_id: string;
  /** When it was made up, as its body says. */
  at: string;
  due: number;
  /** When the lanes of its members stop waiting for it; null when they wait to the end. */
  releaseAt: number | null;
  /** Whether they have stopped. */
  isReleased: boolean;
}

/** The same with its members. */
export interface HeldUnit extends HeldBatch {
  items: readonly LaneItem[];
  lanes: ReadonlySet<string>;
}

/** The batches that wait to be sent again, the first due first. */
export class HeldBatches {
  readonly #free: (lane: string) => void;
  readonly #byDue = new Heap<HeldUnit>((a, b) => a.due < b.due);
  readonly #byRelease = new Heap<{ at: number; unit: HeldUnit }>((a, b) => a.at < b.at);

  /** @param free makes a lane go on */
  constructor(free: (lane: string) => void) {
    this.#free = free;
  }

  /** Adds a batch that failed for the first time in this object's life. */
  push(unit: HeldUnit): void {
    this.#byDue.push(unit);
    if (unit.releaseAt !== null) this.#byRelease.push({ at: unit.releaseAt, unit });
  }

  /** A batch that was taken failed once more. */
  again(unit: HeldUnit, due: number): void {
    unit.due = due;
    this.#byDue.push(unit);
  }

  /** A batch that was taken is over. Whether its lanes still waited for it. */
  finish(unit: HeldUnit): boolean {
    const wasReleased = unit.isReleased;
    unit.isReleased = true;
    return !wasReleased;
  }

  /** Lets the lanes go on that have waited long enough. */
  release(now: number): void {
    for (let first = this.#byRelease.peek(); first && first.at <= now;) {
      this.#byRelease.pop();
      if (!first.unit.isReleased) {
        first.unit.isReleased = true;
        for (const lane of first.unit.lanes) this.#free(lane);
      }
      first = this.#byRelease.peek();
    }
  }

  /** The first one that is due, or null; it is no longer held. */
  take(now: number): HeldUnit | null {
    this.release(now);
    const first = this.#byDue.peek();
    return first !== undefined && first.due <= now ? (this.#byDue.pop() ?? null) : null;
  }

  /** When one is due or lanes go on, whichever is first; null when none is held. */
  next(): number | null {
    const times = [this.#byDue.peek()?.due, this.#byRelease.peek()?.at];
    const known = times.filter((at) => at !== undefined);
    return known.length === 0 ? null : Math.min(...known);
  }
}
