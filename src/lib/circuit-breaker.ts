import type { Clock } from "./ports.ts";
import { ok, refuse, type Result } from "./result.ts";
import { TIMED_OUT, withinLimit } from "./within-limit.ts";

/** When to stop calling something that fails, and for how long. Milliseconds. */
export interface BreakerLimits {
  /** Failures in a row that open it. */
  failures: number;
  /** A call that takes longer has failed. */
  slow_ms: number;
  /** The first pause; it doubles with each probe that fails, up to the longest one. */
  pause_ms: number;
  longest_pause_ms: number;
}

/** What a breaker remembers. Instants are epoch milliseconds. */
export interface BreakerState {
  failures: number;
  /** The pause in force, or null while it is closed. */
  pause_ms: number | null;
  /** When the next probe may go out; meaningless while it is closed. */
  probe_at: number;
}

/** A breaker that has seen nothing yet. */
export const CLOSED: BreakerState = { failures: 0, pause_ms: null, probe_at: 0 };

/**
 * Whether a call may go out, and the state that follows.
 *
 * While it is open, one probe may go out after each pause. A probe that is never heard of again, because its caller
 * was cut off, blocks the next one no longer than a slow call takes.
 */
export function admit(
  state: BreakerState,
  now: number,
  limits: BreakerLimits,
): { kind: "call" | "probe"; state: BreakerState } | { kind: "refuse"; retry_after_ms: number } {
  if (state.pause_ms === null) return { kind: "call", state };
  if (now < state.probe_at) return { kind: "refuse", retry_after_ms: state.probe_at - now };
  return { kind: "probe", state: { ...state, probe_at: now + limits.slow_ms } };
}

/** The state after a call has come back. Calls that went out before it opened change an open breaker no more. */
export function settle(
  state: BreakerState,
  outcome: { kind: "call" | "probe"; hasFailed: boolean },
  now: number,
  limits: BreakerLimits,
): BreakerState {
  if (state.pause_ms !== null && outcome.kind === "call") return state;
  if (!outcome.hasFailed) return CLOSED;
  const failures = state.failures + 1;
  if (state.pause_ms === null && failures < limits.failures) return { ...state, failures };
  const pause_ms =
    state.pause_ms === null
      ? limits.pause_ms
      : Math.min(2 * state.pause_ms, limits.longest_pause_ms);
  return { failures, pause_ms, probe_at: now + pause_ms };
}

/** Why there is no value: what failed, or null when the call was not made; and when to try again. */
interface Interruption {
  cause: unknown;
  retry_after_ms: number;
}

/** Calls something that may be down, and spares it and its callers the calls that would fail. */
export class CircuitBreaker {
  readonly #limits: BreakerLimits;
  readonly #now: Clock;
  readonly #isFailure: (error: unknown) => boolean;
  #state = CLOSED;

  /** @param isFailure whether an error is of what is called; another one passes through and counts as an answer */
  constructor(limits: BreakerLimits, now: Clock, isFailure: (error: unknown) => boolean) {
    this.#limits = limits;
    this.#now = now;
    this.#isFailure = isFailure;
  }

  /** Whether calls are refused or probed at present. */
  get isOpen(): boolean {
    return this.#state.pause_ms !== null;
  }

  /** The value of a call; refused at once while it is open, and when the call fails or is slow. */
  async run<Value>(call: () => Promise<Value>): Promise<Result<Value, Interruption>> {
    const admitted = admit(this.#state, this.#now(), this.#limits);
    if (admitted.kind === "refuse") {
      return refuse({ cause: null, retry_after_ms: admitted.retry_after_ms });
    }
    this.#state = admitted.state;
    try {
      const value = await withinLimit(this.#limits.slow_ms, call);
      if (value !== TIMED_OUT) {
        this.#settle(admitted.kind, false);
        return ok(value);
      }
      return this.#failed(admitted.kind, new Error(`no answer in ${this.#limits.slow_ms} ms`));
    } catch (error) {
      if (this.#isFailure(error)) return this.#failed(admitted.kind, error);
      this.#settle(admitted.kind, false);
      throw error;
    }
  }

  #failed(kind: "call" | "probe", cause: unknown): { ok: false; refusal: Interruption } {
    this.#settle(kind, true);
    const { pause_ms, probe_at } = this.#state;
    const retry_after_ms = pause_ms === null ? this.#limits.pause_ms : probe_at - this.#now();
    return refuse({ cause, retry_after_ms: Math.max(0, retry_after_ms) });
  }

  #settle(kind: "call" | "probe", hasFailed: boolean): void {
    this.#state = settle(this.#state, { kind, hasFailed }, this.#now(), this.#limits);
  }
}
