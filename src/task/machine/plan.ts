import { instant } from "../../lib/ports.ts";
import type { Holder, Plan, TaskState } from "./state.ts";

/** stall_timeout of a task that names none (protocol.md §3): the only value that an estimate may widen. Seconds. */
const DEFAULT_STALL_S = 300;

/** Seconds without progress after which an attempt is given up, as far as its estimate does not widen them. */
export function stallTimeoutOf({ task }: Pick<TaskState, "task">): number {
  return task.stall_timeout ?? DEFAULT_STALL_S;
}

function isStallChosen({ task, origin }: Pick<TaskState, "task" | "origin">): boolean {
  if (task.stall_timeout === undefined) return false;
  return origin.is_stall_exact === true || task.stall_timeout !== DEFAULT_STALL_S;
}

/** So many times its estimate an attempt may take before somebody asks. */
const OVERRUN_FACTOR = 1.5;

/** So many intervals without progress are a silence. */
const SILENT_INTERVALS = 3;

/** The longest rest that is believed: the contract's bound, kept for logs from before it. Seconds. */
const LONGEST_REST_S = 31_536_000;

/** The last instant that has a text. Epoch milliseconds. */
const LAST_INSTANT = 8_640_000_000_000_000;

/**
 * What the estimate of task_started means for the attempt.
 *
 * A stall_timeout that somebody chose holds as it is. The default one grows to half the estimate, at most to
 * the timeout, so that a long task that reports seldom is not taken for a stalled one.
 *
 * @param started_at epoch milliseconds
 */
export function planOf(
  state: Pick<TaskState, "task" | "origin">,
  estimate_s: number,
  started_at: number,
): Plan {
  const { timeout } = state.task;
  const wider = Math.max(DEFAULT_STALL_S, Math.min(Math.floor(estimate_s / 2), timeout));
  return {
    estimate_s,
    expected_end_at: started_at + estimate_s * 1_000,
    stall_window_s: isStallChosen(state) ? stallTimeoutOf(state) : wider,
  };
}

/** Whether a progress says of the attempt what is known already: a sign of life, but no step forward. */
export function repeatsProgress(
  { progress: known }: TaskState,
  said: {
    progress_percentage: number;
    current_step: string;
    steps_completed?: number | undefined;
  },
): boolean {
  return (
    known !== null &&
    known.percentage === said.progress_percentage &&
    known.step === said.current_step &&
    known.steps_completed === said.steps_completed
  );
}

/** The plan after a progress that says how long the rest takes, in seconds; the estimate of the start stays. */
export function replanned(
  plan: Plan | null,
  remaining_s: number | undefined,
  at: number,
): Plan | null {
  return plan === null || remaining_s === undefined
    ? plan
    : { ...plan, expected_end_at: Math.round(at + Math.min(remaining_s, LONGEST_REST_S) * 1_000) };
}

/** When an attempt without further progress is given up, epoch milliseconds; null while it rests or has not started. */
export function stallAt(holder: Holder): number | null {
  const { plan, paused_at, progressed_at } = holder;
  return plan === null || paused_at !== null ? null : progressed_at + plan.stall_window_s * 1_000;
}

/**
 * When an attempt without further progress is asked for news, epoch milliseconds: after three progress
 * intervals, or half the stall window when no interval was asked for. Null like `stallAt`.
 */
export function silentAt(state: TaskState, holder: Holder): number | null {
  const stall = stallAt(holder);
  if (stall === null || holder.plan === null) return null;
  const { progress_interval } = state.task;
  const seconds =
    progress_interval === undefined
      ? holder.plan.stall_window_s / 2
      : SILENT_INTERVALS * progress_interval;
  return holder.progressed_at + seconds * 1_000;
}

/** From when on an attempt takes longer than its estimate allows for, epoch milliseconds; null before it starts. */
export function overrunAt(holder: Holder): number | null {
  const { plan, started_at } = holder;
  return plan === null || started_at === null
    ? null
    : started_at + plan.estimate_s * OVERRUN_FACTOR * 1_000;
}

/** The plan of the running attempt in words; null when there is none. */
export function planText(state: TaskState): string | null {
  const { holder } = state;
  if (holder === null || holder.plan === null) return null;
  const { estimate_s, expected_end_at } = holder.plan;
  const stall = stallAt(holder);
  const asked = silentAt(state, holder);
  const silence =
    stall === null || asked === null
      ? `it rests since ${instant(holder.paused_at ?? holder.progressed_at)}`
      : `without progress it is asked for news at ${instant(asked)} and given up at ${instant(stall)}`;
  return `estimated end ${instant(Math.min(expected_end_at, LAST_INSTANT))} (estimate ${estimate_s} s); ${silence}`;
}
