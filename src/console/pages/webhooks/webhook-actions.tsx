import { useState } from "preact/hooks";

import type { Answer } from "../../api/problem.ts";
import { minted, webhook, delivery, type Webhook } from "../../api/webhooks.ts";
import { routeTo } from "../../lib/route.ts";
import { json, type Shape } from "../../lib/shape.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { ChoiceField } from "../../parts/field.tsx";
import { notify } from "../../parts/news.ts";
import { Once } from "../../parts/once.tsx";
import { ProblemNote } from "../../parts/states.tsx";
import { useActs } from "../../parts/use-acts.ts";
import { useSend } from "../../parts/use-send.ts";
import { useWords } from "../../parts/use-words.ts";
import { webhooksWords } from "../../words/webhooks.ts";
import { RecoverDialog } from "./recover.tsx";

type Asked = "rotate" | "recover" | "remove";

/** Seconds for which the old secret signs beside the new one. */
const OVERLAPS = [0, 3_600, 86_400, 259_200];

const pathOf = (id: string): string => `/v1/webhooks/${encodeURIComponent(id)}`;

function Rotate(props: { id: string; onSecret: (secret: string) => void; onClose: () => void }) {
  const say = useWords(webhooksWords);
  const send = useSend();
  const [overlap, setOverlap] = useState("86400");
  const act = async (): Promise<Answer<unknown>> => {
    const body = { overlap_seconds: Number(overlap) };
    const answer = await send("POST", `${pathOf(props.id)}/rotate-secret`, minted, body);
    if (answer.ok) props.onSecret(answer.value.secret);
    return answer;
  };
  return (
    <Confirm title={say("rotateAsk")} action={say("rotate")} onDo={act} onClose={props.onClose}>
      <p>{say("rotateText")}</p>
      <ChoiceField
        label={say("overlap")}
        value={overlap}
        onValue={setOverlap}
        choices={OVERLAPS.map((seconds) => [
          String(seconds),
          seconds === 0 ? say("now") : say("hours", { n: seconds / 3_600 }),
        ])}
      />
    </Confirm>
  );
}

function Remove({ id, onClose }: { id: string; onClose: () => void }) {
  const say = useWords(webhooksWords);
  const send = useSend();
  const act = async (): Promise<Answer<unknown>> => {
    const answer = await send("DELETE", pathOf(id), json);
    if (answer.ok) {
      notify(say("removed"));
      location.hash = routeTo("webhooks");
    }
    return answer;
  };
  return (
    <Confirm
      title={say("removeAsk")}
      action={say("remove")}
      isDestructive
      onDo={act}
      onClose={onClose}
    >
      <p>{say("removeText")}</p>
    </Confirm>
  );
}

/** Buttons that act at once. */
function AtOnce({ of, acts }: { of: Webhook; acts: ReturnType<typeof useActs> }) {
  const say = useWords(webhooksWords);
  const button = <T,>(verb: string, shape: Shape<T>, words: [string, string]) => (
    <button
      type="button"
      class="button"
      aria-disabled={acts.isBusy}
      onClick={() =>
        acts.run((send) => send("POST", `${pathOf(of.webhook_id)}/${verb}`, shape), words[1])
      }
    >
      {words[0]}
    </button>
  );
  return (
    <>
      {button("test", delivery, [say("test"), say("tested")])}
      {of.state === "active"
        ? button("pause", webhook, [say("pause"), say("paused")])
        : button("resume", webhook, [say("resume"), say("resumed")])}
      {!of.is_verified && button("verify", webhook, [say("verify"), say("verified")])}
    </>
  );
}

/** What an operator may do with an endpoint. */
export function WebhookActions({ of, onDone }: { of: Webhook; onDone: () => void }) {
  const say = useWords(webhooksWords);
  const acts = useActs(onDone);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const close = (): void => setAsked(null);
  const id = of.webhook_id;
  return (
    <>
      <div class="row" role="group" aria-label={say("actions")}>
        <AtOnce of={of} acts={acts} />
        <button type="button" class="button" onClick={() => setAsked("rotate")}>
          {say("rotate")}
        </button>
        <button type="button" class="button" onClick={() => setAsked("recover")}>
          {say("recover")}
        </button>
        <button type="button" class="button danger" onClick={() => setAsked("remove")}>
          {say("remove")}
        </button>
      </div>
      {acts.problem !== null && <ProblemNote problem={acts.problem} />}
      {asked === "rotate" && <Rotate id={id} onSecret={setSecret} onClose={close} />}
      {asked === "recover" && <RecoverDialog id={id} onClose={close} />}
      {asked === "remove" && <Remove id={id} onClose={close} />}
      {secret !== null && (
        <Once title={say("newSecret")} secret={secret} onClose={() => setSecret(null)} />
      )}
    </>
  );
}
