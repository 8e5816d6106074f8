import type { BreakerRules, BreakerState, Tally } from "./breaker-state.ts";

/** Results count for 60 s, by the six buckets of 10 s in which they came (facts/webhooks.md §6.6). */
export const WINDOW_MS = 60_000;
const BUCKET_MS = 10_000;

/** One result in twenty is 5 %: more slow ones than that put the 95th percentile (nearest rank) among them. */
const RESULTS_PER_SLOW = 20;

/** How one attempt ended. */
export interface BreakerResult {
  isSuccess: boolean;
  /** A 429: the receiver is well, and wants less. */
  isOverload: boolean;
  /** Whether it was sent as the probe of level 3. */
  isProbe: boolean;
  /** A replay or a test that somebody asked for. It may show health, never sickness. */
  isManual: boolean;
  durationMs: number;
}

/** A state that knows one more result; what is older than the window is dropped. */
export function withResult(
  state: BreakerState,
  result: BreakerResult,
  rules: BreakerRules,
  now: number,
): BreakerState {
  const start = bucketStart(now);
  const live = liveBuckets(state, now).map((bucket) =>
    result.isSuccess ? { ...bucket, in_row: 0 } : bucket,
  );
  const current = live.find((bucket) => bucket.start === start);
  const { in_row, ...tally } = current ?? { start, ok: 0, failed: 0, slow: 0, in_row: 0 };
  const newest = { ...tallied(tally, result, rules), in_row: result.isSuccess ? 0 : in_row + 1 };
  return {
    ...state,
    buckets: [...live.filter((bucket) => bucket !== current), newest],
    evidence: state.evidence === null ? null : tallied(state.evidence, result, rules),
  };
}

function tallied(tally: Tally, result: BreakerResult, rules: BreakerRules): Tally {
  return {
    start: tally.start,
    ok: tally.ok + (result.isSuccess ? 1 : 0),
    failed: tally.failed + (result.isSuccess ? 0 : 1),
    slow: tally.slow + (result.durationMs > rules.slow_ms ? 1 : 0),
  };
}

/** The buckets that still count: that of `now` and the five before it. */
export function liveBuckets(state: BreakerState, now: number): BreakerState["buckets"] {
  const current = bucketStart(now);
  return state.buckets.filter(({ start }) => start <= current && start > current - WINDOW_MS);
}

/** What the buckets hold together. `in_row` counts the failures after the last success. */
export function totals(buckets: BreakerState["buckets"]) {
  const sum = (name: "ok" | "failed" | "slow" | "in_row") =>
    buckets.reduce((total, bucket) => total + bucket[name], 0);
  const failed = sum("failed");
  return { results: sum("ok") + failed, failed, slow: sum("slow"), in_row: sum("in_row") };
}

function bucketStart(now: number): number {
  return now - (now % BUCKET_MS);
}

/** Whether the 95th percentile is above `slow_ms` when so many of the results were. */
export function isSlow(slow: number, results: number): boolean {
  return slow * RESULTS_PER_SLOW > results;
}

/** Nothing yet, from an instant on. */
export function blankTally(start: number): Tally {
  return { start, ok: 0, failed: 0, slow: 0 };
}
