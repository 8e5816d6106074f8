import type { ComponentChildren, RefObject } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

import { shellWords } from "../words/shell.ts";
import { backTo, placeOf, type Place } from "./focus-keeper.ts";
import { useWords } from "./use-words.ts";

/** Where the focus was before each dialog that is open. */
const openers: { before: Place }[] = [];

/**
 * Opens a dialog with the focus in it, for as long as the component is there, and gives the focus back.
 *
 * Both in the moment of the drawing, as a layout effect: Preact runs others, and undoes them, after the next frame. Until
 * then what is pressed would be the page's and the focus would be taken from wherever it went, and a dialog that is gone
 * would have left it to the heading.
 */
function useModal(dialog: RefObject<HTMLDialogElement | null>, onClose: () => void): () => void {
  const isGone = useRef(false);
  useLayoutEffect(() => {
    const { current } = dialog;
    if (current === null) return;
    // A dialog that follows another, as a secret follows its form, gives the focus back to where that one had it from.
    const before = openers.at(-1)?.before ?? placeOf(document.activeElement);
    const own = { before };
    openers.push(own);
    current.showModal();
    // Without a field it is the button that closes.
    current.querySelector<HTMLElement>("input, textarea, select")?.focus();
    return () => {
      isGone.current = true;
      openers.splice(openers.indexOf(own), 1);
      // As long as it is open nothing outside takes the focus.
      current.close();
      backTo(before);
    };
  }, [dialog]);
  return () => {
    if (!isGone.current) onClose();
  };
}

/**
 * A question or a form over the page. Keeps the focus inside, gives it back afterwards. Esc closes it, and so does a
 * press beside it as long as nothing would be lost: nothing was written, and nothing is under way.
 */
export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
  isBusy?: boolean;
  /** It shows what cannot be shown again: its own buttons alone close it. */
  isKept?: boolean;
}) {
  const say = useWords(shellWords);
  const dialog = useRef<HTMLDialogElement>(null);
  const isPressed = useRef(false);
  const isTouched = useRef(false);
  const close = useModal(dialog, props.onClose);
  const id = useId();
  const isLoose = props.isKept !== true && props.isBusy !== true;
  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.class ?? ""}`}
      aria-labelledby={id}
      onClose={close}
      onCancel={(event) => {
        if (props.isKept === true) event.preventDefault();
      }}
      onInput={() => {
        isTouched.current = true;
      }}
      // Somebody who marks a text may let go beside it.
      onPointerDown={(event) => {
        isPressed.current = event.target === dialog.current;
      }}
      onClick={(event) => {
        const isBeside = event.target === dialog.current && isPressed.current;
        if (isBeside && isLoose && !isTouched.current) props.onClose();
      }}
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
