import { useRef, useState } from "preact/hooks";

import { copied } from "../lib/clipboard.ts";
import { shellWords } from "../words/shell.ts";
import { Dialog } from "./dialog.tsx";
import { announce } from "./news.ts";
import { useWords } from "./use-words.ts";

/** A secret that the server tells this once: to be copied now or never. It is kept nowhere. */
export function Once(props: { title: string; secret: string; onClose: () => void }) {
  const say = useWords(shellWords);
  const field = useRef<HTMLInputElement>(null);
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    field.current?.select();
    // Without the right to the clipboard it is marked, to be copied by hand.
    if (!(await copied(props.secret, navigator))) return;
    setCopied(true);
    announce(say("copied"));
  };
  return (
    <Dialog title={props.title} onClose={props.onClose} isKept>
      <div class="form">
        <p>{say("onceText")}</p>
        <div class="joined">
          <input
            ref={field}
            class="input mono secret"
            readOnly
            value={props.secret}
            aria-label={props.title}
            onFocus={(event) => event.currentTarget.select()}
          />
          <button type="button" class="button" onClick={() => void copy()}>
            {say(isCopied ? "copied" : "copy")}
          </button>
        </div>
        <div class="form-foot">
          <button type="button" class="button primary" onClick={props.onClose}>
            {say("onceDone")}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
