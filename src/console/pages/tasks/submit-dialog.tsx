import { useState } from "preact/hooks";

import type { Problem } from "../../api/problem.ts";
import { task } from "../../api/tasks.ts";
import { routeTo } from "../../lib/route.ts";
import { drawnName, submissionNames } from "../../lib/submission-name.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { ChoiceField, TextField } from "../../parts/field.tsx";
import { notify } from "../../parts/news.ts";
import { ProblemNote } from "../../parts/states.tsx";
import { useBusy } from "../../parts/use-busy.ts";
import { useSend } from "../../parts/use-send.ts";
import { useTerms, useWords, type Say } from "../../parts/use-words.ts";
import { shellWords } from "../../words/shell.ts";
import { tasksWords } from "../../words/tasks.ts";
import { EMPTY_DRAFT, requestOf, type Draft } from "./task-draft.ts";
import { TASK_TYPES } from "./task-filters.tsx";

type Put = (part: Partial<Draft>) => void;
interface Parts {
  draft: Draft;
  put: Put;
  faultOf: (...pointers: string[]) => string | undefined;
  say: Say<keyof (typeof tasksWords)["en"]>;
}

function Work({ draft, put, faultOf, say }: Parts) {
  const term = useTerms();
  const named = (values: readonly string[]) => values.map((value) => [value, term(value)] as const);
  return (
    <>
      <TextField
        label={say("description")}
        hint={say("descriptionHint")}
        rows={3}
        value={draft.description}
        onValue={(description) => put({ description })}
        fault={faultOf("/description")}
        isRequired
      />
      <div class="form-row">
        <ChoiceField
          label={say("type")}
          value={draft.task_type}
          onValue={(task_type) => put({ task_type })}
          choices={named(TASK_TYPES)}
          fault={faultOf("/task_type")}
        />
        <ChoiceField
          label={say("priority")}
          value={draft.priority}
          onValue={(priority) => put({ priority })}
          choices={named(["low", "normal", "high", "critical"])}
        />
        <TextField
          label={say("timeout")}
          type="number"
          value={draft.timeout}
          onValue={(timeout) => put({ timeout })}
          fault={faultOf("/timeout")}
        />
      </div>
    </>
  );
}

function Input({ draft, put, faultOf, say }: Parts) {
  return (
    <>
      <ChoiceField
        label={say("inputKind")}
        value={draft.inputKind}
        onValue={(kind) => put({ inputKind: kind as Draft["inputKind"] })}
        choices={[
          ["none", say("inputNone")],
          ["text", say("inputText")],
          ["csv", say("inputCsv")],
          ["json", say("inputJson")],
        ]}
      />
      {draft.inputKind !== "none" && (
        <TextField
          label={say("inputValue")}
          rows={6}
          isMono
          value={draft.input}
          onValue={(input) => put({ input })}
          fault={faultOf("/parameters/input_data", "/parameters")}
        />
      )}
    </>
  );
}

function Names({ draft, put, faultOf, say }: Parts) {
  return (
    <div class="form-row">
      <TextField
        label={say("ownId")}
        hint={say("ownIdHint")}
        isMono
        value={draft.task_id}
        onValue={(task_id) => put({ task_id })}
        fault={faultOf("/task_id")}
      />
      <TextField
        label={say("tags")}
        hint={say("tagsHint")}
        value={draft.tags}
        onValue={(tags) => put({ tags })}
        fault={faultOf("/tags")}
      />
    </div>
  );
}

/** A form that submits a task, and goes to where it can be watched. */
export function SubmitDialog({ onClose }: { onClose: () => void }) {
  const say = useWords(tasksWords);
  const shell = useWords(shellWords);
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, run] = useBusy();
  const [nameOf] = useState(() => submissionNames(drawnName));
  const send = useSend(nameOf);
  const [isBroken, setBroken] = useState(false);
  const put: Put = (part) => setDraft((before) => ({ ...before, ...part }));
  const submit = async (): Promise<void> => {
    const body = requestOf(draft);
    setBroken(body === null);
    if (body === null) return;
    const answer = await send("POST", "/v1/tasks", task, body);
    if (!answer.ok) return setProblem(answer.problem);
    notify(say("submitted", { id: answer.value.task_id }));
    onClose();
    location.hash = routeTo("tasks", answer.value.task_id);
  };
  const faultOf = (...pointers: string[]): string | undefined =>
    isBroken && pointers.includes("/parameters/input_data")
      ? say("notJson")
      : problem?.errors.find(({ pointer }) => pointers.some((one) => pointer.startsWith(one)))
          ?.detail;
  const parts = { draft, put, faultOf, say };
  return (
    <Dialog title={say("submitTitle")} onClose={onClose} isBusy={isBusy} class="broad">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          run(submit);
        }}
      >
        <Work {...parts} />
        <Input {...parts} />
        <Names {...parts} />
        {problem !== null && <ProblemNote problem={problem} unsure={say("submitAgain")} />}
        <div class="form-foot">
          <button
            type="button"
            class="button ghost"
            onClick={() => put({ ...EXAMPLE, description: say("exampleText") })}
          >
            {say("example")}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {shell("cancel")}
          </button>
          <button type="submit" class="button primary" aria-disabled={isBusy}>
            {say("submit")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the built-in executor does in a second, with nothing set up. */
const EXAMPLE: Partial<Draft> = {
  task_type: "data_analysis",
  inputKind: "csv",
  input: "day,sold\n1,5\n2,7\n3,8\n4,11\n5,12\n6,15\n7,17\n8,18",
};
