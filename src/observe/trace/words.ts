import type { Draft } from "./draft.ts";

/* How a trace reads what happened. */

/** Why a task waits without an attempt, in words. */
export const WAITS = {
  prerequisites: "Wait for what must be so before",
  retry: "Wait before the next attempt",
  executor: "Wait for an executor",
} as const;

/** How the end of an attempt is to be read. */
export const STATUS_OF_END: Readonly<Record<string, Draft["status"]>> = {
  completed: "ok",
  success: "ok",
  declined: "unset",
  escalated: "unset",
  cancelled: "unset",
};

/** How the outcome of an end phase is to be read. */
export const STATUS_OF_PHASE = {
  done: "ok",
  fallback: "unset",
  skipped: "unset",
  timed_out: "error",
} as const;
