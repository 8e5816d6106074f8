import { patience } from "../api/client.ts";
import { shellWords } from "../words/shell.ts";
import { useNow } from "./use-now.ts";
import { useStore } from "./use-store.ts";
import { useWords } from "./use-words.ts";

/** What calls are waiting for, where they are. */
export function Patience() {
  const say = useWords(shellWords);
  const until = useStore(patience);
  const now = useNow(500);
  if (until === null) return null;
  return (
    <p class="patience" role="status">
      {say("patience", { s: Math.max(1, Math.ceil((until - now) / 1_000)) })}
    </p>
  );
}
