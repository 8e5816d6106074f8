import { useRef, useState } from "preact/hooks";

/** Whether something is under way, and what does the next thing: nothing while it is. */
export type Busy = [isBusy: boolean, run: (act: () => Promise<void>) => void];

/**
 * One thing at a time. Buttons stay enabled meanwhile and say `aria-disabled`: one that is disabled would throw the focus
 * away.
 */
export function useBusy(): Busy {
  const [isBusy, setBusy] = useState(false);
  const isRunning = useRef(false);
  const run = async (act: () => Promise<void>): Promise<void> => {
    // The state is of the last drawing, and two presses can come before the next one.
    if (isRunning.current) return;
    isRunning.current = true;
    setBusy(true);
    await act();
    isRunning.current = false;
    setBusy(false);
  };
  return [isBusy, (act) => void run(act)];
}
