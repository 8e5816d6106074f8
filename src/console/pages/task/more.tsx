import { children, commandPage, notes, type Task } from "../../api/tasks.ts";
import { money } from "../../lib/format.ts";
import { routeTo } from "../../lib/route.ts";
import type { Read } from "../../lib/shape.ts";
import { Term } from "../../parts/badge.tsx";
import { DataList, type Column } from "../../parts/data-list.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Progress } from "../../parts/progress.tsx";
import { Answered } from "../../parts/states.tsx";
import { Ago } from "../../parts/time.tsx";
import { useAnswer } from "../../parts/use-answer.ts";
import { useLang, useWords } from "../../parts/use-words.ts";
import { taskWords } from "../../words/task.ts";

type Child = Read<typeof children>["subtasks"][number];
type Ordered = Read<typeof commandPage>["items"][number];

const at = (of: Task, what: string): string =>
  `/v1/tasks/${encodeURIComponent(of.task_id)}/${what}`;

function Children({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const lang = useLang();
  const known = useAnswer(at(of, "subtasks"), children, of.ended_at === null ? 5_000 : 0);
  const columns: readonly Column<Child>[] = [
    {
      id: "task",
      title: say("family"),
      cell: ({ task_id }) => <span class="mono">{task_id}</span>,
    },
    { id: "status", title: say("state"), cell: ({ status }) => <Term of={status} /> },
    {
      id: "progress",
      title: say("progress"),
      kind: "wide",
      cell: (row) => <Progress value={row.progress_percentage} label={row.task_id} />,
    },
    { id: "agent", title: say("agent"), kind: "extra", cell: ({ agent_id }) => agent_id ?? "—" },
    {
      id: "cost",
      title: say("cost"),
      kind: "number",
      cell: ({ usage }) => money(usage.cost_usd, lang),
    },
  ];
  return (
    <Panel title={say("family")}>
      <Answered known={known}>
        {({ subtasks }) =>
          subtasks.length === 0 ? (
            <p class="quiet">{say("noFamily")}</p>
          ) : (
            <DataList
              caption={say("family")}
              columns={columns}
              rows={subtasks}
              rowKey={({ task_id }) => task_id}
              href={({ task_id }) => routeTo("tasks", task_id)}
            />
          )
        }
      </Answered>
    </Panel>
  );
}

function Orders({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const known = useAnswer(at(of, "commands"), commandPage, of.ended_at === null ? 5_000 : 0);
  const columns: readonly Column<Ordered>[] = [
    { id: "command", title: say("order"), cell: ({ command }) => command.replaceAll("_", " ") },
    { id: "state", title: say("state"), cell: ({ state }) => <Term of={state} /> },
    {
      id: "reason",
      title: say("reason"),
      kind: "wide",
      cell: ({ reason, actor }) => (
        <>
          {reason}
          <span class="below">{`${actor.kind} ${actor.id}`}</span>
        </>
      ),
    },
    {
      id: "given",
      title: say("given"),
      kind: "number",
      cell: ({ requested_at }) => <Ago at={requested_at} />,
    },
  ];
  return (
    <Panel title={say("orders")}>
      <Answered known={known}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="quiet">{say("noOrders")}</p>
          ) : (
            <DataList
              caption={say("orders")}
              columns={columns}
              rows={items}
              rowKey={({ command_id }) => command_id}
            />
          )
        }
      </Answered>
    </Panel>
  );
}

function Notes({ of }: { of: Task }) {
  const say = useWords(taskWords);
  const known = useAnswer(at(of, "notes"), notes);
  return (
    <Panel title={say("notes")}>
      <Answered known={known}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="quiet">{say("noNotes")}</p>
          ) : (
            <ul class="stack">
              {items.map(({ key, value, agent_id, updated_at }) => (
                <li key={key}>
                  <p>
                    <strong class="mono">{key}</strong> <span class="quiet">{agent_id}</span>{" "}
                    <Ago at={updated_at} />
                  </p>
                  <JsonView value={value} label={key} />
                </li>
              ))}
            </ul>
          )
        }
      </Answered>
    </Panel>
  );
}

/** What else belongs to a task: its subtasks, the commands it was given, what its executors noted. */
export function More({ of }: { of: Task }) {
  const say = useWords(taskWords);
  return (
    <div class="stack">
      <Children of={of} />
      <Orders of={of} />
      <Notes of={of} />
      {of.metadata !== null && of.metadata !== undefined && (
        <Panel title={say("metadata")}>
          <JsonView value={of.metadata} label={say("metadata")} />
        </Panel>
      )}
    </div>
  );
}
