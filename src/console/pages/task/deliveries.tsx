import { taskDeliveries, type Notified, type Task } from "../../api/tasks.ts";
import { routeTo } from "../../lib/route.ts";
import { Term } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Ago } from "../../parts/time.tsx";
import { usePages } from "../../parts/use-pages.ts";
import { useLang, useWords } from "../../parts/use-words.ts";
import { eventWords } from "../../words/events.ts";
import { taskWords } from "../../words/task.ts";

/** How often deliveries are asked for, milliseconds: they go on after the task has ended. */
const EVERY_MS = 5_000;

interface Row {
  seq: number;
  type: string;
  delivery: Notified["deliveries"][number];
}

const keyOf = ({ seq }: Notified): string => String(seq);

const rowsOf = (items: readonly Notified[]): Row[] =>
  items.flatMap(({ seq, type, deliveries }) =>
    deliveries.map((delivery) => ({ seq, type, delivery })),
  );

/** What became of a task's notifications, endpoint by endpoint. */
export function Deliveries({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const names: Record<string, string> = eventWords[useLang()];
  const path = `/v1/tasks/${encodeURIComponent(of.task_id)}/deliveries`;
  const cursorName = "after";
  const known = usePages(path, {}, taskDeliveries, { keyOf, everyMs: EVERY_MS, cursorName });
  const columns: readonly Column<Row>[] = [
    {
      id: "event",
      title: say("event"),
      cell: ({ type, seq }) => `${names[type] ?? type} · ${seq}`,
    },
    { id: "state", title: say("state"), cell: ({ delivery }) => <Term of={delivery.state} /> },
    {
      id: "endpoint",
      title: say("endpoint"),
      kind: "wide",
      cell: ({ delivery }) => <span class="mono">{delivery.webhook_id}</span>,
    },
    {
      id: "tries",
      title: say("tries"),
      kind: "number",
      cell: ({ delivery }) => delivery.attempts_made,
    },
    {
      id: "at",
      title: say("given"),
      kind: "number",
      cell: ({ delivery }) => <Ago at={delivery.delivered_at ?? delivery.created_at} />,
    },
  ];
  return (
    <Paged
      known={{ ...known, value: known.value && rowsOf(known.value) }}
      caption={say("deliveries")}
      columns={columns}
      rowKey={({ delivery }) => delivery.delivery_id}
      href={({ delivery: { webhook_id, delivery_id } }) =>
        routeTo("webhooks", webhook_id, { delivery: delivery_id })
      }
      nothing={say("noDeliveries")}
    />
  );
}
