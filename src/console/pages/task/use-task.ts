import { useEffect, useState } from "preact/hooks";

import { call } from "../../api/client.ts";
import type { Problem } from "../../api/problem.ts";
import { follow, type StreamState } from "../../api/stream.ts";
import { task, taskEvent, type Task, type TaskEvent } from "../../api/tasks.ts";

/** News within so many milliseconds lead to one look at the task. */
const GATHER_MS = 250;

/** Most events that are kept; the log has them all. */
const MOST_EVENTS = 5_000;

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

/** One task as it lives: its view, and its events as they happen. */
export function useTask(id: string) {
  const [view, setView] = useState<Task | null>(null);
  const [events, setEvents] = useState<TaskEvent[]>([]);
  const [state, setState] = useState<StreamState>("connecting");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    const path = `/v1/tasks/${encodeURIComponent(id)}`;
    const controller = new AbortController();
    let gathering: ReturnType<typeof setTimeout> | undefined;
    let fresh: TaskEvent[] = [];
    const look = async (): Promise<void> => {
      const answer = await call(path, task, { signal: controller.signal });
      if (controller.signal.aborted) return;
      if (answer.ok) setView(answer.value);
      setProblem(answer.ok ? null : answer.problem);
    };
    const gather = (): void => {
      gathering ??= setTimeout(() => {
        gathering = undefined;
        const taken = fresh;
        fresh = [];
        setEvents((known) => extended(known, taken));
        void look();
      }, GATHER_MS);
    };
    void look();
    const stop = follow(`${path}/stream`, {
      onEvent({ data }) {
        fresh.push(taskEvent(parsed(data)));
        gather();
      },
      onState(next) {
        setState(next);
        if (next === "over") gather();
      },
    });
    return () => {
      stop();
      controller.abort();
      clearTimeout(gathering);
    };
  }, [id, turn]);

  return { value: view, events, state, problem, reload: () => setTurn((before) => before + 1) };
}
