import { useState } from "preact/hooks";

import { alert, type Alert } from "../../api/alerts.ts";
import { routeTo } from "../../lib/route.ts";
import { Back } from "../../parts/back.tsx";
import { Term } from "../../parts/badge.tsx";
import { Page as Frame, type PageProps } from "../../parts/page.tsx";
import { Facts, Panel } from "../../parts/panel.tsx";
import { Answered } from "../../parts/states.tsx";
import { Tags } from "../../parts/tags.tsx";
import { Ago } from "../../parts/time.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useWords } from "../../parts/use-words.ts";
import { alertsWords } from "../../words/alerts.ts";
import { Acknowledge, SilenceDialog } from "./alert-dialogs.tsx";

const EVERY_MS = 5_000;

function About({ of }: { of: Alert }) {
  const say = useWords(alertsWords);
  return (
    <Panel title={of.title}>
      <p class="prose">{of.detail}</p>
      <Facts
        of={[
          [say("state"), <Term of={of.state} />],
          [say("severity"), <Term of={of.severity} />],
          [say("subject"), of.subject],
          [say("rule"), <span class="mono">{of.rule_id}</span>],
          [say("pendingSince"), <Ago at={of.pending_since} />],
          [say("since"), <Ago at={of.fired_at} />],
          [say("resolved"), of.resolved_at === null ? null : <Ago at={of.resolved_at} />],
          [say("told"), of.told.length === 0 ? say("toldNobody") : <Tags of={of.told} />],
          [say("silencedBy"), of.silenced_by],
          [say("acknowledgedBy"), of.acknowledged_by],
          [say("note"), of.note],
        ]}
      />
    </Panel>
  );
}

function Evidence({ of }: { of: Record<string, string> }) {
  const say = useWords(alertsWords);
  return (
    <Panel title={say("evidence")}>
      <Facts
        of={Object.entries(of).map(([name, value]): [string, string] => [
          name.replaceAll("_", " "),
          value,
        ])}
      />
    </Panel>
  );
}

function Actions({ of, onDone }: { of: Alert; onDone: () => void }) {
  const say = useWords(alertsWords);
  const [asked, setAsked] = useState<"acknowledge" | "silence" | null>(null);
  const close = (): void => setAsked(null);
  return (
    <>
      <div class="row" role="group" aria-label={say("actions")}>
        {of.acknowledged_at === null && (
          <button type="button" class="button primary" onClick={() => setAsked("acknowledge")}>
            {say("acknowledge")}
          </button>
        )}
        <button type="button" class="button" onClick={() => setAsked("silence")}>
          {say("silence")}
        </button>
      </div>
      {asked === "acknowledge" && <Acknowledge id={of.alert_id} onDone={onDone} onClose={close} />}
      {asked === "silence" && <SilenceDialog ruleId={of.rule_id} onDone={onDone} onClose={close} />}
    </>
  );
}

/** One alert. */
export function Page({ id }: PageProps) {
  const say = useWords(alertsWords);
  const known = useAnswer(`/v1/alerts/${encodeURIComponent(id ?? "")}`, alert, EVERY_MS);
  return (
    <Frame title={say("alert")} above={<Back href={routeTo("alerts")}>{say("back")}</Back>}>
      <Answered known={known}>
        {(value) => (
          <div class="stack">
            <Actions of={value} onDone={known.reload} />
            <About of={value} />
            <Evidence of={value.evidence} />
          </div>
        )}
      </Answered>
    </Frame>
  );
}
