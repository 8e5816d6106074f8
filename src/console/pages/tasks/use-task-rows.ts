import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { call, queryOf } from "../../api/client.ts";
import type { Answer, Problem } from "../../api/problem.ts";
import { taskPage, type Task } from "../../api/tasks.ts";
import { lookAgain } from "../../lib/looks.ts";
import { readChain, type Chain } from "../../lib/page-chain.ts";
import { mergeRows, type Merged } from "../../lib/row-merge.ts";
import { whenSeen } from "../../parts/use-answer.ts";

/** How often tasks are looked at, milliseconds for each page of them that is shown. */
const REFRESH_MS = 3_000;
const PAGE = 50;
/** Pages that are read beyond those asked for, to reach rows that new ones have pushed down. */
const MOST_PUSHED = 2;

/** The tasks of a filter, as they are shown. */
export interface TaskRows {
  rows: Task[] | null;
  waiting: number;
  /** More than `waiting` are new. */
  isCut: boolean;
  problem: Problem | null;
  hasMore: boolean;
  showWaiting: () => void;
  showMore: () => void;
  reload: () => void;
}

const keyOf = ({ task_id }: Task): string => task_id;

/** Whether a task stands behind another in the list: by when it was made, then by its id, backwards. */
function isBehind(row: Task, other: Task): boolean {
  return row.created_at === other.created_at
    ? row.task_id < other.task_id
    : row.created_at < other.created_at;
}

/** Whether new rows may come in above what is read: at the top of the page, with no row chosen. */
function isAtTop(): boolean {
  return window.scrollY < 80 && document.activeElement?.closest("tbody") == null;
}

interface State extends Merged<Task> {
  /** The list as it was read last. */
  fresh: Chain<Task>;
}

function renewed(before: State | null, fresh: Chain<Task>): State {
  const last = fresh.items.at(-1);
  const merged = mergeRows(before?.rows ?? [], fresh.items, {
    keyOf,
    isAtTop: isAtTop(),
    isBehind: (row) => fresh.next_cursor !== null && last !== undefined && isBehind(row, last),
  });
  return { ...merged, fresh };
}

/** Reads so many pages, and on to the last row that is shown where that does not move. */
function read(
  filters: Record<string, string>,
  { pages, shown, signal }: { pages: number; shown: Task | undefined; signal: AbortSignal },
): Promise<Answer<Chain<Task>>> {
  return readChain(
    (cursor) =>
      call(`/v1/tasks${queryOf({ ...filters, limit: PAGE, cursor })}`, taskPage, { signal }),
    (chain) => {
      if (chain.pages < pages) return false;
      const last = chain.items.at(-1);
      const isReached = last === undefined || shown === undefined || !isBehind(shown, last);
      return isReached || isAtTop() || chain.pages >= pages + MOST_PUSHED;
    },
  );
}

/** Follows the list of tasks: all that is shown of it, from the newest on, again and again. */
export function useTaskRows(filters: Record<string, string>): TaskRows {
  const query = queryOf(filters);
  const [state, setState] = useState<State | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);
  const asked = useRef({ of: query, pages: 1 });
  const current = useRef<State | null>(null);
  current.current = state;

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    if (asked.current.of !== query) {
      asked.current = { of: query, pages: 1 };
      current.current = null;
      setState(null);
    }
    setProblem(null);
    const look = async (): Promise<boolean> => {
      const shown = current.current?.rows.at(-1);
      const answer = await read(filters, { pages: asked.current.pages, shown, signal });
      if (signal.aborted) return false;
      setProblem(answer.ok ? null : answer.problem);
      if (answer.ok) setState((before) => renewed(before, answer.value));
      return answer.ok || ![400, 401, 403].includes(answer.problem.status);
    };
    const everyMs = (): number => REFRESH_MS * asked.current.pages;
    void lookAgain({ signal, whenSeen, look, everyMs });
    return () => controller.abort();
  }, [query, turn]);

  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return {
    rows: state?.rows ?? null,
    waiting: state?.waiting ?? 0,
    isCut: state?.isCut ?? false,
    problem,
    hasMore: state !== null && state.fresh.next_cursor !== null,
    showWaiting: () =>
      setState((now) => now && { ...now, rows: now.fresh.items, waiting: 0, isCut: false }),
    showMore: () => {
      asked.current.pages = (state?.fresh.pages ?? 0) + 1;
      reload();
    },
    reload,
  };
}
