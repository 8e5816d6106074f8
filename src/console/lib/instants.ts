import { clockTime, fullTime, instantOf, type Lang } from "./format.ts";

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** Nearer than this, the time of day says enough. Milliseconds. */
const NEAR_MS = 12 * 3_600_000;

/** A text of the server with its instants as people here read them: local, and without the date when that is today's. */
export function withLocalTimes(text: string, now: number, lang: Lang): string {
  return text.replaceAll(INSTANT, (written) => {
    const at = instantOf(written);
    if (at === null) return written;
    return Math.abs(at - now) < NEAR_MS ? clockTime(at, lang) : fullTime(at, lang);
  });
}
