import type { Task } from "../../api/tasks.ts";
import { count, duration, instantOf, money } from "../../lib/format.ts";
import { routeTo } from "../../lib/route.ts";
import { Term } from "../../parts/badge.tsx";
import { Facts, Panel } from "../../parts/panel.tsx";
import { Progress } from "../../parts/progress.tsx";
import { Ago } from "../../parts/time.tsx";
import { useNow } from "../../parts/use-now.ts";
import { useLang, useTerms, useWords } from "../../parts/use-words.ts";
import { taskWords } from "../../words/task.ts";

/** So much of a description stands at the head; all of it is behind it. */
const SHOWN = 280;

function Description({ text }: { text: string }) {
  if (text.length <= SHOWN) return <p class="lead">{text}</p>;
  return (
    <details class="lead">
      <summary>{text.slice(0, SHOWN)}…</summary>
      <p>{text}</p>
    </details>
  );
}

/** Milliseconds from its start to its end, or until now. */
function useTook({ started_at, ended_at }: Task): number | null {
  const now = useNow(1_000);
  const from = instantOf(started_at);
  return from === null ? null : (instantOf(ended_at) ?? Math.max(now, from)) - from;
}

function Asking({ of }: { of: Task }) {
  const say = useWords(taskWords);
  return (
    <p class="asking">
      {say("needsAnswer")}{" "}
      <a href={routeTo("escalations", null, { task_id: of.task_id })}>{say("toEscalations")}</a>
    </p>
  );
}

/** What is to be known of a task at a glance. */
export function Head({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const term = useTerms();
  const lang = useLang();
  const took = useTook(of);
  const isAsking = of.phase === "awaiting_input" || of.phase === "awaiting_approval";
  const isGoing = of.ended_at === null;
  return (
    <div class="task-head">
      <Description text={of.description} />
      <div class="row task-state">
        <strong class="state">
          <Term of={of.status} />
        </strong>
        {isGoing && <span class="quiet">{term(of.phase)}</span>}
        {of.end_reason !== null && of.end_reason !== "success" && (
          <span class="quiet">{term(of.end_reason)}</span>
        )}
        {of.current_step !== null && isGoing && <span>{of.current_step}</span>}
        {took !== null && <span class="quiet">{duration(took, lang)}</span>}
        <span class="quiet">{money(of.usage.cost_usd, lang)}</span>
        {of.usage.tokens > 0 && (
          <span class="quiet">{say("tokensUsed", { n: count(of.usage.tokens, lang) })}</span>
        )}
      </div>
      {of.progress_percentage !== null && isGoing && (
        <Progress value={of.progress_percentage} label={say("progress")} />
      )}
      {isAsking && <Asking of={of} />}
    </div>
  );
}

/** The rest of what is known of a task. */
export function About({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const term = useTerms();
  const taskLink = (id: string) => (
    <a class="mono" href={routeTo("tasks", id)}>
      {id}
    </a>
  );
  return (
    <Panel title={say("about")}>
      <Facts
        of={[
          [say("agent"), of.agent_id],
          [say("attempt"), say("attemptOf", { n: of.attempt, all: of.max_attempts })],
          [say("type"), term(of.task_type)],
          [say("priority"), term(of.priority)],
          [say("complexity"), of.complexity === null ? null : term(of.complexity)],
          [say("pool"), of.pool],
          [say("created"), <Ago at={of.created_at} />],
          [say("started"), of.started_at === null ? null : <Ago at={of.started_at} />],
          [say("ended"), of.ended_at === null ? null : <Ago at={of.ended_at} />],
          [say("deadline"), of.deadline_at === null ? null : <Ago at={of.deadline_at} />],
          [say("parent"), of.parent_task_id === null ? null : taskLink(of.parent_task_id)],
          [say("batch"), of.batch_id],
          [
            say("tags"),
            of.tags.length === 0
              ? null
              : of.tags.map((tag) => (
                  <a key={tag} class="tag" href={routeTo("tasks", null, { tag })}>
                    {tag}
                  </a>
                )),
          ],
        ]}
      />
    </Panel>
  );
}
