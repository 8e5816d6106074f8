import type { FactorReason } from "../protocol/limits.ts";

/* What the limits of a tenant are multiplied by while it is in trouble, and those of a key that does not listen. */

/** Milliseconds between two looks at how a tenant is doing. */
export const STEP_MS = 15_000;

/** A factor stays between these: never so low that nothing goes, never above what is set. */
const LEAST = 0.25;
const MOST = 1;

/** Down by half and up by an eighth: quickly out of trouble, slowly back into it. */
const FALL = 0.5;
const RISE = 0.125;

/** So many answers say something, and of them so many may be faults (5xx). */
const ENOUGH_ANSWERS = 20;
const FAULT_SHARE = 0.05;

/** So many tasks wait, and the oldest so long: executors do not keep up with what is ordered. */
const MANY_WAITING = 1_000;
const LONG_WAIT_MS = 300_000;

/** What is known of tasks that wait is no news after two steps. */
const BACKLOG_VALID_MS = 2 * STEP_MS;

/** A key that was refused so often in a window, and more often than served, does not heed its refusals. */
const MANY_REFUSALS = 60;

/** Tasks that wait for an executor. */
export interface Backlog {
  waiting: number;
  /** How long the oldest has waited, milliseconds. */
  oldest_ms: number;
  /** Epoch milliseconds. */
  read_at: number;
}

/** How a tenant has done in the step that runs, and what follows from those before. */
export interface Factor {
  value: number;
  reason: FactorReason;
  evidence: string | null;
  step_started_at: number;
  answers: number;
  faults: number;
  /** Whether it fell in this step: it falls once a step at most. */
  hasFallen: boolean;
}

/** The factor of a tenant of which nothing bad is known. */
export function steady(now: number): Factor {
  return {
    value: MOST,
    reason: "none",
    evidence: null,
    step_started_at: now,
    answers: 0,
    faults: 0,
    hasFallen: false,
  };
}

function fall(factor: Factor, reason: FactorReason, evidence: string): Factor {
  const value = Math.max(LEAST, factor.value * FALL);
  return { ...factor, value, reason, evidence, hasFallen: true };
}

function rise(factor: Factor, steps: number): Factor {
  const value = Math.min(MOST, factor.value + RISE * steps);
  if (value === factor.value) return factor;
  return value === MOST
    ? { ...factor, value, reason: "none", evidence: null }
    : { ...factor, value, reason: "recovery", evidence: `${steps} steps without trouble` };
}

/** Ends the steps that are over. One with more faults than may be, though too few to tell, raises nothing. */
function turn(factor: Factor, now: number, isPressed: boolean): Factor {
  const steps = Math.floor((now - factor.step_started_at) / STEP_MS);
  if (steps < 1) return factor;
  const isClean = !factor.hasFallen && !isPressed && factor.faults <= FAULT_SHARE * factor.answers;
  const clean = isPressed ? 0 : steps - (isClean ? 0 : 1);
  return {
    ...rise(factor, clean),
    step_started_at: factor.step_started_at + steps * STEP_MS,
    answers: 0,
    faults: 0,
    hasFallen: false,
  };
}

/**
 * The factor after more was seen of a tenant: it falls by half, once a step of 15 s, as soon as more than 5 % of 20
 * answers or more are faults or 1,000 tasks wait and one of them for 5 minutes; it rises by an eighth in each step
 * without such; it stays in [0.25, 1].
 *
 * @param now epoch milliseconds
 */
export function adjust(
  factor: Factor,
  seen: { answers: number; faults: number; backlog: Backlog | null },
  now: number,
): Factor {
  const { backlog } = seen;
  const pressing =
    backlog !== null &&
    now < backlog.read_at + BACKLOG_VALID_MS &&
    backlog.waiting >= MANY_WAITING &&
    backlog.oldest_ms >= LONG_WAIT_MS
      ? backlog
      : null;
  const turned = turn(factor, now, pressing !== null);
  const answers = turned.answers + seen.answers;
  const faults = turned.faults + seen.faults;
  const counted = { ...turned, answers, faults };
  if (counted.hasFallen) return counted;
  if (answers >= ENOUGH_ANSWERS && faults > FAULT_SHARE * answers) {
    return fall(counted, "errors", `${faults} of ${answers} answers were 5xx`);
  }
  if (pressing === null) return counted;
  const { waiting, oldest_ms } = pressing;
  const waits = `${waiting} tasks wait, the oldest for ${Math.round(oldest_ms / 1_000)} s`;
  return fall(counted, "backlog", waits);
}

/**
 * The factor of one key in its next window: half when it went on asking though it was refused, up again by a half for
 * each window in which it did not.
 *
 * @param windows how many windows ago the last one began, 1 when this one follows it
 */
export function keyFactor(
  value: number,
  last: { taken: number; refused: number },
  windows: number,
): number {
  const isDeaf = last.refused >= MANY_REFUSALS && last.refused > last.taken;
  const fallen = isDeaf ? Math.max(LEAST, value * FALL) : value;
  const clean = windows - (isDeaf ? 1 : 0);
  return Math.min(MOST, fallen + FALL * clean);
}
