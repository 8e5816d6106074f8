import { setTimeout as pause } from "node:timers/promises";

/** Between two looks at what another program may have done, milliseconds. */
const LOOK_MS = 25;

/** Between two questions to Batuta, which has other work, too; milliseconds. */
export const ASK_MS = 150;

/**
 * Waits until something holds; false when the time is over before.
 *
 * @param everyMs between two looks; ASK_MS where a look is a request
 */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  withinMs: number,
  everyMs = LOOK_MS,
): Promise<boolean> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) return false;
    await pause(everyMs);
  }
  return true;
}
