import { pause } from "./waits.ts";

/** Something that is looked at again and again. */
export interface Looks {
  signal: AbortSignal;
  /** Whoever asks waits here while nobody sees the page: nothing is asked for then, and at once afterwards. */
  whenSeen: (signal: AbortSignal) => Promise<void>;
  /** Looks once. False: there is no sense in another look. */
  look: () => Promise<boolean>;
  /** Pause before the next look, milliseconds; 0: one look is enough. */
  everyMs: () => number;
}

/** Looks until nothing more is to be expected or the signal ends it. */
export async function lookAgain({ signal, whenSeen, look, everyMs }: Looks): Promise<void> {
  for (;;) {
    await whenSeen(signal);
    if (signal.aborted) return;
    const goesOn = await look();
    const pauseMs = everyMs();
    if (!goesOn || pauseMs <= 0) return;
    await pause(pauseMs, signal);
  }
}

/**
 * Makes something happen one at a time. What is asked for while it is under way happens once afterwards, however often
 * that was: so the last answer is also the newest, and a slow server is not asked the more for it.
 *
 * @returns asks for it; resolves when one has ended that began after the asking
 */
export function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const begin = (): Promise<void> => {
    current = run().finally(() => {
      current = null;
    });
    return current;
  };
  return () => {
    if (current === null) return begin();
    next ??= current.then(() => {
      next = null;
      return begin();
    });
    return next;
  };
}
