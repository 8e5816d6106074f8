import type { Priority } from "../../protocol/enums.ts";
import { misfit } from "../choice/fit.ts";
import { inOrder } from "./pool.ts";
import type { Entry, PoolAgent, PoolItem } from "./pool.ts";

/** Tasks that want the same of an executor, in order; whether an executor fits is judged once for all. */
interface Wish {
  key: string;
  entries: Entry[];
  fits: WeakMap<PoolAgent, boolean>;
}

/**
 * The tasks of a pool that nobody has, in the order in which they are handed out.
 *
 * Ten thousand may wait, most of them for others than the executor that asks. So they are kept by what they
 * want, and a pick looks at the heads of what the executor can have: its cost grows with the number of
 * different wishes, not of tasks. A second order by priority answers where a task stands and since when.
 */
export class ReadyLine {
  readonly #byPriority: Record<Priority, Entry[]> = { critical: [], high: [], normal: [], low: [] };
  readonly #wishes = new Map<string, Wish>();
  readonly #returned = new Map<string, Entry>();

  /** How many tasks wait. */
  get size(): number {
    return Object.values(this.#byPriority).reduce((sum, { length }) => sum + length, 0);
  }

  /** How many tasks wait, by priority. */
  get counts(): Record<Priority, number> {
    const { critical, high, normal, low } = this.#byPriority;
    return {
      critical: critical.length,
      high: high.length,
      normal: normal.length,
      low: low.length,
    };
  }

  /** Since when the longest wait lasts, epoch ms; null when nothing waits. */
  get oldestReadyAt(): number | null {
    const heads = Object.values(this.#byPriority).flatMap(([head]) => head?.item.ready_at ?? []);
    return heads.length === 0 ? null : Math.min(...heads);
  }

  /** The tasks that somebody gave back, in no order. */
  get returned(): Iterable<Entry> {
    return this.#returned.values();
  }

  /** Puts a task in its place. */
  add(entry: Entry): void {
    const { item } = entry;
    if (item.declined_by.length > 0) this.#returned.set(item.task_id, entry);
    insert(this.#byPriority[item.priority], entry);
    const key = wishKey(item);
    const wish = this.#wishes.get(key) ?? { key, entries: [], fits: new WeakMap() };
    insert(wish.entries, entry);
    this.#wishes.set(key, wish);
  }

  /** Takes a task out, if it is there. */
  remove({ item }: Entry): void {
    take(this.#byPriority[item.priority], item);
    this.#returned.delete(item.task_id);
    const wish = this.#wishes.get(wishKey(item));
    if (wish === undefined) return;
    take(wish.entries, item);
    if (wish.entries.length === 0) this.#wishes.delete(wish.key);
  }

  /** Place of a task from 1; null when it is not in the line. */
  position(item: PoolItem): number | null {
    const own = this.#byPriority[item.priority];
    if (own[indexIn(own, item)]?.item.task_id !== item.task_id) return null;
    return Object.values(this.#byPriority).reduce((sum, list) => sum + indexIn(list, item), 1);
  }

  /** The tasks that an executor fits, in order. Not to be changed while it is read. */
  *fitting(agent: PoolAgent): Generator<Entry> {
    const cursors = [...this.#wishes.values()]
      .filter((wish) => isFor(wish, agent))
      .map(({ entries }) => ({ entries, next: 0 }));
    for (;;) {
      let first: { entry: Entry; cursor: { next: number } } | null = null;
      for (const cursor of cursors) {
        const entry = cursor.entries[cursor.next];
        if (entry === undefined) continue;
        if (first === null || inOrder(entry.item, first.entry.item) < 0) first = { entry, cursor };
      }
      if (first === null) return;
      first.cursor.next += 1;
      yield first.entry;
    }
  }
}

function isFor(wish: Wish, agent: PoolAgent): boolean {
  const known = wish.fits.get(agent);
  if (known !== undefined) return known;
  const [head] = wish.entries;
  const fits = head !== undefined && misfit(agent, head.item) === null;
  wish.fits.set(agent, fits);
  return fits;
}

function wishKey({ task_type, requires }: PoolItem): string {
  return requires === null ? task_type : `${task_type} ${JSON.stringify(requires)}`;
}

/** Most come to the end and leave at the head, where nothing has to be moved. */
function insert(list: Entry[], entry: Entry): void {
  const index = indexIn(list, entry.item);
  if (index === list.length) list.push(entry);
  else list.splice(index, 0, entry);
}

function take(list: Entry[], item: PoolItem): void {
  const index = indexIn(list, item);
  if (list[index]?.item.task_id !== item.task_id) return;
  if (index === 0) list.shift();
  else list.splice(index, 1);
}

/** Where a task is in a list, or would be: found by halving. */
function indexIn(list: readonly Entry[], item: PoolItem): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = list[middle];
    if (other !== undefined && inOrder(other.item, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
