import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { call } from "../api/client.ts";
import type { Problem } from "../api/problem.ts";
import type { Shape } from "../lib/shape.ts";

/** What a component knows of an answer: the newest one, even while it is asked for again or cannot be had. */
export interface Known<T> {
  value: T | null;
  problem: Problem | null;
  /** Asks again at once. */
  reload: () => void;
}

/**
 * Asks the API for something when the component appears and whenever `path` changes, and again every `everyMs` while
 * the page is looked at.
 *
 * @param path null asks for nothing
 * @param everyMs 0: once
 */
export function useAnswer<T>(path: string | null, shape: Shape<T>, everyMs = 0): Known<T> {
  const [known, setKnown] = useState<{ value: T | null; problem: Problem | null }>({
    value: null,
    problem: null,
  });
  const [turn, setTurn] = useState(0);
  const shown = useRef(path);

  useEffect(() => {
    if (shown.current !== path) {
      shown.current = path;
      setKnown({ value: null, problem: null });
    }
    if (path === null) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      if (document.visibilityState === "visible") {
        const answer = await call(path, shape, { signal: controller.signal });
        if (controller.signal.aborted) return;
        setKnown((before) =>
          answer.ok
            ? { value: answer.value, problem: null }
            : { value: before.value, problem: answer.problem },
        );
        // What is refused for good stays refused; only patience and networks change.
        if (!answer.ok && [401, 403, 404, 410].includes(answer.problem.status)) return;
      }
      if (everyMs > 0) timer = setTimeout(() => void look(), everyMs);
    };
    void look();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [path, shape, everyMs, turn]);

  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { ...known, reload };
}
