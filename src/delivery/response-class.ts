/**
 * What an answer means for its delivery: it arrived; try again by the schedule; don't try again; the receiver
 * wants nothing more from this endpoint.
 */
type Verdict = "delivered" | "retry" | "final" | "gone";

/** A verdict, and the name under which the attempt is recorded; null for a success. */
export interface ResponseClass {
  verdict: Verdict;
  error_class: string | null;
}

/** Why there was no answer at all. */
export type SendFault = "timeout" | "network";

/** Statuses with a name of their own. 520-530 are made by the network's edge, not by the receiver (facts/webhooks.md §5). */
const NAMED_STATUS: Readonly<Record<number, string>> = {
  408: "request_timeout",
  425: "too_early",
  429: "rate_limited",
  520: "connection",
  521: "connection",
  522: "connection",
  523: "connection",
  524: "timeout",
  525: "tls",
  526: "tls",
  530: "dns",
};

/** Receivers ask for a pause with these (Standard Webhooks 1.0, Responding to failure). */
const PAUSING_STATUSES: readonly number[] = [429, 503];

/**
 * What a status code means (protocol.md §5): only 2xx is a success, 3xx is never followed, 410 disables, all else
 * is tried again unless the registration calls it final.
 */
export function classifyStatus(status: number, finalStatuses: readonly number[]): ResponseClass {
  if (status >= 200 && status < 300) return { verdict: "delivered", error_class: null };
  if (status === 410) return { verdict: "gone", error_class: "gone" };
  return {
    verdict: finalStatuses.includes(status) ? "final" : "retry",
    error_class: NAMED_STATUS[status] ?? familyOf(status),
  };
}

function familyOf(status: number): string {
  if (status < 400) return "redirect";
  return status < 500 ? "client_error" : "server_error";
}

/** No answer is always tried again: timeouts, and whatever the network, TLS or DNS did. */
export function classifyFault(fault: SendFault): ResponseClass {
  return { verdict: "retry", error_class: fault };
}

/** Whether `Retry-After` on this status pauses the whole endpoint. */
export function isPausing(status: number): boolean {
  return PAUSING_STATUSES.includes(status);
}
