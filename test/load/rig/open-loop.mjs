/** Arrivals that wait for nobody: a slow answer delays no later request, so that its wait is in the figures of all. */
import { setTimeout as sleep } from "node:timers/promises";

/** Timers of Node are as exact as this, milliseconds. */
const TIMER_MS = 1;

/** A stream of numbers in [0, 1), the same for the same seed (mulberry32). */
export function drawOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Instants of arrivals, milliseconds from the first moment: at random as when many come that do not know each other (a
 * Poisson process), and exactly as many as the rate asks for.
 */
function arrivalsOf({ perSecond, forMs, draw }) {
  const count = Math.max(1, Math.round((perSecond * forMs) / 1_000));
  // Given how many there are, the arrivals of a Poisson process are independent and uniform.
  return Array.from({ length: count }, () => draw() * forMs).toSorted((one, other) => one - other);
}

/**
 * Begins each arrival at its instant, whatever became of those before.
 *
 * @param {(index: number, dueAt: number) => Promise<unknown>} begin `dueAt` is its instant on the clock of performance.now
 * @returns {Promise<Promise<unknown>[]>} when the last has begun: what each of them comes to
 */
export async function openLoop({ perSecond, forMs, draw }, begin) {
  const start = performance.now();
  const begun = [];
  for (const [index, offset] of arrivalsOf({ perSecond, forMs, draw }).entries()) {
    const dueAt = start + offset;
    const ahead = dueAt - performance.now();
    // In order and at their instants: nothing else is to be waited for.
    // oxlint-disable-next-line no-await-in-loop
    if (ahead > TIMER_MS) await sleep(ahead);
    begun.push(begin(index, dueAt));
  }
  const left = start + forMs - performance.now();
  if (left > TIMER_MS) await sleep(left);
  return begun;
}
