import { useState } from "preact/hooks";

import { nothing, type Agent } from "../../api/agents.ts";
import type { Answer } from "../../api/problem.ts";
import { routeTo } from "../../lib/route.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { notify } from "../../parts/news.ts";
import { ProblemNote } from "../../parts/states.tsx";
import { useActs } from "../../parts/use-acts.ts";
import { useSend } from "../../parts/use-send.ts";
import { useWords } from "../../parts/use-words.ts";
import { agentsWords } from "../../words/agents.ts";

/** The agent_id of the built-in executor. */
const BUILTIN = "sam";

const pathOf = (id: string): string => `/v1/agents/${encodeURIComponent(id)}`;

function Ask(props: {
  what: "drain" | "remove";
  id: string;
  onDone: () => void;
  onClose: () => void;
}) {
  const say = useWords(agentsWords);
  const send = useSend();
  const { what, id } = props;
  const act = async (): Promise<Answer<unknown>> => {
    const answer =
      what === "drain"
        ? await send("POST", `${pathOf(id)}/drain`, nothing)
        : await send("DELETE", pathOf(id), nothing);
    if (!answer.ok) return answer;
    notify(say(what === "drain" ? "drained" : "removed", { id }));
    props.onDone();
    if (what === "remove") location.hash = routeTo("agents");
    return answer;
  };
  return (
    <Confirm
      title={say(what === "drain" ? "drainAsk" : "removeAsk", { id })}
      action={say(what)}
      isDestructive={what === "remove"}
      onDo={act}
      onClose={props.onClose}
    >
      <p>{say(what === "drain" ? "drainText" : "removeText")}</p>
    </Confirm>
  );
}

/** What an operator may do with an agent. */
export function AgentActions({ of, onDone }: { of: Agent; onDone: () => void }) {
  const say = useWords(agentsWords);
  const acts = useActs(onDone);
  const [asked, setAsked] = useState<"drain" | "remove" | null>(null);
  const id = of.agent_id;
  if (id === BUILTIN) return <p class="quiet">{say("builtin")}</p>;
  const activate = (): void =>
    acts.run((send) => send("POST", `${pathOf(id)}/activate`, nothing), say("activated", { id }));
  return (
    <>
      <div class="row" role="group" aria-label={say("actions")}>
        {of.state === "draining" ? (
          <button type="button" class="button" aria-disabled={acts.isBusy} onClick={activate}>
            {say("activate")}
          </button>
        ) : (
          <button type="button" class="button" onClick={() => setAsked("drain")}>
            {say("drain")}
          </button>
        )}
        <button type="button" class="button danger" onClick={() => setAsked("remove")}>
          {say("remove")}
        </button>
      </div>
      {acts.problem !== null && <ProblemNote problem={acts.problem} />}
      {asked !== null && (
        <Ask what={asked} id={id} onDone={onDone} onClose={() => setAsked(null)} />
      )}
    </>
  );
}
