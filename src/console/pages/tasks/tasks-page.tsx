import { useState } from "preact/hooks";

import type { Task } from "../../api/tasks.ts";
import { routeTo } from "../../lib/route.ts";
import { DataList } from "../../parts/data-list.tsx";
import { Page as Frame, type PageProps } from "../../parts/page.tsx";
import { Empty, Loading, ProblemNote } from "../../parts/states.tsx";
import { useLang, useTerms, useWords } from "../../parts/use-words.ts";
import { shellWords } from "../../words/shell.ts";
import { tasksWords } from "../../words/tasks.ts";
import { SubmitDialog } from "./submit-dialog.tsx";
import { taskColumns } from "./task-columns.tsx";
import { TaskFilters } from "./task-filters.tsx";
import { useTaskRows, type TaskRows } from "./use-task-rows.ts";

const FILTERS = ["status", "phase", "task_type", "priority", "agent_id", "tag"];

/** Whether a task has all of these words in its id, description or current step. */
function hasWords(row: Task, words: string): boolean {
  const text = `${row.task_id} ${row.description} ${row.current_step ?? ""}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function Rows({ rows, nothing }: { rows: readonly Task[]; nothing: string }) {
  const say = useWords(tasksWords);
  const columns = taskColumns(say, useTerms(), useLang());
  if (rows.length === 0) {
    return (
      <Empty>
        <p>{nothing}</p>
      </Empty>
    );
  }
  return (
    <DataList
      caption={say("caption")}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.task_id}
      href={(row) => routeTo("tasks", row.task_id)}
    />
  );
}

/** New tasks that wait to be shown. */
function Waiting({ of: { waiting, isCut, showWaiting } }: { of: TaskRows }) {
  const say = useWords(tasksWords);
  if (waiting === 0) return null;
  return (
    <p class="list-foot" role="status">
      <button type="button" class="button" onClick={showWaiting}>
        {say("fresh", { n: isCut ? `${waiting}+` : waiting })}
      </button>
    </p>
  );
}

/** The list of tasks. */
export function Page({ query }: PageProps) {
  const say = useWords(tasksWords);
  const shell = useWords(shellWords);
  const [words, setWords] = useState("");
  const [isSubmitting, setSubmitting] = useState(query["new"] !== undefined);
  const filters = Object.fromEntries(
    Object.entries(query).filter(([name]) => FILTERS.includes(name)),
  );
  const list = useTaskRows(filters);
  const rows = list.rows?.filter((row) => hasWords(row, words)) ?? null;
  const submit = (
    <button type="button" class="button primary" onClick={() => setSubmitting(true)}>
      {say("new")}
    </button>
  );
  const isUnfiltered = Object.keys(filters).length === 0 && words === "";
  return (
    <Frame title={say("title")} aside={submit}>
      <TaskFilters query={filters} words={words} onWords={setWords} />
      {list.problem !== null && <ProblemNote problem={list.problem} onRetry={list.reload} />}
      <Waiting of={list} />
      {rows === null && list.problem === null && <Loading />}
      {rows !== null && <Rows rows={rows} nothing={say(isUnfiltered ? "noneYet" : "noneFit")} />}
      {list.hasMore && (
        <p class="list-foot">
          <button type="button" class="button" onClick={list.showMore}>
            {shell("more")}
          </button>
        </p>
      )}
      {isSubmitting && <SubmitDialog onClose={() => setSubmitting(false)} />}
    </Frame>
  );
}
