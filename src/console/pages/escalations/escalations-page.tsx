import { escalationPage, type Escalation } from "../../api/escalations.ts";
import { refilter } from "../../lib/address.ts";
import { inboxOrder } from "../../lib/inbox.ts";
import { routeTo } from "../../lib/route.ts";
import { Term } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { ChoiceField } from "../../parts/field.tsx";
import { Page as Frame, type PageProps } from "../../parts/page.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Tags } from "../../parts/tags.tsx";
import { Ago } from "../../parts/time.tsx";
import { usePages } from "../../parts/use-pages.ts";
import { useTerms, useWords } from "../../parts/use-words.ts";
import { escalationsWords } from "../../words/escalations.ts";
import { Urgency } from "./urgency.tsx";

const EVERY_MS = 4_000;

/** In the address `any` asks for all states, because nothing said means the open ones. */
const ANY = "any";
const CHOICES = [
  ["state", ["open", "resolved", "expired", "cancelled"]],
  ["urgency", ["critical", "high", "medium", "low"]],
  ["kind", ["question", "approval", "handover"]],
] as const;

const keyOf = ({ escalation_id }: Escalation): string => escalation_id;

function useColumns(): readonly Column<Escalation>[] {
  const say = useWords(escalationsWords);
  const term = useTerms();
  return [
    {
      id: "question",
      title: say("question"),
      kind: "wide",
      cell: ({ question }) => <span class="clamp">{question}</span>,
    },
    { id: "state", title: say("state"), cell: ({ state }) => <Term of={state} /> },
    { id: "urgency", title: say("urgency"), cell: ({ urgency }) => <Urgency of={urgency} /> },
    { id: "kind", title: say("kind"), kind: "extra", cell: ({ kind }) => term(kind) },
    {
      id: "options",
      title: say("options"),
      kind: "extra",
      cell: ({ options }) => <Tags of={options.slice(0, 3).map((one) => one.slice(0, 40))} />,
    },
    {
      id: "task",
      title: say("task"),
      cell: ({ task_id }) => (
        <a class="mono" href={routeTo("tasks", task_id)}>
          {task_id}
        </a>
      ),
    },
    {
      id: "asked",
      title: say("asked"),
      kind: "number",
      cell: ({ created_at }) => <Ago at={created_at} />,
    },
  ];
}

function Filters({ query }: { query: Record<string, string> }) {
  const say = useWords(escalationsWords);
  const term = useTerms();
  const put = (part: Record<string, string>): void => refilter("escalations", null, part);
  const task = query["task_id"];
  return (
    <div class="toolbar" role="search">
      {CHOICES.map(([name, values]) => (
        <ChoiceField
          key={name}
          label={say(name)}
          value={query[name] ?? (name === "state" ? "open" : "")}
          onValue={(value) => put({ [name]: value })}
          choices={[
            [name === "state" ? ANY : "", say("any")],
            ...values.map((one) => [one, term(one)] as const),
          ]}
        />
      ))}
      {task !== undefined && (
        <p>
          {say("onlyTask", { id: task })}{" "}
          <a href={routeTo("escalations", null, { ...query, task_id: "" })}>{say("ofAllTasks")}</a>
        </p>
      )}
    </div>
  );
}

/** The inbox: what tasks wait for an answer to. */
export function Page({ query }: PageProps) {
  const say = useWords(escalationsWords);
  const columns = useColumns();
  const state = query["state"] ?? "open";
  const filters = {
    state: state === ANY ? undefined : state,
    urgency: query["urgency"],
    kind: query["kind"],
    task_id: query["task_id"],
  };
  const known = usePages("/v1/escalations", filters, escalationPage, { keyOf, everyMs: EVERY_MS });
  const ordered = { ...known, value: known.value === null ? null : inboxOrder(known.value) };
  const isPlain = Object.keys(query).length === 0;
  return (
    <Frame title={say("title")}>
      <Filters query={query} />
      <Paged
        known={ordered}
        caption={say("caption")}
        columns={columns}
        rowKey={keyOf}
        href={(row) => routeTo("escalations", row.escalation_id)}
        nothing={say(isPlain ? "noneOpen" : "noneFit")}
      />
    </Frame>
  );
}
