import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { call, queryOf } from "../../api/client.ts";
import type { Problem } from "../../api/problem.ts";
import { taskPage, type Task } from "../../api/tasks.ts";
import { mergeRows } from "../../lib/row-merge.ts";

/** How often the newest tasks are looked at, milliseconds. */
const REFRESH_MS = 3_000;
const PAGE = 50;

/** The tasks of a filter, as they are shown. */
export interface TaskRows {
  rows: Task[] | null;
  waiting: number;
  problem: Problem | null;
  hasMore: boolean;
  showWaiting: () => void;
  showMore: () => void;
  reload: () => void;
}

const keyOf = ({ task_id }: Task): string => task_id;

/** Whether new rows may come in above what is read: at the top of the page, with no row chosen. */
function isAtTop(): boolean {
  return window.scrollY < 80 && document.activeElement?.closest("tbody") == null;
}

interface State {
  rows: Task[];
  waiting: Task[];
  cursor: string | null;
}

/** Follows the list of tasks: its newest page again and again, older ones when they are asked for. */
export function useTaskRows(filters: Record<string, string>): TaskRows {
  const query = queryOf({ ...filters, limit: PAGE });
  const [state, setState] = useState<State | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);
  const current = useRef(query);
  current.current = query;

  useEffect(() => {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    setState(null);
    setProblem(null);
    const look = async (): Promise<void> => {
      if (document.visibilityState === "visible") {
        const answer = await call(`/v1/tasks${query}`, taskPage, { signal: controller.signal });
        if (controller.signal.aborted) return;
        setProblem(answer.ok ? null : answer.problem);
        if (answer.ok) setState((before) => renewed(before, answer.value));
        else if ([400, 401, 403].includes(answer.problem.status)) return;
      }
      timer = setTimeout(() => void look(), REFRESH_MS);
    };
    void look();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [query, turn]);

  const showMore = async (): Promise<void> => {
    if (state?.cursor == null) return;
    const more = queryOf({ ...filters, limit: PAGE, cursor: state.cursor });
    const answer = await call(`/v1/tasks${more}`, taskPage);
    if (current.current !== query) return;
    if (answer.ok) setState((before) => before && extended(before, answer.value));
    else setProblem(answer.problem);
  };

  return {
    rows: state?.rows ?? null,
    waiting: state?.waiting.length ?? 0,
    problem,
    hasMore: state?.cursor != null,
    showWaiting: useCallback(
      () => setState((now) => now && { ...now, rows: [...now.waiting, ...now.rows], waiting: [] }),
      [],
    ),
    showMore: () => void showMore(),
    reload: useCallback(() => setTurn((before) => before + 1), []),
  };
}

type Page = ReturnType<typeof taskPage>;

function renewed(before: State | null, { items, next_cursor }: Page): State {
  if (before === null) return { rows: items, waiting: [], cursor: next_cursor };
  return { ...before, ...mergeRows(before.rows, items, { keyOf, isAtTop: isAtTop() }) };
}

function extended(before: State, { items, next_cursor }: Page): State {
  const known = new Set(before.rows.map(keyOf));
  return {
    ...before,
    rows: [...before.rows, ...items.filter((row) => !known.has(keyOf(row)))],
    cursor: next_cursor,
  };
}
