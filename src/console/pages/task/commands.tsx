import { useState } from "preact/hooks";

import type { Answer } from "../../api/problem.ts";
import type { Task } from "../../api/tasks.ts";
import {
  commandBody,
  commandsFor,
  type CommandDraft,
  type CommandName,
} from "../../lib/commands.ts";
import { object, text } from "../../lib/shape.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { ChoiceField, TextField } from "../../parts/field.tsx";
import { notify } from "../../parts/news.ts";
import { useSend } from "../../parts/use-send.ts";
import { useTerms, useWords } from "../../parts/use-words.ts";
import { taskWords } from "../../words/task.ts";

const given = object({ command_id: text, state: text });

type Put = (part: Partial<CommandDraft>) => void;

function Fields(props: { command: CommandName; draft: CommandDraft; put: Put }) {
  const say = useWords(taskWords);
  const term = useTerms();
  const { command, draft, put } = props;
  return (
    <>
      {command === "cancel" && <p>{say("cancelText")}</p>}
      {command === "set_priority" && (
        <ChoiceField
          label={say("priority")}
          value={draft.priority}
          onValue={(priority) => put({ priority })}
          choices={["low", "normal", "high", "critical"].map((one) => [one, term(one)] as const)}
        />
      )}
      {command === "grant_resources" && <Grant draft={draft} put={put} />}
      {command === "retry" && (
        <TextField
          label={say("patch")}
          hint={say("patchHint")}
          rows={3}
          isMono
          value={draft.patch}
          onValue={(patch) => put({ patch })}
        />
      )}
      <TextField
        label={say("reason")}
        hint={say("reasonHint")}
        value={draft.reason}
        onValue={(reason) => put({ reason })}
      />
    </>
  );
}

function Grant({ draft, put }: { draft: CommandDraft; put: Put }) {
  const say = useWords(taskWords);
  return (
    <div class="form-row">
      <TextField
        label={say("grantCost")}
        value={draft.cost_usd}
        onValue={(cost_usd) => put({ cost_usd })}
      />
      <TextField
        label={say("grantTokens")}
        value={draft.tokens}
        onValue={(tokens) => put({ tokens })}
      />
      <TextField
        label={say("grantDuration")}
        value={draft.duration_s}
        onValue={(duration_s) => put({ duration_s })}
      />
    </div>
  );
}

function Order(props: { of: Task; command: CommandName; onDone: () => void; onClose: () => void }) {
  const say = useWords(taskWords);
  const send = useSend();
  const term = useTerms();
  const { of, command } = props;
  const [draft, setDraft] = useState<CommandDraft>({
    reason: "",
    priority: of.priority,
    patch: "",
    cost_usd: "",
    tokens: "",
    duration_s: "",
  });
  const act = async (): Promise<Answer<unknown>> => {
    const body = commandBody(command, draft);
    if (body === null) {
      const errors = [{ pointer: "/patch", detail: say("notJson"), expected: "", received: "" }];
      return {
        ok: false,
        problem: { title: "", status: 400, code: "", detail: "", request_id: "", errors },
      };
    }
    const path = `/v1/tasks/${encodeURIComponent(of.task_id)}/commands`;
    const answer = await send("POST", path, given, body);
    if (answer.ok) {
      notify(say("given_ok", { command: say(command), state: term(answer.value.state) }));
      props.onDone();
    }
    return answer;
  };
  return (
    <Confirm
      title={command === "cancel" ? say("cancelAsk") : say(command)}
      action={say(command)}
      isDestructive={command === "cancel"}
      onDo={act}
      onClose={props.onClose}
    >
      <Fields
        command={command}
        draft={draft}
        put={(part) => setDraft((before) => ({ ...before, ...part }))}
      />
    </Confirm>
  );
}

/** The commands that the task can take where it is. */
export function Commands({ of, onDone }: { of: Task; onDone: () => void }) {
  const say = useWords(taskWords);
  const [chosen, setChosen] = useState<CommandName | null>(null);
  const fitting = commandsFor(of);
  return (
    <>
      {fitting.length > 0 && (
        <div class="row commands" role="group" aria-label={say("commands")}>
          {fitting.map((command) => (
            <button
              key={command}
              type="button"
              class={`button ${command === "cancel" ? "danger" : ""}`}
              onClick={() => setChosen(command)}
            >
              {say(command)}
            </button>
          ))}
        </div>
      )}
      {chosen !== null && (
        <Order of={of} command={chosen} onDone={onDone} onClose={() => setChosen(null)} />
      )}
    </>
  );
}
