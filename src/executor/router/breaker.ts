import {
  admit,
  CLOSED,
  settle,
  type BreakerLimits,
  type BreakerState,
} from "../../lib/circuit-breaker.ts";

/* When a model that does not answer is left alone. Pure. */

/**
 * Three failures in a row open it: the first two may be a busy minute. A provider's outage lasts minutes, so the first
 * pause is half of one and the longest ten. A probe is a task's own question, which may take two minutes.
 */
const LIMITS: BreakerLimits = {
  failures: 3,
  slow_ms: 120_000,
  pause_ms: 30_000,
  longest_pause_ms: 600_000,
};

/** Milliseconds after which an earlier failure is no longer "in a row" with a new one. */
const WINDOW_MS = 600_000;

/** A breaker as it is stored; `version` counts its changes. */
export interface ModelBreaker extends BreakerState {
  failed_at: number;
  version: number;
}

/** Whether a question may go to a model: `probe` where one is due after a pause. */
export function breakerStateOf(state: BreakerState, now: number): "closed" | "open" | "probe" {
  const { kind } = admit(state, now, LIMITS);
  return kind === "call" ? "closed" : kind === "refuse" ? "open" : "probe";
}

/** The breaker once its probe has gone out: no other goes out until that is settled, or is never heard of again. */
export function afterProbe(before: ModelBreaker, now: number): ModelBreaker {
  const admitted = admit(before, now, LIMITS);
  return {
    ...before,
    ...(admitted.kind === "refuse" ? {} : admitted.state),
    version: before.version + 1,
  };
}

/** The breaker after a failure to answer. */
export function afterFault(
  before: ModelBreaker | null,
  { isProbe, now }: { isProbe: boolean; now: number },
): ModelBreaker {
  const isForgotten =
    before === null || (before.pause_ms === null && now - before.failed_at > WINDOW_MS);
  const state = isForgotten ? CLOSED : before;
  const next = settle(state, { kind: isProbe ? "probe" : "call", hasFailed: true }, now, LIMITS);
  const { failures, pause_ms, probe_at } = next;
  return { failures, pause_ms, probe_at, failed_at: now, version: (before?.version ?? 0) + 1 };
}
