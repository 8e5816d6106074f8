import { explanation, type Task } from "../../api/tasks.ts";
import { fullTime, instantOf } from "../../lib/format.ts";
import { withLocalTimes } from "../../lib/instants.ts";
import { flag, list, number, object, text, type Read } from "../../lib/shape.ts";
import { Panel } from "../../parts/panel.tsx";
import { Answered } from "../../parts/states.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useLang, useWords } from "../../parts/use-words.ts";
import { taskWords } from "../../words/task.ts";

/** How often a task that has not ended is asked why, milliseconds. */
const EVERY_MS = 5_000;
const MOST_CANDIDATES = 8;

const decision = object({
  agent_id: text,
  rule: text,
  candidates: list(object({ agent_id: text, fits: flag, score: number, reasons: list(text) })),
});

function Decision({ of: { agent_id, candidates } }: { of: Read<typeof decision> }) {
  const say = useWords(taskWords);
  if (candidates.length === 0) return null;
  return (
    <details>
      <summary>
        {say("decision")}: <strong>{agent_id}</strong>
      </summary>
      <ul class="candidates">
        {candidates.slice(0, MOST_CANDIDATES).map((one, index) => (
          <li key={index}>
            <strong>{one.agent_id}</strong> {say("score")} {one.score.toFixed(2)}
            {one.agent_id === agent_id && ` · ${say("chosen")}`}
            <span class="below">{one.reasons.join(", ")}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Why a task is where it is, and what would move it. */
export function Explain({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const lang = useLang();
  const local = (words: string): string => withLocalTimes(words, Date.now(), lang);
  const isOver = of.ended_at !== null;
  const path = `/v1/tasks/${encodeURIComponent(of.task_id)}/explain`;
  const known = useAnswer(path, explanation, isOver ? 0 : EVERY_MS);
  // Of a task that was never given to anybody nothing is left to say once it has ended.
  if (isOver && known.value !== null && decision(known.value.decision).candidates.length === 0) {
    return null;
  }
  return (
    <Panel title={say(isOver ? "decision" : "why")}>
      <Answered known={known}>
        {({ waiting_for, unblocked_by, estimated_start, decision: made }) => {
          const start = instantOf(estimated_start);
          return (
            <div class="explain">
              {waiting_for.length === 0 && !isOver && <p>{say("moves")}</p>}
              {waiting_for.length > 0 && (
                <>
                  <h3>{say("waitsFor")}</h3>
                  <ul class="dashed">
                    {waiting_for.map(({ detail }, index) => (
                      <li key={index}>{local(detail)}</li>
                    ))}
                  </ul>
                </>
              )}
              {unblocked_by.length > 0 && (
                <>
                  <h3>{say("unblock")}</h3>
                  <ul class="dashed">
                    {unblocked_by.map((one, index) => (
                      <li key={index}>{local(one)}</li>
                    ))}
                  </ul>
                </>
              )}
              {start !== null && <p>{say("estimated", { at: fullTime(start, lang) })}</p>}
              <Decision of={decision(made)} />
            </div>
          );
        }}
      </Answered>
    </Panel>
  );
}
