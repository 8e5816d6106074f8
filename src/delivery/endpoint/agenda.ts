import { createdAt, type DeliveryRow } from "./delivery-row.ts";
import { laneOf, Lanes, type LaneItem, type Ordering } from "./lanes.ts";

/** A delivery whose turn it is. */
export interface AgendaItem {
  item: LaneItem;
  /** Whether an operator asked for it: it belongs to no lane. */
  isManual: boolean;
}

/** What keeps an endpoint from sending. */
export interface Gate {
  /** Lanes go only while the endpoint is active; replays always. */
  isActive: boolean;
  /** Nothing goes before; epoch milliseconds. */
  pausedUntil: number;
}

/** What an endpoint has to send, in memory; its table can rebuild it. */
export class Agenda {
  readonly #ordering: Ordering;
  readonly #lanes = new Lanes();
  readonly #replays: LaneItem[] = [];
  readonly #inFlight = new Map<string, number>();

  constructor(ordering: Ordering) {
    this.#ordering = ordering;
  }

  /** Adds an open delivery to its lane. */
  add(row: DeliveryRow): void {
    this.#lanes.add(itemOf(row, this.#ordering));
  }

  /** Adds a delivery that an operator wants sent again; it waits for nothing but a pause. */
  addReplay(row: DeliveryRow): void {
    this.#replays.push(itemOf(row, this.#ordering));
  }

  /** The next one to send, or null. It is in flight until `settle`. */
  take(now: number, gate: Gate): AgendaItem | null {
    if (gate.pausedUntil > now) return null;
    const replay = this.#replays.shift();
    const item = replay ?? (gate.isActive ? this.#lanes.take(now) : null);
    if (item === null) return null;
    this.#countInFlight(item, 1);
    return { item, isManual: replay !== undefined };
  }

  /**
   * An item is no longer in flight. Whether it freed another of its lane, one that has not been tried yet.
   *
   * @param retryAt when it is tried again in its lane; null when it leaves the lane
   */
  settle({ item, isManual }: AgendaItem, retryAt: number | null): boolean {
    this.#countInFlight(item, -1);
    if (isManual) return false;
    if (retryAt === null) return this.#lanes.finish(item);
    this.#lanes.postpone(item, retryAt);
    return false;
  }

  /** When the next one may go, in epoch milliseconds; null when nothing waits for a time. */
  nextDue(gate: Gate): number | null {
    const lanes = gate.isActive ? this.#lanes.nextDue() : null;
    const due = this.#replays.length > 0 ? 0 : lanes;
    return due === null ? null : Math.max(due, gate.pausedUntil);
  }

  /** Whether everything that waits in a lane waits behind a retry. */
  isAllRetrying(): boolean {
    return this.#replays.length === 0 && this.#lanes.areAllRetrying();
  }

  isInFlight({ source, seq }: { source: string; seq: number }): boolean {
    return (this.#inFlight.get(`${source}/${seq}`) ?? 0) > 0;
  }

  #countInFlight({ source, seq }: LaneItem, change: 1 | -1): void {
    const key = `${source}/${seq}`;
    const count = (this.#inFlight.get(key) ?? 0) + change;
    if (count > 0) this.#inFlight.set(key, count);
    else this.#inFlight.delete(key);
  }
}

function itemOf(row: DeliveryRow, ordering: Ordering): LaneItem {
  return {
    lane: laneOf(ordering, row.source, row.seq),
    source: row.source,
    seq: row.seq,
    priority: row.priority,
    due: row.due ?? createdAt(row),
    position: row.position,
    isRetry: row.due !== null,
  };
}
