import { sentLower, SLOT_CAPS } from "./breaker-state.ts";
import type { BreakerRules, BreakerState, Level } from "./breaker-state.ts";
import {
  blankTally,
  isSlow,
  liveBuckets,
  totals,
  WINDOW_MS,
  withResult,
} from "./breaker-window.ts";
import type { BreakerResult } from "./breaker-window.ts";

/** Good windows, or good probes, in a row that lead to the next better level (facts/webhooks.md §6.6). */
const CALM_WINDOWS = 2;
const CALM_PROBES = 3;

/** Waits for a probe double up to 15 minutes (facts/webhooks.md §6.6), or to 30 first waits when that is less. */
const LONGEST_PROBE_WAIT_S = 900;
const MOST_FIRST_WAITS = 30;

/** Probes come up to a fifth later than promised, so that endpoints that fail together aren't probed together. */
const JITTER = 0.2;

/** Successes in a row that win back one slot: as many as a window of the default rules needs. */
const SUCCESSES_PER_SLOT = 10;

/** 12 hours (facts/webhooks.md §6.6), which is a tenth of the five days that go with it. */
const LONGEST_SPREAD_MS = 43_200_000;

/** A change of level, and the numbers that caused it. */
export interface LevelChange {
  from: Level;
  to: Level;
  why: ResultCause | OrderCause;
  evidence: Readonly<Record<string, number>>;
}

type ResultCause =
  | "failures_in_a_row"
  | "failed_share"
  | "slow"
  | "calm"
  | "probes_succeeded"
  | "failing_for_days";

/** The receiver answered 410, or an operator decided. */
type OrderCause = "gone" | "operator";

/** A state, and how its level came about; null when the level is what it was. */
export interface BreakerStep {
  state: BreakerState;
  change: LevelChange | null;
}

/** When something happens, in epoch milliseconds, and a uniform draw in [0, 1) for the jitter. */
export interface Moment {
  now: number;
  random: number;
}

/** A level to enter, and why. */
type Verdict = Pick<LevelChange, "to" | "why" | "evidence">;

/**
 * What a result does to the state, by facts/webhooks.md §6.6.
 *
 * It gets worse, by any number of levels, on the share of failures in the last 60 s, on slow answers or on failures
 * in a row; better by one level at a time, on evidence that came after the level was entered. Failures in a row
 * count only inside those 60 s: a single delivery on the default schedule makes two in its first minute and one in
 * any later one, so alone it never opens the breaker. It must not: level 3 sends probes in place of retries, which
 * neither keep to the schedule nor use it up, and a delivery that is the only thing failing is owed its 75 hours
 * of retries and then an end.
 *
 * At level 3 only probes count, at level 4 nothing does. A 429 is never a failure: it halves the slots, and a probe
 * that meets one is repeated after the same wait.
 */
export function afterResult(
  state: BreakerState,
  result: BreakerResult,
  rules: BreakerRules,
  moment: Moment,
): BreakerStep {
  if (state.level === 4) return unchanged(state);
  if (!rules.enabled) return withoutRules(state, result, moment.now);
  if (state.level === 3 && !result.isProbe) return unchanged(state);
  if (result.isOverload) return unchanged(overloaded(state, result, rules, moment));
  if (result.isManual && !result.isSuccess) return unchanged(state);
  const known = { ...state, failing: failingAfter(state, result.isSuccess, moment.now) };
  if (hasFailedForDays(state, known, rules)) return givenUp(known, rules, moment);
  return known.level === 3
    ? afterProbe(known, result.isSuccess, rules, moment)
    : afterOrdinary(known, result, rules, moment);
}

/**
 * An operator wants it served again: levels 3 and 4 become level 3 with a probe due now, and what led there is
 * forgotten. Other levels stay as they are.
 */
export function resumed(state: BreakerState, now: number): BreakerStep {
  if (state.level < 3) return unchanged(state);
  const probing = { ...entered(state, 3, now), failing: null, probe: { at: now, waits: 0 } };
  if (state.level === 3) return unchanged(probing);
  return { state: probing, change: { from: state.level, to: 3, why: "operator", evidence: {} } };
}

