import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

import { shellWords } from "../words/shell.ts";
import { useWords } from "./use-words.ts";

/** A question or a form over the page. Keeps the focus inside, gives it back afterwards; Esc closes it. */
export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
}) {
  const say = useWords(shellWords);
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    // Without a field it is the button that closes.
    dialog.current?.querySelector<HTMLElement>("input, textarea, select")?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.class ?? ""}`}
      aria-labelledby={id}
      onClose={props.onClose}
      onClick={(event) => event.target === dialog.current && props.onClose()}
    >
      <div class="dialog-body">
        <header class="panel-head">
          <h2 id={id}>{props.title}</h2>
          <button
            type="button"
            class="button ghost"
            onClick={props.onClose}
            aria-label={say("close")}
          >
            ✕
          </button>
        </header>
        {props.children}
      </div>
    </dialog>
  );
}
