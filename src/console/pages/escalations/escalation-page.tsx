import { escalation, type Escalation } from "../../api/escalations.ts";
import { routeTo } from "../../lib/route.ts";
import { Back } from "../../parts/back.tsx";
import { Term } from "../../parts/badge.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { Page as Frame, type PageProps } from "../../parts/page.tsx";
import { Facts, Panel } from "../../parts/panel.tsx";
import { Answered } from "../../parts/states.tsx";
import { Ago } from "../../parts/time.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useTerms, useWords } from "../../parts/use-words.ts";
import { escalationsWords } from "../../words/escalations.ts";
import { AnswerForm } from "./answer-form.tsx";
import { Urgency } from "./urgency.tsx";

const EVERY_MS = 5_000;

const WAS = {
  resume: "decisionWas_resume",
  change: "decisionWas_change",
  cancel: "decisionWas_cancel",
} as const;

/** What was answered. */
function Given({ of }: { of: Escalation }) {
  const say = useWords(escalationsWords);
  const decision = of.decision === null ? undefined : WAS[of.decision as keyof typeof WAS];
  return (
    <Panel title={say("given")}>
      <p class="row">
        {decision !== undefined && <strong>{say(decision)}</strong>}
        {of.actor !== null && <span class="quiet">{say("givenBy", { who: of.actor })}</span>}
        <span class="quiet">
          <Ago at={of.resolved_at} />
        </span>
      </p>
      <p class="prose">{of.answer ?? <span class="quiet">{say("noAnswer")}</span>}</p>
    </Panel>
  );
}

function About({ of }: { of: Escalation }) {
  const say = useWords(escalationsWords);
  const term = useTerms();
  return (
    <Facts
      of={[
        [say("state"), <Term of={of.state} />],
        [say("urgency"), <Urgency of={of.urgency} />],
        [say("kind"), term(of.kind)],
        [
          say("task"),
          <a class="mono" href={routeTo("tasks", of.task_id)}>
            {of.task_id}
          </a>,
        ],
        [say("asked"), <Ago at={of.created_at} />],
        [say("deadline"), of.deadline === null ? null : <Ago at={of.deadline} />],
        [say("otherwise"), of.default_option],
      ]}
    />
  );
}

/** One question, with what it rests on and the form of its answer. */
export function Page({ id }: PageProps) {
  const say = useWords(escalationsWords);
  const path = `/v1/escalations/${encodeURIComponent(id ?? "")}`;
  const known = useAnswer(path, escalation, EVERY_MS);
  return (
    <Frame
      title={say("pageTitle")}
      above={<Back href={routeTo("escalations")}>{say("back")}</Back>}
    >
      <Answered known={known}>
        {(value) => (
          <div class="stack">
            <p class="question">{value.question}</p>
            <About of={value} />
            {value.state === "open" ? (
              <AnswerForm of={value} onDone={known.reload} />
            ) : (
              <Given of={value} />
            )}
            {value.evidence !== null && value.evidence !== undefined && (
              <Panel title={say("evidence")}>
                <JsonView value={value.evidence} label={say("evidence")} />
              </Panel>
            )}
          </div>
        )}
      </Answered>
    </Frame>
  );
}