/** Nothing more is sent until `resumed`: the receiver answered 410, or an operator decided so. */
export function disabled(state: BreakerState, now: number, why: OrderCause): BreakerStep {
  if (state.level === 4) return unchanged(state);
  const change: LevelChange = { from: state.level, to: 4, why, evidence: {} };
  return { state: entered(state, 4, now), change };
}

/**
 * Whether an endpoint without any state would be served the same, so that this one need not be stored (one that is
 * stored already has to be removed).
 */
export function isQuiet(state: BreakerState, now: number): boolean {
  return (
    state.level === 0 &&
    state.slots === SLOT_CAPS[0] &&
    state.failing === null &&
    liveBuckets(state, now).every(({ failed, slow }) => failed === 0 && slow === 0)
  );
}

function unchanged(state: BreakerState): BreakerStep {
  return { state, change: null };
}

/** Results decide nothing but the slots; a level that other rules left is left too. */
function withoutRules(state: BreakerState, result: BreakerResult, now: number): BreakerStep {
  const { level } = state;
  const base = level === 0 ? state : { ...entered(state, 0, now), failing: null };
  const isNeutral = result.isManual && !result.isSuccess;
  const next = isNeutral ? base : paced(base, result.isSuccess);
  return {
    state: result.isOverload ? halved(base) : next,
    change: level === 0 ? null : { from: level, to: 0, why: "operator", evidence: {} },
  };
}

function halved(state: BreakerState): BreakerState {
  return { ...state, slots: Math.max(1, Math.floor(state.slots / 2)), streak: 0 };
}

function overloaded(
  state: BreakerState,
  { isProbe }: BreakerResult,
  rules: BreakerRules,
  moment: Moment,
): BreakerState {
  const slower = halved(sentLower(state, moment.now));
  if (!isProbe || state.probe === null) return slower;
  return { ...slower, probe: probeAfter(Math.max(1, state.probe.waits), rules, moment) };
}

/** Additive increase, up to what the level grants, so that recovery is no stampede. */
function paced(state: BreakerState, isSuccess: boolean): BreakerState {
  const streak = isSuccess && state.slots < SLOT_CAPS[state.level] ? state.streak + 1 : 0;
  return streak < SUCCESSES_PER_SLOT
    ? { ...state, streak }
    : { ...state, slots: state.slots + 1, streak: 0 };
}

function failingAfter(
  { failing }: BreakerState,
  isSuccess: boolean,
  now: number,
): BreakerState["failing"] {
  return isSuccess ? null : { since: failing?.since ?? now, last: now };
}

/**
 * Whether a failure ends an endpoint that has only failed for long.
 *
 * An old failure and today's are not enough, however long ago the old one was: those before today's must lie
 * 12 hours apart, or a tenth of the whole time where that is shorter.
 */
function hasFailedForDays(before: BreakerState, after: BreakerState, rules: BreakerRules): boolean {
  if (before.failing === null || after.failing === null) return false;
  const { since, last } = before.failing;
  const longestMs = rules.disable_after_s * 1_000;
  const isSpread = last - since >= Math.min(LONGEST_SPREAD_MS, longestMs / 10);
  return isSpread && after.failing.last - since >= longestMs;
}

function givenUp(state: BreakerState, rules: BreakerRules, moment: Moment): BreakerStep {
  const failingMs = moment.now - (state.failing?.since ?? moment.now);
  const evidence = { failing_s: Math.floor(failingMs / 1_000) };
  return moved(state, { to: 4, why: "failing_for_days", evidence }, rules, moment);
}

function afterOrdinary(
  state: BreakerState,
  result: BreakerResult,
  rules: BreakerRules,
  moment: Moment,
): BreakerStep {
  const { now } = moment;
  const counted = withResult(sentLower(state, now), result, rules, now);
  const next = paced(counted, result.isSuccess);
  const worst = worstOf(next, rules);
  return worst !== null && worst.to > next.level
    ? moved(next, worst, rules, moment)
    : afterEvidence(next, rules, moment);
}

