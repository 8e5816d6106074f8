import { alertPage, type Alert } from "../../api/alerts.ts";
import { refilter } from "../../lib/address.ts";
import { routeTo } from "../../lib/route.ts";
import { Badge, Term } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { ChoiceField } from "../../parts/field.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Ago } from "../../parts/time.tsx";
import { usePages } from "../../parts/use-pages.ts";
import { useTerms, useWords } from "../../parts/use-words.ts";
import { alertsWords } from "../../words/alerts.ts";
import { Present } from "./parts.tsx";

const EVERY_MS = 5_000;
const CHOICES = [
  ["state", ["firing", "resolved"]],
  ["severity", ["critical", "error", "warning", "info"]],
] as const;

const keyOf = ({ alert_id }: Alert): string => alert_id;

function Care({ of }: { of: Alert }) {
  const say = useWords(alertsWords);
  if (of.acknowledged_at !== null) return <Badge tone="good">{of.acknowledged_by}</Badge>;
  if (of.silenced_by !== null) return <Badge tone="off">{say("silenced")}</Badge>;
  return <span class="quiet">—</span>;
}

function useColumns(): readonly Column<Alert>[] {
  const say = useWords(alertsWords);
  return [
    { id: "alert", title: say("alert"), kind: "wide", cell: ({ title }) => title },
    { id: "state", title: say("state"), cell: ({ state }) => <Term of={state} /> },
    { id: "severity", title: say("severity"), cell: ({ severity }) => <Term of={severity} /> },
    { id: "subject", title: say("subject"), kind: "extra", cell: ({ subject }) => subject },
    { id: "care", title: say("care"), kind: "extra", cell: (row) => <Care of={row} /> },
    {
      id: "since",
      title: say("since"),
      kind: "number",
      cell: ({ fired_at }) => <Ago at={fired_at} />,
    },
  ];
}

/** Alerts that fire or have fired. */
export function AlertList({ query }: { query: Record<string, string> }) {
  const say = useWords(alertsWords);
  const term = useTerms();
  const columns = useColumns();
  const filters = { state: query["state"], severity: query["severity"] };
  const known = usePages("/v1/alerts", filters, alertPage, { keyOf, everyMs: EVERY_MS });
  const isFiltered = Object.values(filters).some((value) => value !== undefined);
  return (
    <Present known={known}>
      <div class="toolbar" role="search">
        {CHOICES.map(([name, values]) => (
          <ChoiceField
            key={name}
            label={say(name)}
            value={query[name] ?? ""}
            onValue={(value) => refilter("alerts", null, { [name]: value })}
            choices={[["", say("any")], ...values.map((one) => [one, term(one)] as const)]}
          />
        ))}
      </div>
      <Paged
        known={known}
        caption={say("caption")}
        columns={columns}
        rowKey={keyOf}
        href={(row) => routeTo("alerts", row.alert_id)}
        nothing={say(isFiltered ? "noneFit" : "noneYet")}
      />
    </Present>
  );
}
