import type { LeaseOrder } from "./limit-window.ts";

/* Permits of one class that an isolate holds for one principal: spent here, so that few requests ask the object. */

/** What is set, may change at any time: after so long it is asked for anew (issue: effective within seconds). */
const LEASE_MS = 5_000;

/** Permits in hand, and what is known of the rest. Instants are epoch milliseconds of the isolate's own clock. */
export interface Lease {
  permits: number;
  /** Room that the object had left beyond them. */
  remaining: number;
  /** The limit of the class at present; null before the first answer. */
  limit: number | null;
  valid_until: number;
  /** When the window of the principal is over. */
  ends_at: number;
  /** Permits that the last order got. */
  granted: number;
  /** Permits of this window that were got and not given back. */
  had: number;
  /** Whose lease it is: a window, and a life of the object; null before the first answer. */
  window: number | null;
  life: string | null;
}

/** What the object answers. */
export interface LeaseAnswer {
  permits: number;
  remaining: number;
  limit: number;
  /** Milliseconds until the window is over. */
  ends_in_ms: number;
  /** Names the window, by its beginning on the object's clock. */
  window: number;
  /** Names the life of the object: another one has forgotten what was not stored. */
  life: string;
}

export const NO_LEASE: Lease = {
  permits: 0,
  remaining: 0,
  limit: null,
  valid_until: 0,
  ends_at: 0,
  granted: 0,
  had: 0,
  window: null,
  life: null,
};

/** The outcome of asking a lease for one permit. */
export type Spent =
  | { kind: "pass" | "refuse"; lease: Lease; limit: number }
  /** Nothing here may be relied on any more: ask the object. */
  | { kind: "ask" };

/** Takes a permit. That there is none left is known for as long as the answer that said so is valid. */
export function spend(lease: Lease, now: number): Spent {
  const { limit } = lease;
  if (limit === null || now >= lease.valid_until) return { kind: "ask" };
  if (lease.permits > 0) {
    return { kind: "pass", lease: { ...lease, permits: lease.permits - 1 }, limit };
  }
  return lease.remaining > 0 ? { kind: "ask" } : { kind: "refuse", lease, limit };
}

/**
 * What to ask for: twice what the last order got if that is used up, else half, so that an isolate holds hardly more
 * than it has used. What is left in hand goes back.
 */
export function orderFor(lease: Lease, needed: number): Omit<LeaseOrder, "operation"> {
  const { permits, granted, window, life, had } = lease;
  const want = permits === 0 ? 2 * granted : Math.ceil(granted / 2);
  return { needed, want: Math.max(1, want), back: permits, window, life, had };
}

/**
 * The lease of an answer, in place of the one whose permits went back with the order. `asked_at` is when it was asked,
 * so that nothing is trusted for longer than that allows.
 */
export function leaseOf(
  answer: LeaseAnswer,
  former: Pick<Lease, "permits" | "had" | "window">,
  asked_at: number,
): Lease {
  const { permits, remaining, limit, window, life } = answer;
  const kept = former.window === window ? former.had - former.permits : 0;
  const ends_at = asked_at + answer.ends_in_ms;
  return {
    permits,
    remaining,
    limit,
    valid_until: Math.min(asked_at + LEASE_MS, ends_at),
    ends_at,
    granted: permits,
    had: kept + permits,
    window,
    life,
  };
}
