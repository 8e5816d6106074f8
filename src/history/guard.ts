import * as z from "zod";

import { CircuitBreaker, type BreakerLimits } from "../lib/circuit-breaker.ts";
import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import { refuse, type Result } from "../lib/result.ts";
import type { Refusal } from "../protocol/refusal.ts";

/**
 * When reads of D1 stop for a while.
 *
 * A read that finds its index takes milliseconds; five seconds are an outage (D1 itself gives up after 30, facts/platform.md §4).
 */
const D1_LIMITS: BreakerLimits = {
  failures: 5,
  slow_ms: 5_000,
  pause_ms: 5_000,
  longest_pause_ms: 60_000,
};

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "not an error";
}

/** Reads of the read model: at once an honest answer when it is down, and no call that would fail. */
export interface Guard {
  /** What a read answers. Refused with unavailable and `retry_after` (seconds) while D1 is down. */
  read<Value>(query: () => Promise<Result<Value, Refusal>>): Promise<Result<Value, Refusal>>;
  /** What a read gives. @throws while D1 is down an error with `retryable` and `retry_after`: a face answers as above */
  get<Value>(query: () => Promise<Value>): Promise<Value>;
}

/** A guard for one database in one isolate. A row that can't be parsed is no outage, and passes through as an error. */
export function createGuard(now: Clock, log: Log, limits: BreakerLimits = D1_LIMITS): Guard {
  const breaker = new CircuitBreaker(limits, now, (error) => !(error instanceof z.ZodError));
  const run = async <Value>(query: () => Promise<Value>) => {
    const wasOpen = breaker.isOpen;
    const done = await breaker.run(query);
    if (breaker.isOpen !== wasOpen) {
      log("warning", breaker.isOpen ? "read_model_down" : "read_model_back");
    }
    if (!done.ok && done.refusal.cause !== null) {
      log("error", "read_model_failed", { error: textOf(done.refusal.cause) });
    }
    return done;
  };
  const secondsOf = (ms: number) => Math.max(1, Math.ceil(ms / 1_000));
  return {
    async read(query) {
      const done = await run(query);
      if (done.ok) return done.value;
      const retry_after = secondsOf(done.refusal.retry_after_ms);
      const detail = `History cannot be read at the moment; tasks themselves go on. Try again in ${retry_after} s.`;
      return refuse({ code: "unavailable", detail, extra: { retry_after } });
    },
    async get(query) {
      const done = await run(query);
      if (done.ok) return done.value;
      const { cause, retry_after_ms } = done.refusal;
      throw Object.assign(new Error("D1 cannot be read at the moment", { cause }), {
        retryable: true,
        retry_after: secondsOf(retry_after_ms),
      });
    },
  };
}
