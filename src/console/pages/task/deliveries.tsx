import { queryOf } from "../../api/client.ts";
import { taskDeliveries, type Task } from "../../api/tasks.ts";
import { routeTo } from "../../lib/route.ts";
import type { Read } from "../../lib/shape.ts";
import { Term } from "../../parts/badge.tsx";
import { DataList, type Column } from "../../parts/data-list.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { Ago } from "../../parts/time.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useLang, useWords } from "../../parts/use-words.ts";
import { eventWords } from "../../words/events.ts";
import { taskWords } from "../../words/task.ts";

/** How often deliveries are asked for, milliseconds: they go on after the task has ended. */
const EVERY_MS = 5_000;

type Notified = Read<typeof taskDeliveries>["items"][number];
interface Row {
  seq: number;
  type: string;
  delivery: Notified["deliveries"][number];
}

const rowsOf = (items: readonly Notified[]): Row[] =>
  items.flatMap(({ seq, type, deliveries }) =>
    deliveries.map((delivery) => ({ seq, type, delivery })),
  );

/** What became of a task's notifications, endpoint by endpoint. */
export function Deliveries({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const names: Record<string, string> = eventWords[useLang()];
  const path = `/v1/tasks/${encodeURIComponent(of.task_id)}/deliveries${queryOf({ limit: 100 })}`;
  const known = useAnswer(path, taskDeliveries, EVERY_MS);
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
    <Answered known={known}>
      {({ items }) => {
        const rows = rowsOf(items);
        return rows.length === 0 ? (
          <Empty>
            <p>{say("noDeliveries")}</p>
          </Empty>
        ) : (
          <DataList
            caption={say("deliveries")}
            columns={columns}
            rows={rows}
            rowKey={({ delivery }) => delivery.delivery_id}
            href={({ delivery: { webhook_id, delivery_id } }) =>
              routeTo("webhooks", webhook_id, { delivery: delivery_id })
            }
          />
        );
      }}
    </Answered>
  );
}
