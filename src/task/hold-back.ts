import type { Notification } from "../protocol/notification.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Holder, TaskState } from "./machine/state.ts";
import { readHeld, removeHeld, writeHeld } from "./task-store.ts";

/** How many early notifications are held, and how long (protocol.md §4, Executor's `sequence`). */
const MOST_HELD = 100;
const LONGEST_HOLD_MS = 60_000;

/** The notifications of one task that came before their turn. */
export class HeldBack {
  readonly #storage: DurableObjectStorage;
  /** Known to be so: most executors keep the order, and nothing is to be looked for then. */
  #isEmpty = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /**
   * Keeps a notification that came before its turn, for its attempt only.
   *
   * Refused with sequence_gap when too many wait, or when the gap has been open too long: then all of
   * them are given up, and the executor sends them again from the expected one on.
   */
  hold(state: TaskState, notification: Notification, now: number): Refusal | null {
    this.#isEmpty = false;
    return holdBack(this.#storage, state, notification, now);
  }

  /** Takes the held notification whose turn it is, or null; those of an attempt that is over are forgotten. */
  take(holder: Holder | null): Notification | null {
    const { sql } = this.#storage;
    while (!this.#isEmpty) {
      const [held] = readHeld(sql, 1);
      this.#isEmpty = held === undefined;
      if (held === undefined) return null;
      const isOwn = held.attempt === holder?.attempt;
      if (isOwn && held.sequence > holder.next_sequence) return null;
      removeHeld(sql, held.sequence);
      if (isOwn) return held.notification;
    }
    return null;
  }
}

function holdBack(
  storage: DurableObjectStorage,
  state: TaskState,
  notification: Notification,
  now: number,
): Refusal | null {
  const all = readHeld(storage.sql, 2 * MOST_HELD);
  const own = all.filter((held) => held.attempt === state.attempt);
  const isTooLate = own.some((held) => now - held.held_at > LONGEST_HOLD_MS);
  const dropped = isTooLate ? all : all.filter((held) => held.attempt !== state.attempt);
  storage.transactionSync(() => {
    for (const held of dropped) removeHeld(storage.sql, held.sequence);
  });
  const sequence = notification.sequence ?? 0;
  const isNew = own.every((held) => held.sequence !== sequence);
  if (isTooLate || (isNew && own.length >= MOST_HELD)) {
    const expected_sequence = state.holder?.next_sequence ?? 1;
    return {
      code: "sequence_gap",
      detail: `sequence ${sequence} is too early: send ${expected_sequence} and what follows it again`,
      extra: { expected_sequence },
    };
  }
  // Sent again, it keeps its place and its age: the gap is as old as before.
  if (isNew) {
    writeHeld(storage.sql, { sequence, attempt: state.attempt, held_at: now, notification });
  }
  return null;
}
