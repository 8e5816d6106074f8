import { useState } from "preact/hooks";

import { rulePage } from "../../api/alerts.ts";
import type { Answer } from "../../api/problem.ts";
import { acknowledgementBody, silenceBody } from "../../lib/drafts.ts";
import { json } from "../../lib/shape.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { ChoiceField, TextField } from "../../parts/field.tsx";
import { notify } from "../../parts/news.ts";
import { useAnswer } from "../../parts/use-answer.ts";
import { useSend } from "../../parts/use-send.ts";
import { useTerms, useWords } from "../../parts/use-words.ts";
import { alertsWords } from "../../words/alerts.ts";

interface Ends {
  onDone: () => void;
  onClose: () => void;
}

/** Says that somebody looks after an alert. */
export function Acknowledge({ id, onDone, onClose }: Ends & { id: string }) {
  const say = useWords(alertsWords);
  const send = useSend();
  const [note, setNote] = useState("");
  const act = async (): Promise<Answer<unknown>> => {
    const path = `/v1/alerts/${encodeURIComponent(id)}/acknowledge`;
    const answer = await send("POST", path, json, acknowledgementBody(note));
    if (answer.ok) {
      notify(say("acknowledged"));
      onDone();
    }
    return answer;
  };
  return (
    <Confirm
      title={say("acknowledgeTitle")}
      action={say("acknowledge")}
      onDo={act}
      onClose={onClose}
    >
      <p>{say("acknowledgeText")}</p>
      <TextField
        label={say("note")}
        hint={say("noteHint")}
        rows={3}
        value={note}
        onValue={setNote}
      />
    </Confirm>
  );
}

const DURATIONS = [
  ["3600", "hour1"],
  ["14400", "hour4"],
  ["86400", "day1"],
  ["604800", "week1"],
] as const;

/** Asks what to silence, for how long and why. */
export function SilenceDialog({ ruleId, onDone, onClose }: Ends & { ruleId: string }) {
  const say = useWords(alertsWords);
  const send = useSend();
  const term = useTerms();
  const rules = useAnswer("/v1/alert-rules?limit=200", rulePage);
  const [draft, setDraft] = useState({
    rule_id: ruleId,
    max_severity: "critical",
    duration_s: "3600",
    reason: "",
  });
  const put = (part: Partial<typeof draft>): void => setDraft((before) => ({ ...before, ...part }));
  const act = async (): Promise<Answer<unknown>> => {
    const answer = await send("POST", "/v1/silences", json, silenceBody(draft));
    if (answer.ok) {
      notify(say("silenced"));
      onDone();
    }
    return answer;
  };
  const known = new Map(rules.value?.items.map(({ rule_id, title }) => [rule_id, title]));
  if (ruleId !== "" && !known.has(ruleId)) known.set(ruleId, ruleId);
  return (
    <Confirm title={say("silenceTitle")} action={say("silence")} onDo={act} onClose={onClose}>
      <p>{say("silenceText")}</p>
      <ChoiceField
        label={say("whichRule")}
        value={draft.rule_id}
        onValue={(rule_id) => put({ rule_id })}
        choices={[["", say("allRules")], ...known]}
      />
      <div class="form-row">
        <ChoiceField
          label={say("duration")}
          value={draft.duration_s}
          onValue={(duration_s) => put({ duration_s })}
          choices={DURATIONS.map(([seconds, words]) => [seconds, say(words)] as const)}
        />
        <ChoiceField
          label={say("upTo")}
          hint={say("upToHint")}
          value={draft.max_severity}
          onValue={(max_severity) => put({ max_severity })}
          choices={["info", "warning", "error", "critical"].map((one) => [one, term(one)] as const)}
        />
      </div>
      <TextField
        label={say("reason")}
        value={draft.reason}
        onValue={(reason) => put({ reason })}
        isRequired
      />
    </Confirm>
  );
}

/** Asks before a silence ends. */
export function LiftSilence({ id, onDone, onClose }: Ends & { id: string }) {
  const say = useWords(alertsWords);
  const send = useSend();
  const act = async (): Promise<Answer<unknown>> => {
    const answer = await send("DELETE", `/v1/silences/${encodeURIComponent(id)}`, json);
    if (answer.ok) {
      notify(say("lifted"));
      onDone();
    }
    return answer;
  };
  return (
    <Confirm title={say("liftAsk")} action={say("lift")} onDo={act} onClose={onClose}>
      <p>{say("liftText")}</p>
    </Confirm>
  );
}
