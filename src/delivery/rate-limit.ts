import type { RateLimit } from "../protocol/webhook-options.ts";

/**
 * The grain of time here: binary fractions of a millisecond add up without error, where 1000/3 would drift until
 * one request too many passes. Instants of this grain are exact up to the year 2109 (2^53 grains after 1970).
 */
const GRAINS_PER_MS = 2_048;

/** How far ahead an instant is stored: one write a second, and after a crash at most a second without a request. */
const RESERVED_MS = 1_000;

/** A rate as the generic cell rate algorithm keeps it (ITU-T I.371): a token bucket with one number of state. */
export interface Pace {
  /** Milliseconds between two requests of a steady flow; rounded up, so never faster than the rate. */
  intervalMs: number;
  /** How much earlier than a steady flow a request may go. */
  toleranceMs: number;
}

/** Which of an endpoint's objects this is, from 0. */
export interface Shard {
  index: number;
  count: number;
}

/**
 * A shard's part of an endpoint's limit; null when there is none.
 *
 * Whole requests are dealt out, what remains to the first shards and a fraction to one of them, so that in any half-open
 * second all shards together send at most rate (rounded up) + burst. Only a rate below the number of shards can't
 * be dealt out: each gets an equal fraction, which keeps the limit on average but lets one request per shard
 * coincide. Who wants it exact takes fewer shards.
 */
export function rateOf(limit: RateLimit | null, shard: Shard): Pace | null {
  if (limit === null) return null;
  const rate = limit.rate < shard.count ? limit.rate / shard.count : dealt(limit.rate, shard);
  const intervalMs = roundedUp(1_000 / rate);
  return { intervalMs, toleranceMs: dealt(limit.burst, shard) * intervalMs };
}

/** The interval on the grain that is not shorter. */
function roundedUp(intervalMs: number): number {
  return Math.ceil(intervalMs * GRAINS_PER_MS) / GRAINS_PER_MS;
}

function dealt(amount: number, { index, count }: Shard): number {
  const whole = Math.floor(amount);
  const rest = whole % count;
  const fraction = index === rest ? amount - whole : 0;
  return Math.floor(whole / count) + (index < rest ? 1 : 0) + fraction;
}

/**
 * The first whole millisecond at which the next request may go; a past one means now.
 *
 * Rounded down, or a rate above 1,000 could never be reached. No half-open window of W whole milliseconds sees more
 * than rate × W (rounded up) + burst of them nevertheless: n requests span more than (n - 1 - burst) intervals less
 * one millisecond, and a window's first and last are at least one millisecond less than W apart.
 *
 * @param tat the theoretical arrival time: when a steady flow would bring the next one; 0 before the first
 */
export function earliest(pace: Pace, tat: number): number {
  return Math.floor(tat - pace.toleranceMs);
}

/**
 * The theoretical arrival time after a request at `now`, which must not be before `earliest`.
 *
 * It has to be kept, or a restart would grant the whole burst anew. It is stored ahead (`reserveUntil`), so that
 * the writes don't follow the requests one by one.
 *
 * @param factor the share of the rate that is granted, 0.1-1. It stretches the interval and not the tolerance, so
 *   no change of it ever lets more through than the whole rate would.
 */
export function taken(pace: Pace, tat: number, now: number, factor: number): number {
  return Math.max(tat, now) + roundedUp(pace.intervalMs / factor);
}

/**
 * The instant to store before a request leaves, or null when the stored one covers it.
 *
 * A restart takes the stored instant for the theoretical arrival time. As that is never before the real one, what
 * was sent since the last write is counted, and a crash can't exceed the limit; it costs at most a second of pause.
 *
 * @param tat what `taken` gave for the request
 * @param reserved what is stored, 0 when nothing is
 */
export function reserveUntil(tat: number, reserved: number): number | null {
  return tat <= reserved ? null : tat + RESERVED_MS;
}
