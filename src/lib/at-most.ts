/**
 * Lets so many do their work at a time; the others wait in their order.
 *
 * @throws what the work throws; who waits is let in nevertheless
 */
export function atMost(most: number): <Value>(work: () => Promise<Value>) => Promise<Value> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((enter) => void waiting.push(enter));
    try {
      return await work();
    } finally {
      const enter = waiting.shift();
      if (enter === undefined) free += 1;
      else enter();
    }
  };
}
