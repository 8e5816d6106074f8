import { useEffect, useState } from "preact/hooks";

import { call } from "../../api/client.ts";
import { overview, type Overview } from "../../api/overview.ts";
import type { Problem } from "../../api/problem.ts";
import { follow, type StreamState } from "../../api/stream.ts";

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
    let isFed = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
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
    const ask = async (): Promise<void> => {
      if (!isFed && document.visibilityState === "visible") {
        const answer = await call("/v1/overview", overview, { signal: controller.signal });
        if (controller.signal.aborted) return;
        if (answer.ok) setValue(answer.value);
        setProblem(answer.ok ? null : answer.problem);
        if (!answer.ok && [401, 403, 404].includes(answer.problem.status)) return;
      }
      timer = setTimeout(() => void ask(), POLL_S * 1_000);
    };
    timer = setTimeout(() => void ask(), PATIENCE_MS);
    return () => {
      stop();
      controller.abort();
      clearTimeout(timer);
    };
  }, [turn]);

  return { value, state, problem, reload: () => setTurn((before) => before + 1) };
}
