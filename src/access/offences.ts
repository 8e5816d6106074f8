import type { Offence } from "../protocol/block.ts";

/** The window in which offences add up, and the first block. */
const WINDOW_MS = 60_000;
const SHORTEST_BLOCK_MS = 60_000;
const LONGEST_BLOCK_MS = 3_600_000;

/** So long after its end a block is forgotten; until then the next one lasts twice as long. */
export const FORGIVEN_MS = 86_400_000;

/**
 * How many of each kind, and nothing else, lead to a block.
 *
 * Twenty guesses are more than a person mistypes, and too few to find a key. Of refusals for going too fast it takes
 * two limits' worth: 600 a minute for an address, 1,200 for a key (protocol.md §7, Sizes). Whoever waits as long as
 * Retry-After says gets nowhere near it.
 */
const ENOUGH: Readonly<Record<Offence, number>> = {
  wrong_key: 20,
  forged_signature: 20,
  oversize: 20,
  malformed: 50,
  address_limited: 1_200,
  key_limited: 2_400,
};

/** Points of a block: each number above divides it. */
const BLOCKING_POINTS = 2_400;

/** What an offence weighs. */
export function pointsOf(offence: Offence): number {
  return BLOCKING_POINTS / ENOUGH[offence];
}

/** Offences of one caller that add up. Instants are epoch milliseconds. */
export interface Tally {
  points: number;
  since: number;
}

/** The tally with more points: those of a window that is over count no more. */
export function added(tally: Tally | undefined, points: number, now: number): Tally {
  return tally === undefined || now >= tally.since + WINDOW_MS
    ? { points, since: now }
    : { ...tally, points: tally.points + points };
}

/** Whether a tally is enough for a block. @param factor multiplies what is tolerated, as it does the limits */
export function isEnough(tally: Tally, factor: number): boolean {
  return tally.points >= BLOCKING_POINTS * factor;
}

/** How long a caller is blocked, and how many blocks in a row that makes. */
export interface Sentence {
  blocked_at: number;
  until: number;
  times: number;
}

/** The next block of a caller: a minute at first, then twice as long each time, up to an hour. */
export function sentence(former: Sentence | null, now: number): Sentence {
  const times = former === null || now >= former.until + FORGIVEN_MS ? 1 : former.times + 1;
  const length_ms = Math.min(SHORTEST_BLOCK_MS * 2 ** (times - 1), LONGEST_BLOCK_MS);
  return { blocked_at: now, until: now + length_ms, times };
}
