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

  /** The first one that is due, which stays; null when none is. */
  peek(now: number): HeldUnit | null {
    this.release(now);
    const first = this.#byDue.peek();
    return first !== undefined && first.due <= now ? first : null;
  }

  /** Takes the first one out. */
  pop(): HeldUnit | null {
    return this.#byDue.pop() ?? null;
  }

  /** The first one, due or not; null when none is held. */
  first(): HeldUnit | null {
    return this.#byDue.peek() ?? null;
  }

  /** When the next lanes go on without their batch; null when none wait for that. */
  nextRelease(): number | null {
    return this.#byRelease.peek()?.at ?? null;
  }
}

/** The highest priority in a batch. */
export function rankOf({ items }: HeldUnit): number {
  return Math.max(...items.map(({ priority }) => priority));
}
