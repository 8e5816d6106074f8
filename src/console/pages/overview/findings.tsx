import { insights, isTold, type Insight, type Overview } from "../../api/overview.ts";
import { Badge, Term } from "../../parts/badge.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Answered } from "../../parts/states.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useWords } from "../../parts/use-words.ts";
import { overviewWords } from "../../words/overview.ts";

/** How often findings are asked for, milliseconds: they are of hours. */
const INSIGHTS_MS = 60_000;
const SHOWN = 6;

function Finding({ of: { severity, title, evidence } }: { of: Insight }) {
  const say = useWords(overviewWords);
  return (
    <li class="finding">
      <p>
        <Term of={severity} /> {title}
      </p>
      <details>
        <summary>{say("evidence")}</summary>
        <dl class="evidence">
          {Object.entries(evidence).map(([name, value]) => (
            <div key={name}>
              <dt>{name.replaceAll("_", " ")}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
    </li>
  );
}

/** What stands out of the last days, the gravest first. */
export function Findings() {
  const say = useWords(overviewWords);
  const known = useAnswer("/v1/insights", insights, INSIGHTS_MS);
  return (
    <Panel title={say("insights")}>
      <Answered known={known}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="quiet">{say("noInsights")}</p>
          ) : (
            <ul class="findings">
              {items.slice(0, SHOWN).map((item, index) => (
                <Finding key={index} of={item} />
              ))}
            </ul>
          )
        }
      </Answered>
    </Panel>
  );
}

/** Whether all that the server needs answers. */
export function Health({ of }: { of: Overview }) {
  const say = useWords(overviewWords);
  const { is_ready, dependencies } = of.health;
  return (
    <Panel title={say("health")}>
      <p>
        {isTold(of, "health") ? (
          <Badge tone={is_ready ? "good" : "bad"}>{say(is_ready ? "ready" : "notReady")}</Badge>
        ) : (
          <Badge tone="warn">{say("unknown")}</Badge>
        )}
      </p>
      <ul class="row dependencies">
        {Object.entries(dependencies).map(([name, state]) => (
          <li key={name}>
            <Badge tone={state === "ok" ? "good" : "bad"}>
              {name}
              {state !== "ok" && `: ${state}`}
            </Badge>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
