/** First and longest pause between two tries to connect, milliseconds. */
const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/**
 * Pause before the next try to connect, milliseconds: doubles up to 30 s, and half of it is drawn, so that pages that
 * lost the same server do not all come back at once.
 *
 * @param failures tries in a row that have failed, from 1
 * @param random uniform draw in [0, 1)
 */
export function reconnectDelayMs(failures: number, random: number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

/** Longest wait that a server's word is believed for, milliseconds. */
const LONGEST_WAIT_MS = 120_000;

/**
 * What a Retry-After header asks for, milliseconds: seconds or a date (RFC 9110 §10.2.3); 2 s where it says nothing.
 *
 * @param now epoch milliseconds
 */
export function retryAfterMs(header: string | null, now: number): number {
  const seconds = /^\d+$/.test(header ?? "")
    ? Number(header) * 1_000
    : Date.parse(header ?? "") - now;
  return Number.isNaN(seconds) ? 2_000 : Math.min(Math.max(seconds, 500), LONGEST_WAIT_MS);
}