function afterProbe(
  state: BreakerState,
  isSuccess: boolean,
  rules: BreakerRules,
  moment: Moment,
): BreakerStep {
  const waits = state.probe?.waits ?? 0;
  if (!isSuccess) {
    return unchanged({ ...state, calm: 0, probe: probeAfter(waits + 1, rules, moment) });
  }
  const calm = state.calm + 1;
  if (calm < CALM_PROBES) return unchanged({ ...state, calm, probe: { at: moment.now, waits } });
  const verdict: Verdict = { to: 2, why: "probes_succeeded", evidence: { probes: calm } };
  return moved(state, verdict, rules, moment);
}

function probeAfter(waits: number, rules: BreakerRules, moment: Moment): BreakerState["probe"] {
  const longest_s = Math.min(LONGEST_PROBE_WAIT_S, MOST_FIRST_WAITS * rules.probe_s);
  const waitMs = Math.min(longest_s, rules.probe_s * 2 ** (waits - 1)) * 1_000;
  return { at: moment.now + waitMs + Math.ceil(waitMs * JITTER * moment.random), waits };
}

/** The worst level that the last 60 s give reason for; null when there is none. */
function worstOf({ buckets }: BreakerState, rules: BreakerRules): Verdict | null {
  const evidence = totals(buckets);
  if (evidence.in_row >= rules.open_after) return { to: 3, why: "failures_in_a_row", evidence };
  if (evidence.results < rules.min_results) return null;
  const share = evidence.failed / evidence.results;
  if (share >= rules.open_share) return { to: 3, why: "failed_share", evidence };
  if (share >= rules.restricted_share) return { to: 2, why: "failed_share", evidence };
  if (share >= rules.degraded_share) return { to: 1, why: "failed_share", evidence };
  return isSlow(evidence.slow, evidence.results) ? { to: 1, why: "slow", evidence } : null;
}

/**
 * Leads to the next better level when two windows in a row were good: `min_results` results, or what came in 60 s,
 * with less than half the share of failures that leads in (10 % and 25 % by default).
 */
function afterEvidence(state: BreakerState, rules: BreakerRules, moment: Moment): BreakerStep {
  const { evidence, level } = state;
  if (evidence === null) return unchanged(state);
  const { start, failed, slow } = evidence;
  const results = evidence.ok + failed;
  if (results < rules.min_results && moment.now - start < WINDOW_MS) return unchanged(state);
  const share = level === 2 ? rules.restricted_share : rules.degraded_share;
  const isCalm = failed / results < share / 2 && (level === 2 || !isSlow(slow, results));
  const calm = isCalm ? state.calm + 1 : 0;
  if (calm < CALM_WINDOWS) return unchanged({ ...state, calm, evidence: blankTally(moment.now) });
  const to = level === 2 ? 1 : 0;
  return moved(state, { to, why: "calm", evidence: { results, failed, slow } }, rules, moment);
}

function moved(
  state: BreakerState,
  verdict: Verdict,
  rules: BreakerRules,
  moment: Moment,
): BreakerStep {
  const next = entered(state, verdict.to, moment.now);
  return {
    state: verdict.to === 3 ? { ...next, probe: probeAfter(1, rules, moment) } : next,
    change: { from: state.level, ...verdict },
  };
}

/** A level begins without the results that led to it, so that they don't decide twice. */
function entered(state: BreakerState, level: Level, now: number): BreakerState {
  return {
    level,
    slots: Math.max(1, Math.min(state.slots, SLOT_CAPS[level])),
    streak: 0,
    buckets: [],
    evidence: level === 1 || level === 2 ? blankTally(now) : null,
    calm: 0,
    probe: null,
    last_sent_at: level === 2 ? now : null,
    failing: state.failing,
  };
}
