import { useState } from "preact/hooks";

import { escalation, type Escalation } from "../../api/escalations.ts";
import type { Problem } from "../../api/problem.ts";
import { resolutionBody, type ResolutionDraft } from "../../lib/drafts.ts";
import { ChoiceField, TextField } from "../../parts/field.tsx";
import { notify } from "../../parts/news.ts";
import { Panel } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/states.tsx";
import { useBusy } from "../../parts/use-busy.ts";
import { useSend } from "../../parts/use-send.ts";
import { useWords } from "../../parts/use-words.ts";
import { escalationsWords } from "../../words/escalations.ts";

type Put = (part: Partial<ResolutionDraft>) => void;

function Options(props: {
  of: readonly string[];
  chosen: string;
  onChoose: (one: string) => void;
}) {
  const say = useWords(escalationsWords);
  if (props.of.length === 0) return null;
  return (
    <div class="options" role="group" aria-label={say("options")}>
      {props.of.map((option) => (
        <button
          key={option}
          type="button"
          class="button"
          aria-pressed={props.chosen === option}
          onClick={() => props.onChoose(option)}
        >
          {option}
        </button>
      ))}
    </div>
  );
}

function Fields(props: { of: Escalation; draft: ResolutionDraft; put: Put; isBroken: boolean }) {
  const say = useWords(escalationsWords);
  const { of, draft, put, isBroken } = props;
  return (
    <>
      <Options of={of.options} chosen={draft.answer} onChoose={(answer) => put({ answer })} />
      <ChoiceField
        label={say("decision")}
        value={draft.decision}
        onValue={(decision) => put({ decision })}
        choices={[
          ["resume", say(of.kind === "approval" ? "approve" : "resume")],
          ["change", say("change")],
          ["cancel", say("cancelTask")],
        ]}
      />
      <TextField
        label={say("answer")}
        hint={say("answerHint")}
        rows={3}
        value={draft.answer}
        onValue={(answer) => put({ answer })}
      />
      {draft.decision === "change" && (
        <TextField
          label={say("patch")}
          hint={say("patchHint")}
          rows={4}
          isMono
          value={draft.patch}
          onValue={(patch) => put({ patch })}
          fault={isBroken ? say("notJson") : undefined}
        />
      )}
    </>
  );
}

/** A form that answers a question, once. */
export function AnswerForm({ of, onDone }: { of: Escalation; onDone: () => void }) {
  const say = useWords(escalationsWords);
  const send = useSend();
  const [draft, setDraft] = useState({ decision: "resume", answer: "", patch: "" });
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, run] = useBusy();
  const [isBroken, setBroken] = useState(false);
  const isCancel = draft.decision === "cancel";
  const submit = async (): Promise<void> => {
    const body = resolutionBody(draft);
    setBroken(body === null);
    if (body === null) return;
    const path = `/v1/escalations/${encodeURIComponent(of.escalation_id)}/resolve`;
    const answer = await send("POST", path, escalation, body);
    setProblem(answer.ok ? null : answer.problem);
    if (!answer.ok) return;
    notify(say(isCancel ? "sentCancel" : "sent"));
    onDone();
  };
  return (
    <Panel title={say("answerTitle")}>
      <form
        class="form answer-form"
        onSubmit={(event) => {
          event.preventDefault();
          run(submit);
        }}
      >
        <Fields
          of={of}
          draft={draft}
          put={(part) => setDraft((before) => ({ ...before, ...part }))}
          isBroken={isBroken}
        />
        {problem !== null && <ProblemNote problem={problem} />}
        <div class="form-foot">
          <button
            type="submit"
            class={`button ${isCancel ? "danger" : "primary"}`}
            aria-disabled={isBusy}
          >
            {say(isCancel ? "sendCancel" : "send")}
          </button>
        </div>
      </form>
    </Panel>
  );
}
