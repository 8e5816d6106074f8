import { useState } from "preact/hooks";

import type { Answer, Problem } from "../api/problem.ts";
import { notify } from "./news.ts";

/** What is done at once, without a question before. */
export interface Acts {
  isBusy: boolean;
  /** Why the last one did not work. */
  problem: Problem | null;
  /** Does it, and says `done` when it has worked. */
  run: <T>(act: () => Promise<Answer<T>>, done: string | ((value: T) => string)) => Promise<void>;
}

/** Acts of a page: one at a time. */
export function useActs(onDone: () => void): Acts {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  return {
    isBusy,
    problem,
    run: async (act, done) => {
      setBusy(true);
      const answer = await act();
      setBusy(false);
      setProblem(answer.ok ? null : answer.problem);
      if (!answer.ok) return;
      notify(typeof done === "string" ? done : done(answer.value));
      onDone();
    },
  };
}
