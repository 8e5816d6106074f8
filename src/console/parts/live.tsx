import type { StreamState } from "../api/stream.ts";
import { shellWords } from "../words/shell.ts";
import { useWords } from "./use-words.ts";

/**
 * Whether what is shown is as of now.
 *
 * @param everyS how often is asked where there is no stream, seconds
 */
export function LiveMark({ state, everyS }: { state: StreamState; everyS: number }) {
  const say = useWords(shellWords);
  const words = {
    open: say("liveOpen"),
    connecting: say("liveConnecting"),
    waiting: say("liveWaiting"),
    over: say("liveOver"),
    refused: say("livePolled", { s: everyS }),
  };
  return (
    <span class={`live live-${state}`} role="status">
      <span class="live-dot" aria-hidden="true" />
      {words[state]}
    </span>
  );
}
