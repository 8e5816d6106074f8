import { useState } from "preact/hooks";

import type { Send } from "../api/client.ts";
import type { Answer, Problem } from "../api/problem.ts";
import { notify } from "./news.ts";
import { useBusy } from "./use-busy.ts";
import { useSend } from "./use-send.ts";

/** What is done at once, without a question before. */
export interface Acts {
  isBusy: boolean;
  /** Why the last one did not work. */
  problem: Problem | null;
  /** Does it, and says `done` when it has worked. */
  run: <T>(act: (send: Send) => Promise<Answer<T>>, done: string) => void;
}

/** Acts of a page: one at a time. */
export function useActs(onDone: () => void): Acts {
  const [isBusy, run] = useBusy();
  const [problem, setProblem] = useState<Problem | null>(null);
  const send = useSend();
  return {
    isBusy,
    problem,
    run: (act, done) =>
      run(async () => {
        const answer = await act(send);
        setProblem(answer.ok ? null : answer.problem);
        if (!answer.ok) return;
        notify(done);
        onDone();
      }),
  };
}
