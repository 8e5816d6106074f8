import { isTold, type Objective, type Overview } from "../../api/overview.ts";
import { percent } from "../../lib/format.ts";
import { DataList, type Column } from "../../parts/data-list.tsx";
import { Glyph } from "../../parts/glyph.tsx";
import { Panel } from "../../parts/panel.tsx";
import { useLang, useWords } from "../../parts/use-words.ts";
import { overviewWords } from "../../words/overview.ts";

function Budget({ of: { title, budget_left, budget_total } }: { of: Objective }) {
  const say = useWords(overviewWords);
  const lang = useLang();
  const share = budget_total > 0 ? budget_left / budget_total : budget_left < 0 ? -1 : 1;
  const tone = share < 0 ? "bad" : share < 0.25 ? "warn" : "good";
  return (
    <span class={`budget tone-${tone}`}>
      <Glyph tone={tone} />
      <meter
        min={0}
        max={1}
        value={Math.max(0, share)}
        aria-label={say("budgetOf", { name: title })}
      />
      <span class="nowrap">{share < 0 ? say("overspent") : percent(share, lang)}</span>
    </span>
  );
}

const rate = (value: number | null): string => (value === null ? "—" : value.toFixed(1));

/** Objectives and what is left of their error budgets. */
export function Objectives({ of }: { of: Overview }) {
  const say = useWords(overviewWords);
  const lang = useLang();
  const columns: readonly Column<Objective>[] = [
    { id: "title", title: say("objective"), cell: ({ title }) => title },
    {
      id: "attained",
      title: say("attained"),
      kind: "number",
      cell: ({ attained }) => (attained === null ? "—" : percent(attained, lang)),
    },
    {
      id: "target",
      title: say("target"),
      kind: "number",
      cell: ({ target }) => percent(target, lang),
    },
    { id: "budget", title: say("budget"), cell: (row) => <Budget of={row} /> },
    {
      id: "burn",
      title: say("burn"),
      kind: "extra",
      cell: (row) => `${rate(row.burn_rate_1h)} / ${rate(row.burn_rate_6h)}`,
    },
  ];
  return (
    <Panel title={say("objectives")}>
      {of.objectives.length === 0 ? (
        <p class="quiet">{say(isTold(of, "objectives") ? "noObjectives" : "unknown")}</p>
      ) : (
        <DataList
          caption={`${say("objectives")}: ${say("budget")}`}
          columns={columns}
          rows={of.objectives}
          rowKey={({ slo_id }) => slo_id}
        />
      )}
    </Panel>
  );
}
