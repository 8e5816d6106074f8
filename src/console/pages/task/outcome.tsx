import { report, type Report, type Task } from "../../api/tasks.ts";
import { count, duration, instantOf, money, percent } from "../../lib/format.ts";
import { sentencesOf } from "../../lib/readable.ts";
import { Term } from "../../parts/badge.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { Facts, Panel } from "../../parts/panel.tsx";
import { Answered } from "../../parts/states.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useLang, useWords } from "../../parts/use-words.ts";
import { taskWords } from "../../words/task.ts";

function Failure({ of }: { of: NonNullable<Task["error"]> }) {
  const say = useWords(taskWords);
  return (
    <div class="problem">
      <p>
        <strong>{of.type}</strong> {of.message}
      </p>
      {of.root_cause !== null && of.root_cause !== undefined && (
        <details>
          <summary>{say("rootCause")}</summary>
          <JsonView value={of.root_cause} label={say("rootCause")} />
        </details>
      )}
    </div>
  );
}

function Quality({ of }: { of: NonNullable<Task["quality_assessment"]> }) {
  const say = useWords(taskWords);
  const lang = useLang();
  return (
    <p>
      {say("quality")}:{" "}
      <strong>{of.overall_score === null ? "—" : percent(of.overall_score, lang)}</strong>{" "}
      {of.feedback !== null && <span class="quiet">{of.feedback}</span>}
    </p>
  );
}

function Lines({ title, of }: { title: string; of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class="dashed">
        {of.map((line, index) => (
          <li key={index}>{line}</li>
        ))}
      </ul>
    </>
  );
}

function Phases({ of }: { of: Report["finalization"]["phases"] }) {
  const say = useWords(taskWords);
  const lang = useLang();
  return (
    <>
      <h3>{say("phases")}</h3>
      <ul class="phases">
        {of.map(({ name, outcome, started_at, ended_at, checks }) => (
          <li key={name}>
            <Term of={outcome} /> {name}{" "}
            <span class="quiet">
              {duration((instantOf(ended_at) ?? 0) - (instantOf(started_at) ?? 0), lang)}
            </span>
            {checks
              .filter(({ passed }) => !passed)
              .map((check) => (
                <span key={check.name} class="below">
                  {check.name}: {check.detail}
                </span>
              ))}
          </li>
        ))}
      </ul>
    </>
  );
}

function ReportBody({ of }: { of: Report }) {
  const say = useWords(taskWords);
  const lang = useLang();
  const { metrics, finalization } = of;
  const time = (seconds: number | null): string | null =>
    seconds === null ? null : duration(seconds * 1_000, lang);
  return (
    <div class="report">
      <Facts
        of={[
          [say("took"), time(metrics.duration_s)],
          [say("queued"), time(metrics.queued_s)],
          [say("executing"), time(metrics.executing_s)],
          [say("attempt"), count(metrics.attempts, lang)],
          [say("retries"), count(metrics.retries, lang)],
          [say("notifications"), count(metrics.notifications, lang)],
          [say("cost"), money(metrics.cost_usd, lang)],
          [say("tokens"), count(metrics.tokens, lang)],
        ]}
      />
      <Phases of={finalization.phases} />
      <Lines
        title={say("postMortem")}
        of={of.post_mortem.map((one) => `${one.what} → ${one.effect} → ${one.action}`)}
      />
      <Lines title={say("problems")} of={finalization.problems} />
      <Lines title={say("recommendations")} of={finalization.recommendations} />
      <Lines
        title={say("debt")}
        of={of.cleanup_debt.map(({ what, owner }) => `${what} (${owner})`)}
      />
      {of.next_actions !== null && of.next_actions !== undefined && (
        <>
          <h3>{say("nextActions")}</h3>
          <JsonView value={of.next_actions} label={say("nextActions")} />
        </>
      )}
    </div>
  );
}

function ReportPanel({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const isOver = of.ended_at !== null;
  const path = isOver ? `/v1/tasks/${encodeURIComponent(of.task_id)}/report` : null;
  const known = useAnswer(path, report);
  return (
    <Panel title={say("report")}>
      {isOver ? (
        <Answered known={known}>{(value) => <ReportBody of={value} />}</Answered>
      ) : (
        <p class="quiet">{say("reportNone")}</p>
      )}
    </Panel>
  );
}

function Result({ value }: { value: unknown }) {
  const say = useWords(taskWords);
  const sentences = sentencesOf(value);
  if (typeof value === "string") return <p class="prose">{value}</p>;
  return (
    <>
      {sentences.length > 0 && (
        <ul class="dashed prose">
          {sentences.map((sentence, index) => (
            <li key={index}>{sentence}</li>
          ))}
        </ul>
      )}
      <details open={sentences.length === 0}>
        <summary>{say("wholeResult")}</summary>
        <JsonView value={value} label={say("result")} />
      </details>
    </>
  );
}

/** What a task has come to: its result or error, how good it is, and the report. */
export function Outcome({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const hasResult = of.result !== null && of.result !== undefined;
  return (
    <div class="stack">
      <Panel title={say("result")}>
        {of.error !== null && <Failure of={of.error} />}
        {of.quality_assessment !== null && <Quality of={of.quality_assessment} />}
        {hasResult ? (
          <Result value={of.result} />
        ) : (
          of.error === null && (
            <p class="quiet">{say(of.ended_at === null ? "noResult" : "endedWithout")}</p>
          )
        )}
      </Panel>
      <ReportPanel of={of} />
    </div>
  );
}
