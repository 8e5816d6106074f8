import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import type { Answer, Problem } from "../api/problem.ts";
import { shellWords } from "../words/shell.ts";
import { Dialog } from "./dialog.tsx";
import { ProblemNote } from "./states.tsx";
import { useBusy } from "./use-busy.ts";
import { useWords } from "./use-words.ts";

/**
 * Asks before something is done, does it, and shows what the server says against it. `onDo` gives the server's answer;
 * the dialog closes itself when that is good.
 */
export function Confirm(props: {
  title: string;
  action: string;
  isDestructive?: boolean;
  onDo: () => Promise<Answer<unknown>>;
  onClose: () => void;
  children?: ComponentChildren;
}) {
  const say = useWords(shellWords);
  const [isBusy, run] = useBusy();
  const [problem, setProblem] = useState<Problem | null>(null);
  const act = async (): Promise<void> => {
    const answer = await props.onDo();
    if (answer.ok) props.onClose();
    else setProblem(answer.problem);
  };
  return (
    <Dialog title={props.title} onClose={props.onClose} isBusy={isBusy}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          run(act);
        }}
      >
        {props.children}
        {problem !== null && <ProblemNote problem={problem} />}
        <div class="form-foot">
          <button type="button" class="button" onClick={props.onClose}>
            {say("cancel")}
          </button>
          <button
            type="submit"
            class={`button ${props.isDestructive === true ? "danger" : "primary"}`}
            aria-disabled={isBusy}
          >
            {props.action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
