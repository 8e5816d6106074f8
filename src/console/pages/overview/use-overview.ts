import { useEffect, useState } from "preact/hooks";

import { call } from "../../api/client.ts";
import { overview, type Overview } from "../../api/overview.ts";
import type { Problem } from "../../api/problem.ts";
import { follow, type StreamState } from "../../api/stream.ts";
import { lookAgain } from "../../lib/looks.ts";
import { pause } from "../../lib/waits.ts";
import { isFinal, whenSeen } from "../../parts/use-answer.ts";

/** How often the overview is asked for while its stream is not there, seconds. */
export const POLL_S = 5;

/** A stream that has said nothing after so long is helped out by a question, milliseconds. */
const PATIENCE_MS = 1_500;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The overview as it changes: by its stream, and by asking while there is none. */
export function useOverview() {
  const [value, setValue] = useState<Overview | null>(null);
  const [state, setState] = useState<StreamState>("connecting");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    let isFed = false;
    const stop = follow("/v1/overview/stream", {
      onEvent({ event, data }) {
        if (event !== "overview") return;
        isFed = true;
        setProblem(null);
        setValue(overview(parsed(data)));
      },
      onState(next) {
        if (next !== "open") isFed = false;
        setState(next);
      },
    });
    const look = async (): Promise<boolean> => {
      if (isFed) return true;
      const answer = await call("/v1/overview", overview, { signal });
      if (signal.aborted) return false;
      // What the stream has told meanwhile is newer.
      if (answer.ok && !isFed) setValue(answer.value);
      setProblem(answer.ok ? null : answer.problem);
      return answer.ok || !isFinal(answer.problem);
    };
    const begin = async (): Promise<void> => {
      await pause(PATIENCE_MS, signal);
      await lookAgain({ signal, whenSeen, look, everyMs: () => POLL_S * 1_000 });
    };
    void begin();
    return () => {
      stop();
      controller.abort();
    };
  }, [turn]);

  return { value, state, problem, reload: () => setTurn((before) => before + 1) };
}
