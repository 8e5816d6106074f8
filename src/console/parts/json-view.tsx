import { useState } from "preact/hooks";

import { copied } from "../lib/clipboard.ts";
import { prettyJson } from "../lib/format.ts";
import { shellWords } from "../words/shell.ts";
import { useWords } from "./use-words.ts";

/** So much of a text is shown at once, characters: a page with megabytes in it would stand still. */
const SHOWN = 20_000;

/** Text or JSON from outside, as it is and never as markup, with a way to copy it. Long ones are shown in parts. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  const say = useWords(shellWords);
  const [parts, setParts] = useState(1);
  const [isCopied, setCopied] = useState(false);
  const text = typeof value === "string" ? value : prettyJson(value);
  const copy = async (): Promise<void> => {
    setCopied(await copied(text, navigator));
  };
  return (
    <div class="json">
      <button type="button" class="button small json-copy" onClick={() => void copy()}>
        {isCopied ? say("copied") : say("copy")}
      </button>
      {/* It scrolls, so the keyboard has to get into it. */}
      <pre tabIndex={0} role="region" aria-label={label}>
        {text.slice(0, parts * SHOWN)}
      </pre>
      {text.length > parts * SHOWN && (
        <button type="button" class="button small" onClick={() => setParts(parts + 1)}>
          {say("more")}
        </button>
      )}
    </div>
  );
}
