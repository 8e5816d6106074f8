import { useEffect, useState } from "preact/hooks";

import { call, queryOf } from "../../api/client.ts";
import type { Problem } from "../../api/problem.ts";
import { follow, type StreamState } from "../../api/stream.ts";
import { eventPage, task, taskEvent, type Task, type TaskEvent } from "../../api/tasks.ts";
import { lookAgain, oneAtATime } from "../../lib/looks.ts";
import { isFinal, whenSeen } from "../../parts/use-answer.ts";

/** News within so many milliseconds lead to one look at the task. */
const GATHER_MS = 250;

/** How often a task that goes on is looked at besides, seconds: what it has used makes no event. */
export const POLL_S = 10;

/** Most events that are kept; the log has them all. */
const MOST_EVENTS = 5_000;

/** Events of a page of the log, where there is no stream of them. */
const PAGE = 200;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Puts events behind those that are known; the order and the numbers are the log's own. */
function extended(known: readonly TaskEvent[], fresh: readonly TaskEvent[]): TaskEvent[] {
  const last = known.at(-1)?.seq ?? 0;
  return [...known, ...fresh.filter(({ seq }) => seq > last)].slice(-MOST_EVENTS);
}

interface Hears {
  onView: (view: Task) => void;
  onEvents: (fresh: readonly TaskEvent[]) => void;
  onState: (state: StreamState) => void;
  onProblem: (problem: Problem | null) => void;
}

/**
 * Follows a task until the signal ends it: by its stream and, because not all of it makes events, by looking at it every
 * ten seconds until it has ended. Looks are one at a time, so that no older answer comes after a newer one and a server
 * that asks for patience is asked once.
 */
function followTask(id: string, signal: AbortSignal, hears: Hears): void {
  const path = `/v1/tasks/${encodeURIComponent(id)}`;
  let gathering: ReturnType<typeof setTimeout> | undefined;
  const fresh: TaskEvent[] = [];
  let [lastSeq, isRefused, isOver] = [0, false, false];

  const readLog = async (): Promise<void> => {
    const query = queryOf({ after: lastSeq, limit: PAGE });
    const answer = await call(`${path}/events${query}`, eventPage, { signal });
    if (!answer.ok) return;
    hears.onEvents(answer.value.items);
    lastSeq = answer.value.items.at(-1)?.seq ?? lastSeq;
    if (answer.value.items.length === PAGE) await readLog();
  };
  const look = oneAtATime(async () => {
    const answer = await call(path, task, { signal });
    if (signal.aborted) return;
    if (answer.ok) hears.onView(answer.value);
    hears.onProblem(answer.ok ? null : answer.problem);
    isOver = answer.ok ? answer.value.ended_at !== null : isFinal(answer.problem);
    if (answer.ok && isRefused) await readLog();
  });
  const gather = (): void => {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      hears.onEvents(fresh.splice(0));
      void look();
    }, GATHER_MS);
  };
  const stop = follow(`${path}/stream`, {
    onEvent({ data }) {
      const event = taskEvent(parsed(data));
      lastSeq = Math.max(lastSeq, event.seq);
      fresh.push(event);
      gather();
    },
    onState(next) {
      hears.onState(next);
      isRefused = next === "refused";
      if (next === "over" || isRefused) gather();
    },
  });
  signal.addEventListener("abort", () => {
    stop();
    clearTimeout(gathering);
  });
  void lookAgain({
    signal,
    whenSeen,
    look: async () => {
      await look();
      return !isOver;
    },
    everyMs: () => POLL_S * 1_000,
  });
}

/** One task as it lives: its view, and its events as they happen. */
export function useTask(id: string) {
  const [view, setView] = useState<Task | null>(null);
  const [events, setEvents] = useState<TaskEvent[]>([]);
  const [state, setState] = useState<StreamState>("connecting");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    const controller = new AbortController();
    followTask(id, controller.signal, {
      onView: setView,
      onEvents: (fresh) => setEvents((known) => extended(known, fresh)),
      onState: setState,
      onProblem: setProblem,
    });
    return () => controller.abort();
  }, [id, turn]);

  return { value: view, events, state, problem, reload: () => setTurn((before) => before + 1) };
}
