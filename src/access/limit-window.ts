import { operationClassSchema, WINDOW_S } from "../protocol/limits.ts";
import type { OperationClass, PerClass } from "../protocol/limits.ts";
import { NONE, roomFor, type Quota } from "./limit-policy.ts";

/* How permits of one principal are counted: in windows that begin with its first request. */

/** Milliseconds of a window. */
export const WINDOW_MS = WINDOW_S * 1_000;

/** Of each limit, the part whose use may be forgotten when an object loses its memory: it is not worth a row. */
const UNRECORDED = 1 / 8;

/** Of what is left, the part that one isolate gets at a time: others may want some too. */
const SHARE = 1 / 4;

/** A window of one principal. Instants are epoch milliseconds. */
export interface Window {
  started_at: number;
  /** Permits that are out. */
  used: PerClass;
  /** What `used` was when it was last stored. */
  recorded: PerClass;
  /** What had been stored when the memory was lost. */
  inherited: PerClass;
  /** What isolates say they had been given before the memory was lost. */
  reported: PerClass;
  refused: number;
}

export function openWindow(now: number): Window {
  return {
    started_at: now,
    used: NONE,
    recorded: NONE,
    inherited: NONE,
    reported: NONE,
    refused: 0,
  };
}

/** A window as it was stored, after the memory was lost. */
export function resumeWindow(started_at: number, used: PerClass): Window {
  return { started_at, used, recorded: used, inherited: used, reported: NONE, refused: 0 };
}

export function isOver(window: Pick<Window, "started_at">, now: number): boolean {
  return now >= window.started_at + WINDOW_MS;
}

/** What an isolate asks for. */
export interface LeaseOrder {
  operation: OperationClass;
  /** Requests that wait for a permit: real demand, which is never rationed. */
  needed: number;
  /** Permits that would be welcome. */
  want: number;
  /** Permits of its lease that it did not use; below zero: requests that it let through without one. */
  back: number;
  /** The window that its lease was of; null when it has had none. */
  window: number | null;
  /** The life of the object that gave the lease; null when it has had none. */
  life: string | null;
  /** Permits of the class that it has got in that window, `back` included. */
  had: number;
}

/**
 * Gives permits, as many as there is room for: what is needed, and of what is wanted beyond that a share.
 *
 * `remaining` is the room that is left after that.
 */
export function grant(
  window: Window,
  order: Pick<LeaseOrder, "operation" | "needed" | "want" | "back" | "window">,
  quota: Quota,
): { window: Window; permits: number; remaining: number } {
  const { operation, needed, want } = order;
  // Permits of another window are worth nothing; what went through without one is owed in any.
  const back = order.window === window.started_at ? order.back : Math.min(0, order.back);
  const before = { ...window.used, [operation]: Math.max(0, window.used[operation] - back) };
  const room = roomFor(operation, before, quota);
  const permits = Math.min(room, Math.max(needed, Math.min(want, Math.ceil(room * SHARE))));
  const used = { ...before, [operation]: before[operation] + permits };
  return { window: { ...window, used }, permits, remaining: room - permits };
}

/**
 * Counts what an isolate had been given by a former life of the object, as far as that was not stored. Of the two
 * accounts of that life, what was stored and what isolates say, the greater counts.
 */
export function remember(window: Window, operation: OperationClass, had: number): Window {
  const stored = window.inherited[operation];
  const before = window.reported[operation];
  const more = Math.max(stored, before + had) - Math.max(stored, before);
  return {
    ...window,
    used: { ...window.used, [operation]: window.used[operation] + more },
    reported: { ...window.reported, [operation]: before + had },
  };
}

/** Whether so much was given since it was stored last that forgetting it would matter. */
export function isWorthARow(window: Window, quota: Quota): boolean {
  return operationClassSchema.options.some(
    (operation) =>
      window.used[operation] - window.recorded[operation] >
      Math.floor(quota[operation] * UNRECORDED),
  );
}
