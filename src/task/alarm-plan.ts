import { runningClocks } from "./machine/clocks.ts";
import type { TaskState } from "./machine/state.ts";

/** News wait this long for company, so that a burst is one flush. Milliseconds. */
export const FLUSH_PAUSE_MS = 500;

/** News whose flush was cut off by a crash leave after this at the latest. Milliseconds. */
export const FLUSH_WATCHDOG_MS = 60_000;

/** When a task that has ended, or is quiet, first asks whether history has all of it. Milliseconds. */
export const ARCHIVE_CHECK_MS = 60_000;
const LONGEST_ARCHIVE_PAUSE_MS = 3_840_000;
const HOUR_MS = 3_600_000;

/** A queued task repeats its announcement after this, then each time when it has waited twice as long. Milliseconds. */
const FIRST_REMINDER_MS = 15_000;
const LONGEST_REMINDER_MS = 900_000;

/** Pauses before what failed is repeated: from a second, for a hiccup, to a minute, for an outage. Milliseconds. */
const FIRST_REPEAT_MS = 1_000;
const LONGEST_REPEAT_MS = 60_000;

/** What the object knows beside the task's state; all of it can be rebuilt after an eviction. */
export interface Errands {
  /** Events past the cursor: when they are to be flushed, or null when there are none. */
  flush_at: number | null;
  /** The pool does not know the task's latest wish: when to tell it again, or null. */
  pool_at: number | null;
  /** When to ask whether history is complete, or null. */
  archive_at: number | null;
  /** When its kin are to be asked or told something, or null. */
  kin_at: number | null;
  /** When its end phases begin or go on, or null. */
  finish_at: number | null;
}

/*
 * The pauses below grow with the time that a task itself knows it has waited, not with a count of its tries:
 * an object that is idle for seconds forgets every count.
 */

/** How long a task that has been queued for `waited_ms` waits before it tells its pool again. Milliseconds. */
export function reminderDelayMs(waited_ms: number): number {
  return Math.min(Math.max(FIRST_REMINDER_MS, waited_ms), LONGEST_REMINDER_MS);
}

/** How long a task from which nothing has come for `silent_ms` waits before it asks history again. Milliseconds. */
export function archiveDelayMs(silent_ms: number): number {
  return Math.min(Math.max(ARCHIVE_CHECK_MS, silent_ms), LONGEST_ARCHIVE_PAUSE_MS);
}

/**
 * Whether what history lacks of a task from which nothing has come for `silent_ms` is told anew as a whole. Until then it
 * may be under way behind others.
 */
export function isOverdue(silent_ms: number): boolean {
  return silent_ms >= HOUR_MS;
}

/**
 * When a task that ended `ended_ms` ago asks history again, counted from its end. Milliseconds. From an hour on at whole
 * hours, which are the mark of an alarm that does nothing else.
 */
export function nextArchiveCheckMs(ended_ms: number): number {
  const next = ended_ms + archiveDelayMs(ended_ms);
  return next < HOUR_MS ? next : Math.ceil(next / HOUR_MS) * HOUR_MS;
}

/**
 * Whether an alarm of `set_ms` after the end is one that only asks history. The retention's is: days are whole hours,
 * whatever number of them was configured when it was set.
 */
export function isArchiveAlarm(set_ms: number): boolean {
  return set_ms >= HOUR_MS && set_ms % HOUR_MS === 0;
}

/** The pause after the n-th failure in a row, from 1. It repeats fast enough to stay in memory, so a count serves. */
export function repeatDelayMs(failures: number): number {
  return Math.min(FIRST_REPEAT_MS * 2 ** (failures - 1), LONGEST_REPEAT_MS);
}

/**
 * The earliest of the many reasons to wake, as epoch milliseconds, or null when there is none: an object
 * has one alarm.
 */
export function nextWakeAt(state: TaskState, errands: Errands): number | null {
  const reasons = [
    ...runningClocks(state).map(({ due }) => due),
    errands.flush_at,
    errands.pool_at,
    errands.archive_at,
    errands.kin_at,
    errands.finish_at,
  ].filter((due) => due !== null);
  return reasons.length === 0 ? null : Math.min(...reasons);
}
