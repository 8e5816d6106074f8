import { useState } from "preact/hooks";

import type { Problem } from "../../api/problem.ts";
import { recovery } from "../../api/webhooks.ts";
import { localTime, recoveryBody, type RecoveryDraft } from "../../lib/drafts.ts";
import { routeTo } from "../../lib/route.ts";
import { Term } from "../../parts/badge.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { ChoiceField, TextField } from "../../parts/field.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Answered, ProblemNote } from "../../parts/states.tsx";
import { useActs } from "../../parts/use-acts.ts";
import { useAnswer } from "../../parts/use-answer.ts";
import { useBusy } from "../../parts/use-busy.ts";
import { useSend } from "../../parts/use-send.ts";
import { useTerms, useWords } from "../../parts/use-words.ts";
import { shellWords } from "../../words/shell.ts";
import { webhooksWords } from "../../words/webhooks.ts";

const DAY_MS = 86_400_000;
const EVERY_MS = 2_000;

const pathOf = (id: string): string => `/v1/webhooks/${encodeURIComponent(id)}`;

function Fields(props: { draft: RecoveryDraft; put: (part: Partial<RecoveryDraft>) => void }) {
  const say = useWords(webhooksWords);
  const term = useTerms();
  const { draft, put } = props;
  return (
    <>
      <ChoiceField
        label={say("which")}
        value={draft.state}
        onValue={(state) => put({ state })}
        choices={["exhausted", "cancelled", "delivered"].map((one) => [one, term(one)] as const)}
      />
      <div class="form-row">
        <TextField
          label={say("since")}
          type="datetime-local"
          value={draft.since}
          onValue={(since) => put({ since })}
          isRequired
        />
        <TextField
          label={say("until")}
          hint={say("untilHint")}
          type="datetime-local"
          value={draft.until}
          onValue={(until) => put({ until })}
        />
      </div>
    </>
  );
}

/** Asks which deliveries to send again, counts them, and begins; how far it is stands on the page then. */
export function RecoverDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const say = useWords(webhooksWords);
  const send = useSend();
  const shell = useWords(shellWords);
  const [draft, setDraft] = useState(() => ({
    since: localTime(Date.now() - DAY_MS),
    until: "",
    state: "exhausted",
  }));
  const [counted, setCounted] = useState<{ of: string; matched: number } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, run] = useBusy();
  // A count belongs to what was asked, whatever has been chosen since.
  const chosen = JSON.stringify(draft);
  const ask = async (isTrial: boolean): Promise<void> => {
    const body = recoveryBody(draft, isTrial);
    const answer = await send("POST", `${pathOf(id)}/recover`, recovery, body);
    setProblem(answer.ok ? null : answer.problem);
    if (!answer.ok) return;
    if (isTrial) return setCounted({ of: chosen, matched: answer.value.matched });
    onClose();
    location.hash = routeTo("webhooks", id, { recovery: answer.value.recovery_id });
  };
  return (
    <Dialog title={say("recoverTitle")} onClose={onClose} isBusy={isBusy}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          run(() => ask(false));
        }}
      >
        <p>{say("recoverText")}</p>
        <Fields draft={draft} put={(part) => setDraft((before) => ({ ...before, ...part }))} />
        <p role="status">{counted?.of === chosen && say("wouldSend", { n: counted.matched })}</p>
        {problem !== null && <ProblemNote problem={problem} />}
        <div class="form-foot">
          <button type="button" class="button" onClick={onClose}>
            {shell("cancel")}
          </button>
          <button
            type="button"
            class="button"
            aria-disabled={isBusy}
            onClick={() => run(() => ask(true))}
          >
            {say("countThem")}
          </button>
          <button type="submit" class="button primary" aria-disabled={isBusy}>
            {say("recover")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** How far a recovery has come. */
export function RecoveryProgress({ of, id }: { of: string; id: string }) {
  const say = useWords(webhooksWords);
  const path = `${pathOf(of)}/recoveries/${encodeURIComponent(id)}`;
  const known = useAnswer(path, recovery, EVERY_MS);
  const acts = useActs(known.reload);
  return (
    <Panel title={say("recovering")} class="recovery">
      <Answered known={known}>
        {({ state, matched, replayed }) => (
          <div class="row" role="status">
            <Term of={state} />
            <progress
              max={Math.max(1, matched)}
              value={state === "done" && matched === 0 ? 1 : replayed}
              aria-label={say("progressLabel")}
            />
            <span>{say("progress", { done: replayed, all: matched })}</span>
            {state === "running" && (
              <button
                type="button"
                class="button small"
                aria-disabled={acts.isBusy}
                onClick={() => acts.run((send) => send("DELETE", path, recovery), say("stopped"))}
              >
                {say("stop")}
              </button>
            )}
          </div>
        )}
      </Answered>
      {acts.problem !== null && <ProblemNote problem={acts.problem} />}
    </Panel>
  );
}
