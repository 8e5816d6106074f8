import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { call } from "../api/client.ts";
import type { Answer, Problem } from "../api/problem.ts";
import { lookAgain } from "../lib/looks.ts";
import type { Shape } from "../lib/shape.ts";
import { whenVisible } from "../lib/waits.ts";

/** What a component knows of an answer: the newest one, even while it is asked for again or cannot be had. */
export interface Known<T> {
  value: T | null;
  problem: Problem | null;
  /** Asks again at once. */
  reload: () => void;
}

/** What is refused for good stays refused; only patience and networks change. */
export const isFinal = ({ status }: Problem): boolean => [401, 403, 404, 410].includes(status);

/** Waits until somebody looks at the page. */
export const whenSeen = (signal: AbortSignal): Promise<void> => whenVisible(document, signal);

/**
 * Asks for something when the component appears and whenever what it is about changes, and again and again while the
 * page is looked at.
 *
 * @param of what it is about; null asks for nothing
 * @param everyMs gives the pause before the next time; 0: none
 */
export function useAsked<T>(
  of: string | null,
  ask: (signal: AbortSignal) => Promise<Answer<T>>,
  everyMs: () => number,
): Known<T> {
  const [known, setKnown] = useState<{ value: T | null; problem: Problem | null }>({
    value: null,
    problem: null,
  });
  const [turn, setTurn] = useState(0);
  const shown = useRef(of);
  const asking = useRef({ ask, everyMs });
  asking.current = { ask, everyMs };

  useEffect(() => {
    if (shown.current !== of) {
      shown.current = of;
      setKnown({ value: null, problem: null });
    }
    if (of === null) return;
    const controller = new AbortController();
    const { signal } = controller;
    const look = async (): Promise<boolean> => {
      const answer = await asking.current.ask(signal);
      if (signal.aborted) return false;
      setKnown((before) =>
        answer.ok
          ? { value: answer.value, problem: null }
          : { value: before.value, problem: answer.problem },
      );
      return answer.ok || !isFinal(answer.problem);
    };
    void lookAgain({ signal, whenSeen, look, everyMs: () => asking.current.everyMs() });
    return () => controller.abort();
  }, [of, turn]);

  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { ...known, reload };
}

/**
 * Asks the API for something when the component appears and whenever `path` changes, and again every `everyMs` while
 * the page is looked at.
 *
 * @param path null asks for nothing
 * @param everyMs 0: once
 */
export function useAnswer<T>(path: string | null, shape: Shape<T>, everyMs = 0): Known<T> {
  const known = useAsked(
    path,
    (signal) => call(path ?? "", shape, { signal }),
    () => everyMs,
  );
  const { reload } = known;
  const before = useRef(everyMs);
  useEffect(() => {
    // What has become steady is looked at once more, as it is then.
    if (before.current !== everyMs) reload();
    before.current = everyMs;
  }, [everyMs, reload]);
  return known;
}
