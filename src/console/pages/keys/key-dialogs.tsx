import { useState } from "preact/hooks";

import { mintedKey, type Key } from "../../api/keys.ts";
import type { Answer } from "../../api/problem.ts";
import { keyBody } from "../../lib/drafts.ts";
import { json } from "../../lib/shape.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { ChecksField, ChoiceField, TextField } from "../../parts/field.tsx";
import { notify } from "../../parts/news.ts";
import { useSend } from "../../parts/use-send.ts";
import { useWords } from "../../parts/use-words.ts";
import { keysWords } from "../../words/keys.ts";

/** A key that is told this once. */
export interface Told {
  name: string;
  key: string;
}

const SCOPES = ["orchestrate", "execute", "observe", "admin"] as const;
/** Seconds for which the old secret works beside the new one. */
const OVERLAPS = [0, 3_600, 86_400, 604_800];

const pathOf = ({ key_id }: Key): string => `/v1/keys/${encodeURIComponent(key_id)}`;

/** A form that makes a key. */
export function CreateKey(props: { onTold: (told: Told) => void; onClose: () => void }) {
  const say = useWords(keysWords);
  const send = useSend();
  const [draft, setDraft] = useState({ name: "", scopes: ["orchestrate"], expires: "" });
  const act = async (): Promise<Answer<unknown>> => {
    const answer = await send("POST", "/v1/keys", mintedKey, keyBody(draft));
    if (answer.ok) props.onTold(answer.value);
    return answer;
  };
  return (
    <Confirm title={say("createTitle")} action={say("create")} onDo={act} onClose={props.onClose}>
      <TextField
        label={say("name")}
        hint={say("nameHint")}
        value={draft.name}
        onValue={(name) => setDraft({ ...draft, name })}
        isRequired
      />
      <ChecksField
        label={say("scopesLabel")}
        value={draft.scopes}
        onValue={(scopes) => setDraft({ ...draft, scopes })}
        choices={SCOPES.map((scope) => [scope, say(`scope_${scope}`)] as const)}
      />
      <TextField
        label={say("expiresLabel")}
        hint={say("expiresHint")}
        type="datetime-local"
        value={draft.expires}
        onValue={(expires) => setDraft({ ...draft, expires })}
      />
    </Confirm>
  );
}

/** Asks before a key gets a new secret. */
export function RotateKey(props: { of: Key; onTold: (told: Told) => void; onClose: () => void }) {
  const say = useWords(keysWords);
  const send = useSend();
  const [overlap, setOverlap] = useState("86400");
  const act = async (): Promise<Answer<unknown>> => {
    const body = { overlap_seconds: Number(overlap) };
    const answer = await send("POST", `${pathOf(props.of)}/rotate`, mintedKey, body);
    if (answer.ok) props.onTold(answer.value);
    return answer;
  };
  return (
    <Confirm
      title={say("rotateAsk", { name: props.of.name })}
      action={say("rotate")}
      onDo={act}
      onClose={props.onClose}
    >
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

/** Asks before a key is revoked. */
export function RevokeKey(props: { of: Key; onDone: () => void; onClose: () => void }) {
  const say = useWords(keysWords);
  const send = useSend();
  const { name } = props.of;
  const act = async (): Promise<Answer<unknown>> => {
    const answer = await send("DELETE", pathOf(props.of), json);
    if (answer.ok) {
      notify(say("revoked", { name }));
      props.onDone();
    }
    return answer;
  };
  return (
    <Confirm
      title={say("revokeAsk", { name })}
      action={say("revoke")}
      isDestructive
      onDo={act}
      onClose={props.onClose}
    >
      <p>{say("revokeText")}</p>
    </Confirm>
  );
}
