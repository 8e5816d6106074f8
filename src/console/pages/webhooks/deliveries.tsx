import { deliveryPage, type Delivery } from "../../api/webhooks.ts";
import { refilter } from "../../lib/address.ts";
import { routeTo } from "../../lib/route.ts";
import { Term } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { ChoiceField } from "../../parts/field.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Ago } from "../../parts/time.tsx";
import { TypedField } from "../../parts/typed-field.tsx";
import { usePages } from "../../parts/use-pages.ts";
import { useLang, useTerms, useWords } from "../../parts/use-words.ts";
import { eventWords } from "../../words/events.ts";
import { webhooksWords } from "../../words/webhooks.ts";

const EVERY_MS = 5_000;
const STATES = ["pending", "delivering", "delivered", "retrying", "held", "exhausted", "cancelled"];

const keyOf = ({ delivery_id }: Delivery): string => delivery_id;

function Filters({ id, query }: { id: string; query: Record<string, string> }) {
  const say = useWords(webhooksWords);
  const term = useTerms();
  const put = (part: Record<string, string>): void => refilter("webhooks", id, part);
  return (
    <div class="toolbar" role="search">
      <ChoiceField
        label={say("state")}
        value={query["state"] ?? ""}
        onValue={(state) => put({ state })}
        choices={[["", say("anyState")], ...STATES.map((one) => [one, term(one)] as const)]}
      />
      <TypedField
        label={say("taskFilter")}
        value={query["task_id"] ?? ""}
        onValue={(task_id) => put({ task_id: task_id.trim() })}
      />
    </div>
  );
}

function useColumns(): readonly Column<Delivery>[] {
  const say = useWords(webhooksWords);
  const names: Record<string, string> = eventWords[useLang()];
  return [
    {
      id: "event",
      title: say("event"),
      cell: ({ type, seq }) => `${names[type] ?? type}${seq === null ? "" : ` · ${seq}`}`,
    },
    { id: "state", title: say("state"), cell: ({ state }) => <Term of={state} /> },
    {
      id: "task",
      title: say("task"),
      kind: "wide",
      cell: ({ task_id }) =>
        task_id === null ? (
          <span class="quiet">—</span>
        ) : (
          <a class="mono" href={routeTo("tasks", task_id)}>
            {task_id}
          </a>
        ),
    },
    {
      id: "tries",
      title: say("tries"),
      kind: "number",
      cell: ({ attempts_made }) => attempts_made,
    },
    {
      id: "when",
      title: say("when"),
      kind: "number",
      cell: ({ created_at }) => <Ago at={created_at} />,
    },
  ];
}

/** The deliveries of an endpoint. */
export function Deliveries({ id, query }: { id: string; query: Record<string, string> }) {
  const say = useWords(webhooksWords);
  const columns = useColumns();
  const path = `/v1/webhooks/${encodeURIComponent(id)}/deliveries`;
  const filters = { state: query["state"], task_id: query["task_id"] };
  const known = usePages(path, filters, deliveryPage, { keyOf, everyMs: EVERY_MS });
  const isFiltered = Object.values(filters).some((value) => value !== undefined);
  return (
    <Panel title={say("deliveries")} class="with-list">
      <Filters id={id} query={query} />
      <Paged
        known={known}
        caption={say("deliveriesCaption")}
        columns={columns}
        rowKey={keyOf}
        href={({ delivery_id }) => routeTo("webhooks", id, { delivery: delivery_id })}
        nothing={say(isFiltered ? "noneFit" : "noDeliveries")}
      />
    </Panel>
  );
}
