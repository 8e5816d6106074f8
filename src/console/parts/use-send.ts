import { useEffect, useMemo } from "preact/hooks";

import { sender, type Send } from "../api/client.ts";
import { ABANDONED, DONE_ANYWAY } from "../api/problem.ts";
import { session } from "../api/session.ts";
import { shellWords } from "../words/shell.ts";
import { notify } from "./news.ts";
import { useWords } from "./use-words.ts";

/**
 * Changes things for as long as the component is on the page. What waits for its turn when that goes is not done; what
 * is on its way then goes on, and the page says what came of it.
 *
 * @param nameOf as of `sender`; the same function at each call
 */
export function useSend(nameOf?: (body: unknown) => string): Send {
  const say = useWords(shellWords);
  const [controller, send] = useMemo(() => {
    const made = new AbortController();
    return [made, sender(made.signal, nameOf)] as const;
  }, [nameOf]);
  useEffect(() => () => controller.abort(), [controller]);
  return async (method, path, shape, body) => {
    const answer = await send(method, path, shape, body);
    if (answer.ok || session.get() === null) return answer;
    const { code, mayHaveHappened } = answer.problem;
    if (code === DONE_ANYWAY.code) notify(say("doneAnyway"), "bad");
    else if (code === ABANDONED.code && mayHaveHappened === true) notify(say("abandoned"), "bad");
    return answer;
  };
}
