/** What takes the place of a value that did not come in time. */
export const TIMED_OUT = Symbol("timed out");

/**
 * What work gives, or TIMED_OUT when that takes longer than its limit. It ends the waiting alone: whoever works on is
 * told by the signal, which is aborted in any case.
 *
 * @param limitMs milliseconds
 * @throws as the work does
 */
export async function withinLimit<Value>(
  limitMs: number,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value | typeof TIMED_OUT> {
  const controller = new AbortController();
  const limit = Promise.withResolvers<typeof TIMED_OUT>();
  const timer = setTimeout(() => limit.resolve(TIMED_OUT), limitMs);
  try {
    return await Promise.race([work(controller.signal), limit.promise]);
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}
