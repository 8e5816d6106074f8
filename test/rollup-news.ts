import type { TaskNews } from "../src/history/news.ts";
import type { Escalation, TaskView } from "../src/protocol/task-view.ts";
import { at, escalationOf, eventsOf, viewOf } from "./task-news.ts";

/* Lives of tasks as their news tell them, for what is counted of them. */

/** The seq of the last event of each life. */
export const LAST = 9;

/** How a life goes on; the minute of its end is not that of its beginning. */
export interface Life {
  task_id: string;
  /** The view once it has ended; null where it is still going on. */
  end: Partial<TaskView> | null;
  /** Type that it was submitted with, where a later attempt has another one. */
  submitted_type?: TaskView["task_type"];
  task_type: TaskView["task_type"];
  /** Seqs at which it asked; the questions are closed two events later. */
  asks: readonly number[];
}

function questionsAt({ task_id, asks }: Life, seq: number): Escalation[] {
  return asks
    .filter((asked) => asked <= seq)
    .map((asked, index) =>
      escalationOf({
        escalation_id: `esc_${index + 1}_${task_id}`,
        task_id,
        created_at: at(asked),
        ...(seq >= asked + 2 && { state: "resolved" as const, resolved_at: at(asked + 2) }),
      }),
    );
}

/** The news of a life up to `to`, with the events from `from` on. */
export function newsOfLife(
  tenant: string,
  life: Life,
  { from, to, isRebuild = false }: { from: number; to: number; isRebuild?: boolean },
): TaskNews {
  const { task_id, task_type, end, submitted_type = task_type } = life;
  const isEnded = to === LAST && end !== null;
  const questions = questionsAt(life, to);
  // Counts of its log: the first event is the submission, the last one the report, and the others speak of progress.
  const task_progress = Math.min(to, LAST - 1) - 1;
  return {
    tenant,
    isRebuild,
    view: viewOf({
      task_id,
      seq: to,
      task_type: to < 3 ? submitted_type : task_type,
      status: to < 3 ? "pending" : "running",
      phase: to < 3 ? "queued" : "executing",
      ...(isEnded && { phase: "ended", ended_at: at(130), ...end }),
    }),
    events: eventsOf(isRebuild ? 1 : from, to),
    escalation: questions.at(-1) ?? null,
    ...(questions.length > 1 && { earlier: questions.slice(0, -1) }),
    tally: {
      task_type: submitted_type,
      notifications: { task_progress, ...(isEnded && { agent_end_task: 1 }) },
    },
  };
}

/** Three lives of one tenant: a success that asked twice, a failure of another type, and one that goes on. */
export const LIVES: readonly Life[] = [
  {
    task_id: "success",
    task_type: "data_analysis",
    asks: [4, 6],
    end: {
      status: "completed",
      agent_id: "exec-1",
      attempt: 1,
      quality_assessment: { overall_score: 0.9 },
      usage: { cost_usd: 0.1, tokens: 100, duration_s: 10 },
    },
  },
  {
    task_id: "failure",
    submitted_type: "research",
    task_type: "testing",
    asks: [],
    end: {
      status: "failed",
      agent_id: "exec-2",
      attempt: 3,
      usage: { cost_usd: 0.000_000_2, tokens: 7, duration_s: 10 },
    },
  },
  { task_id: "open", task_type: "data_analysis", asks: [5], end: null },
];
