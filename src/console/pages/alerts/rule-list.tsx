import { rulePage, type Rule } from "../../api/alerts.ts";
import { limitOf } from "../../lib/alert-limit.ts";
import { duration } from "../../lib/format.ts";
import { Badge, Term } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { Paged } from "../../parts/paged.tsx";
import { usePages } from "../../parts/use-pages.ts";
import { useLang, useTerms, useWords } from "../../parts/use-words.ts";
import { alertsWords } from "../../words/alerts.ts";
import { Present } from "./parts.tsx";

const EVERY_MS = 30_000;
const keyOf = ({ rule_id }: Rule): string => rule_id;

const SENTENCES = { above: "above", below: "below", anomaly: "anomaly" } as const;

/** When a rule fires, as a sentence. */
function Condition({ of }: { of: Rule }) {
  const say = useWords(alertsWords);
  const term = useTerms();
  const lang = useLang();
  const names: Record<string, string> = alertsWords[lang];
  const about = [of.task_type === null ? null : term(of.task_type), of.agent_id, of.slo_id].filter(
    (one) => one !== null,
  );
  const metric = [names[of.metric] ?? of.metric, ...about].join(" · ");
  const sentence = SENTENCES[of.comparison as keyof typeof SENTENCES] ?? "above";
  return (
    <>
      {say(sentence, { metric, limit: limitOf(of, lang) })}
      <span class="below">
        {say("holdsFor", {
          window: duration(of.window_s * 1_000, lang),
          hold: duration(of.for_s * 1_000, lang),
        })}
      </span>
    </>
  );
}

function useColumns(): readonly Column<Rule>[] {
  const say = useWords(alertsWords);
  return [
    {
      id: "rule",
      title: say("rule"),
      cell: ({ title, rule_id }) => (
        <>
          {title}
          <span class="below mono">{rule_id}</span>
        </>
      ),
    },
    { id: "when", title: say("condition"), kind: "wide", cell: (row) => <Condition of={row} /> },
    { id: "severity", title: say("severity"), cell: ({ severity }) => <Term of={severity} /> },
    {
      id: "enabled",
      title: say("enabled"),
      cell: ({ is_enabled }) => (
        <Badge tone={is_enabled ? "good" : "off"}>{say(is_enabled ? "on" : "off")}</Badge>
      ),
    },
    {
      id: "source",
      title: say("source"),
      kind: "extra",
      cell: ({ source }) => say(source === "tenant" ? "source_tenant" : "source_default"),
    },
  ];
}

/** The rules that watch figures. */
export function RuleList() {
  const say = useWords(alertsWords);
  const columns = useColumns();
  const known = usePages("/v1/alert-rules", {}, rulePage, { keyOf, everyMs: EVERY_MS });
  return (
    <Present known={known}>
      <Paged
        known={known}
        caption={say("rulesCaption")}
        columns={columns}
        rowKey={keyOf}
        nothing={say("noRules")}
      />
    </Present>
  );
}
