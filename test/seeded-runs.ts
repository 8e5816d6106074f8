import type { TaskView } from "../src/protocol/task-view.ts";
import { at, viewOf } from "./task-news.ts";

/** An ended task with what a test says of it; everything else as a plain success of 10 s. */
export function endedView(task_id: string, changes: Partial<TaskView> = {}): TaskView {
  return viewOf({
    task_id,
    seq: 9,
    status: "completed",
    phase: "ended",
    agent_id: "exec-1",
    attempt: 1,
    started_at: at(1),
    ended_at: at(11),
    end_reason: "success",
    completion_status: "success",
    quality_assessment: { overall_score: 0.9 },
    usage: { cost_usd: 0.01, tokens: 100, duration_s: 10 },
    ...changes,
  });
}

/** An ended task that failed of a cause. */
export function failedView(
  task_id: string,
  cause: string,
  changes: Partial<TaskView> = {},
): TaskView {
  return endedView(task_id, {
    status: "failed",
    end_reason: "failure",
    completion_status: "failure",
    quality_assessment: null,
    error: {
      type: "broken",
      message: "it broke",
      root_cause: { class: cause, detail: "why", evidence: "log" },
    },
    ...changes,
  });
}
