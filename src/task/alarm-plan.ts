import { finishDueAt, runningClocks } from "./machine/clocks.ts";
import type { TaskState } from "./machine/state.ts";

/** News wait this long for company, so that a burst is one flush. Milliseconds. */
export const FLUSH_PAUSE_MS = 500;

/** End phases may begin this much later, so that the alarm of the last flush can serve. Milliseconds. */
const FINISH_PAUSE_MS = 200;

/** When an ended task first asks whether history has all of it. Milliseconds. */
export const ARCHIVE_CHECK_MS = 60_000;

/** A queued task repeats its announcement after this, then twice as late each time. Milliseconds. */
const FIRST_REMINDER_MS = 15_000;
const LONGEST_REMINDER_MS = 900_000;

/** What the object knows beside the task's state; all of it can be rebuilt after an eviction. */
export interface Errands {
  /** Events past the cursor: when they are to be flushed, or null when there are none. */
  flush_at: number | null;
  /** The pool does not know the task's latest wish: when to tell it again, or null. */
  pool_at: number | null;
  /** When to ask whether history is complete, or null. */
  archive_at: number | null;
}

/** When a queued task tells its pool again, for the n-th time from 0. Milliseconds from now. */
export function reminderDelayMs(reminders: number): number {
  return Math.min(FIRST_REMINDER_MS * 2 ** reminders, LONGEST_REMINDER_MS);
}

/**
 * The earliest of the many reasons to wake, as epoch milliseconds, or null when there is none: an object
 * has one alarm.
 */
export function nextWakeAt(state: TaskState, errands: Errands): number | null {
  const finish = finishDueAt(state);
  const reasons = [
    ...runningClocks(state).map(({ due }) => due),
    finish === null ? null : finish + FINISH_PAUSE_MS,
    errands.flush_at,
    errands.pool_at,
    errands.archive_at,
  ].filter((due) => due !== null);
  return reasons.length === 0 ? null : Math.min(...reasons);
}
