import type { WebhookRetryPolicy } from "../protocol/webhook-options.ts";

/**
 * Seconds before each retry where a registration says nothing: 75 hours in all (protocol.md §5, from the example
 * of Standard Webhooks 1.0).
 */
export const DEFAULT_SCHEDULE_S = [
  5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
] as const;

/** Retries come up to a fifth later than promised, so endpoints that fail together don't return together. */
const JITTER = 0.2;

/** A receiver can't silence its endpoint for longer than a day (facts/webhooks.md §6.5). */
const LONGEST_PAUSE_MS = 86_400_000;

/** 12 hours: the least delay that every stored revision of the queue's documentation grants (facts/platform.md §4). */
const LONGEST_HOP_S = 43_200;

/**
 * Milliseconds to wait before a retry: the promised wait plus 0-20 %, never less. Null when no retry is left.
 *
 * @param policy null for the default schedule
 * @param retry which retry, from 1
 * @param random uniform draw in [0, 1)
 */
export function retryDelayMs(
  policy: WebhookRetryPolicy | null,
  retry: number,
  random: number,
): number | null {
  const seconds = promisedSeconds(policy ?? { schedule: [...DEFAULT_SCHEDULE_S] }, retry);
  return seconds === null ? null : Math.ceil(seconds * 1_000 * (1 + JITTER * random));
}

function promisedSeconds(policy: WebhookRetryPolicy, retry: number): number | null {
  if ("schedule" in policy) return policy.schedule[retry - 1] ?? null;
  if (retry > policy.max_retries) return null;
  return Math.min(policy.cap, policy.base * policy.multiplier ** (retry - 1));
}

/**
 * How long a `Retry-After` header asks to wait, in milliseconds, at most 24 hours.
 *
 * Both forms of RFC 9110 §10.2.3 count: seconds and an HTTP date. Anything else is null, as if it were not there.
 *
 * @param now epoch milliseconds, to measure a date against
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,30}$/.test(text)) return Math.min(Number(text) * 1_000, LONGEST_PAUSE_MS);
  // The three date forms of RFC 9110 §5.6.7 all start with the day's name; Date.parse alone takes "1.5" for a date.
  const instant = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant)) return null;
  return Math.min(Math.max(instant - now, 0), LONGEST_PAUSE_MS);
}

/**
 * Whole seconds that a queue message should wait towards `due`: rounded up, so it is never early, and at most
 * 12 hours, after which its consumer sends it on for the rest.
 */
export function hopSeconds(due: number, now: number): number {
  return Math.min(Math.max(Math.ceil((due - now) / 1_000), 0), LONGEST_HOP_S);
}
