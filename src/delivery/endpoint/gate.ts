import type { LanePolicy } from "../../protocol/webhook-options.ts";

/** What keeps an endpoint from sending. Instants are epoch milliseconds. */
export interface Gate {
  /** Lanes go only while the endpoint is active; replays always. */
  isActive: boolean;
  /** Nothing goes before. */
  pausedUntil: number;
  /** Nothing goes before, because of the rate limit. */
  rateAt: number;
  /** Requests that may be in flight at once. */
  slots: number;
  /** Lanes with a lower priority wait until `trickleAt`. */
  leastPriority: number;
  trickleAt: number;
  /** While the breaker is open: when a single delivery may try; null otherwise. */
  probeAt: number | null;
  /** The receiver's smoothed time to answer, in milliseconds. */
  latencyMs: number;
}

/** When something may be sent next; `isRetry` when what it waits for is the end of a retry's wait or of a pause. */
export interface NextTurn {
  at: number;
  isRetry: boolean;
  /** The priority of what goes then, 0-3. */
  rank: number;
}

/** The lowest priority that may go now. */
export function leastAt(now: number, { trickleAt, leastPriority }: Gate): number {
  return trickleAt > now ? leastPriority : 0;
}

/**
 * When a lane goes on without a head that failed, in epoch milliseconds; null when it waits for it.
 *
 * @param firstFailedAt epoch milliseconds; null while it has not failed
 */
export function releaseAtOf(policy: LanePolicy, firstFailedAt: number | null): number | null {
  if (policy === "block" || firstFailedAt === null) return null;
  return policy === "skip" ? firstFailedAt : firstFailedAt + policy.block_for * 1_000;
}

/** The earlier of two turns; one without a time does not count. */
export function earlier(
  a: NextTurn | null,
  b: (Omit<NextTurn, "at"> & { at: number | null }) | null,
): NextTurn | null {
  if (b === null || b.at === null) return a;
  return a === null || b.at < a.at ? { ...b, at: b.at } : a;
}
