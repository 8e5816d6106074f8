import type { Clock } from "./ports.ts";

/**
 * What is dear to read, remembered for a while by its key. A failure is not remembered: the next one who asks reads again.
 *
 * @param limits `for_ms` milliseconds from the end of a reading on; `most` keys, then all are forgotten
 */
export function remembered<Value>(
  { now, for_ms, most }: { now: Clock; for_ms: number; most: number },
  read: (key: string) => Promise<Value>,
): (key: string) => Promise<Value> {
  const known = new Map<string, { value: Value; until: number }>();
  return async (key) => {
    const found = known.get(key);
    if (found !== undefined && now() < found.until) return found.value;
    const value = await read(key);
    if (known.size >= most) known.clear();
    known.set(key, { value, until: now() + for_ms });
    return value;
  };
}
