import { agentMetrics, type Agent, type AgentFigures } from "../../api/agents.ts";
import { queryOf } from "../../api/client.ts";
import { count, duration, money } from "../../lib/format.ts";
import { rate } from "../../lib/rates.ts";
import { DataList, type Column } from "../../parts/data-list.tsx";
import { Figure, Panel } from "../../parts/panel.tsx";
import { Answered } from "../../parts/states.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useLang, useTerms, useWords } from "../../parts/use-words.ts";
import { agentsWords } from "../../words/agents.ts";

const EVERY_MS = 30_000;

type Stats = NonNullable<Agent["stats"]>;

function DayFigures({ of }: { of: AgentFigures }) {
  const say = useWords(agentsWords);
  const lang = useLang();
  const { duration_s } = of;
  return (
    <>
      <dl class="figures">
        <Figure name={say("volume")} note={say("openNote", { n: of.open })}>
          {count(of.volume, lang)}
        </Figure>
        <Figure name={say("success")}>{rate(of.success_rate, lang)}</Figure>
        <Figure
          name={say("median")}
          note={
            duration_s === null
              ? undefined
              : say("p95", { t: duration(duration_s.p95 * 1_000, lang) })
          }
        >
          {duration_s === null ? "—" : duration(duration_s.p50 * 1_000, lang)}
        </Figure>
        <Figure name={say("cost")} note={say("tokens", { n: count(of.tokens, lang) })}>
          {money(of.cost_usd, lang)}
        </Figure>
        <Figure name={say("escalations")} note={say("retriesNote", { n: of.retries })}>
          {of.escalations}
        </Figure>
      </dl>
      {of.failure_causes.length > 0 && (
        <div class="causes">
          <h3>{say("causes")}</h3>
          <ul class="dashed">
            {of.failure_causes.map(({ cause, count: times }) => (
              <li key={cause}>
                {cause} <span class="quiet">× {times}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

/** What an agent has done with the tasks of the last day (GET /v1/metrics). */
export function Day({ id }: { id: string }) {
  const say = useWords(agentsWords);
  const path = `/v1/metrics${queryOf({ by: "agent", agent_id: id })}`;
  const known = useAnswer(path, agentMetrics, EVERY_MS);
  return (
    <Panel title={say("day")}>
      <Answered known={known}>
        {({ groups }) => {
          const own = groups.find(({ key }) => key === id);
          return own === undefined ? (
            <p class="quiet">{say("dayNone")}</p>
          ) : (
            <DayFigures of={own} />
          );
        }}
      </Answered>
    </Panel>
  );
}

type TypeRow = [type: string, stats: Stats["per_task_type"][string]];

function ByType({ of }: { of: readonly TypeRow[] }) {
  const say = useWords(agentsWords);
  const term = useTerms();
  const lang = useLang();
  const columns: readonly Column<TypeRow>[] = [
    { id: "type", title: say("type"), kind: "wide", cell: ([type]) => term(type) },
    {
      id: "success",
      title: say("success"),
      kind: "number",
      cell: ([, { success_rate }]) => rate(success_rate, lang),
    },
    {
      id: "quality",
      title: say("quality"),
      kind: "number",
      cell: ([, { quality }]) => rate(quality, lang),
    },
    {
      id: "duration",
      title: say("duration"),
      kind: "number",
      cell: ([, { duration_s }]) =>
        duration_s === null ? "—" : duration(duration_s * 1_000, lang),
    },
    {
      id: "cost",
      title: say("cost"),
      kind: "number",
      cell: ([, { cost_usd }]) => (cost_usd === null ? "—" : money(cost_usd, lang)),
    },
  ];
  return (
    <Panel title={say("byType")}>
      <DataList caption={say("byType")} columns={columns} rows={of} rowKey={([type]) => type} />
    </Panel>
  );
}

/** What is known of an agent from how its attempts went: its reputation. */
export function Standing({ of }: { of: Stats }) {
  const say = useWords(agentsWords);
  const lang = useLang();
  const types = Object.entries(of.per_task_type);
  return (
    <>
      <Panel title={say("record")} aside={<span class="quiet">{say("recordNote")}</span>}>
        <dl class="figures">
          <Figure name={say("success")}>{rate(of.success_rate, lang)}</Figure>
          <Figure name={say("quality")}>{rate(of.quality, lang)}</Figure>
          <Figure name={say("onTime")}>{rate(of.on_time_rate, lang)}</Figure>
          <Figure name={say("accepts")}>{rate(of.accept_rate, lang)}</Figure>
          <Figure name={say("losesLeases")}>{rate(of.lease_loss_rate, lang)}</Figure>
        </dl>
        <p class="row counts">
          {(
            [
              ["assigned", of.assigned],
              ["completed", of.completed],
              ["failed", of.failed],
              ["declined", of.declined],
              ["lost", of.lost_leases],
              ["stalled", of.stalled],
            ] as const
          ).map(([words, times]) => (
            <span key={words}>
              <span class="quiet">{say(words)}</span> {count(times, lang)}
            </span>
          ))}
        </p>
      </Panel>
      {types.length > 0 && <ByType of={types} />}
    </>
  );
}
