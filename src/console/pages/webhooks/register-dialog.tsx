import { useState } from "preact/hooks";

import type { Answer } from "../../api/problem.ts";
import { minted } from "../../api/webhooks.ts";
import { webhookBody, type WebhookDraft } from "../../lib/drafts.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { CheckField, ChecksField, ChoiceField, TextField } from "../../parts/field.tsx";
import { notify } from "../../parts/news.ts";
import { useSend } from "../../parts/use-send.ts";
import { useLang, useWords } from "../../parts/use-words.ts";
import { eventGroupWords } from "../../words/event-groups.ts";
import { webhooksWords } from "../../words/webhooks.ts";

const EMPTY: WebhookDraft = {
  url: "",
  name: "",
  events: ["all"],
  ordering: "task",
  timeout: "15",
  challenge: false,
};

function Fields(props: { draft: WebhookDraft; put: (part: Partial<WebhookDraft>) => void }) {
  const say = useWords(webhooksWords);
  const groups = Object.entries(eventGroupWords[useLang()]);
  const { draft, put } = props;
  return (
    <>
      <TextField
        label={say("url")}
        hint={say("urlHint")}
        type="url"
        placeholder="https://"
        value={draft.url}
        onValue={(url) => put({ url })}
        isRequired
        isMono
      />
      <TextField label={say("name")} value={draft.name} onValue={(name) => put({ name })} />
      <ChecksField
        label={say("eventsLabel")}
        value={draft.events}
        onValue={(events) => put({ events })}
        choices={groups}
      />
      <div class="form-row">
        <ChoiceField
          label={say("ordering")}
          value={draft.ordering}
          onValue={(ordering) => put({ ordering })}
          choices={[
            ["task", say("orderingTask")],
            ["endpoint", say("orderingEndpoint")],
            ["none", say("orderingNone")],
          ]}
        />
        <TextField
          label={say("timeout")}
          type="number"
          value={draft.timeout}
          onValue={(timeout) => put({ timeout })}
        />
      </div>
      <CheckField
        label={say("challenge")}
        hint={say("challengeHint")}
        value={draft.challenge}
        onValue={(challenge) => put({ challenge })}
      />
    </>
  );
}

/** A form that registers an endpoint. `onSecret` gets what it will sign with, which is told this once. */
export function RegisterDialog(props: { onSecret: (secret: string) => void; onClose: () => void }) {
  const say = useWords(webhooksWords);
  const send = useSend();
  const [draft, setDraft] = useState(EMPTY);
  const act = async (): Promise<Answer<unknown>> => {
    const answer = await send("POST", "/v1/webhooks", minted, webhookBody(draft));
    if (answer.ok) {
      notify(say("registered", { name: draft.name.trim() || draft.url.trim() }));
      props.onSecret(answer.value.secret);
    }
    return answer;
  };
  return (
    <Confirm
      title={say("registerTitle")}
      action={say("register")}
      onDo={act}
      onClose={props.onClose}
    >
      <Fields draft={draft} put={(part) => setDraft((before) => ({ ...before, ...part }))} />
    </Confirm>
  );
}
