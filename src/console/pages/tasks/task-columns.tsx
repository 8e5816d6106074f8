import type { Task } from "../../api/tasks.ts";
import { money, type Lang } from "../../lib/format.ts";
import { Term } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { Progress } from "../../parts/progress.tsx";
import { Ago } from "../../parts/time.tsx";
import type { Say } from "../../parts/use-words.ts";
import type { tasksWords } from "../../words/tasks.ts";

type Words = keyof (typeof tasksWords)["en"];

/** What tells the priorities apart without a colour. */
const MARKS: Record<string, string> = { critical: "‼", high: "↑", low: "↓" };

function Doing({ row, say }: { row: Task; say: Say<Words> }) {
  const isGoing = row.progress_percentage !== null && row.ended_at === null;
  return (
    <>
      <span class="clamp">{row.description}</span>
      {isGoing && (
        <Progress
          value={row.progress_percentage ?? 0}
          label={say("progressOf", { id: row.task_id })}
        />
      )}
    </>
  );
}

/** The columns of the list of tasks. */
export function taskColumns(
  say: Say<Words>,
  term: (word: string) => string,
  lang: Lang,
): readonly Column<Task>[] {
  return [
    {
      id: "task",
      title: say("task"),
      cell: (row) => <span class="mono">{row.task_id}</span>,
    },
    {
      id: "status",
      title: say("status"),
      cell: (row) => (
        <>
          <Term of={row.status} />
          {row.ended_at === null && row.phase !== row.status && (
            <span class="below">{term(row.phase)}</span>
          )}
        </>
      ),
    },
    {
      id: "doing",
      title: say("doing"),
      kind: "wide",
      cell: (row) => <Doing row={row} say={say} />,
    },
    { id: "type", title: say("type"), kind: "extra", cell: (row) => term(row.task_type) },
    {
      id: "priority",
      title: say("priority"),
      kind: "extra",
      cell: (row) => (
        <span class={row.priority === "normal" ? "quiet nowrap" : "nowrap"}>
          {MARKS[row.priority]} {term(row.priority)}
        </span>
      ),
    },
    { id: "agent", title: say("agent"), kind: "extra", cell: (row) => row.agent_id ?? "—" },
    {
      id: "cost",
      title: say("cost"),
      kind: "extra",
      cell: (row) => <span class="nowrap">{money(row.usage.cost_usd, lang)}</span>,
    },
    {
      id: "created",
      title: say("created"),
      kind: "number",
      cell: (row) => <Ago at={row.created_at} />,
    },
  ];
}
