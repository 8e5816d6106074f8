import { json } from "../../lib/shape.ts";
import { JsonView } from "../../parts/json-view.tsx";
import { Page as Frame } from "../../parts/page.tsx";
import { Answered } from "../../parts/states.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useWords } from "../../parts/use-words.ts";
import { shellWords } from "../../words/shell.ts";

/** What goes on, at a glance. */
export function Page() {
  const say = useWords(shellWords);
  const known = useAnswer("/v1/state", json, 5_000);
  return (
    <Frame title={say("overview")}>
      <Answered known={known}>
        {(state) => <JsonView value={state} label={say("overview")} />}
      </Answered>
    </Frame>
  );
}
