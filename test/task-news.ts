import type { Escalation, TaskEvent, TaskView } from "../src/protocol/task-view.ts";

/** Midnight of the day that all of these tests play on. */
export const T0 = Date.parse("2026-11-22T00:00:00.000Z");

export const at = (seconds: number) => new Date(T0 + seconds * 1_000).toISOString();

/** A task view as the task's object makes it, with what a test says of it. */
export function viewOf(changes: Partial<TaskView> = {}): TaskView {
  const task_id = changes.task_id ?? "task-1";
  return {
    task_id,
    task_type: "data_analysis",
    description: "Profile the table",
    status: "pending",
    phase: "queued",
    priority: "normal",
    pool: "default",
    complexity: null,
    progress_percentage: null,
    current_step: null,
    agent_id: null,
    attempt: 0,
    max_attempts: 3,
    seq: 1,
    notification_count: 0,
    parent_task_id: null,
    batch_id: null,
    tags: [],
    metadata: null,
    created_at: at(0),
    started_at: null,
    updated_at: at(0),
    ended_at: null,
    deadline_at: null,
    end_reason: null,
    completion_status: null,
    result: null,
    error: null,
    quality_assessment: null,
    usage: { cost_usd: 0, tokens: 0, duration_s: 0 },
    links: {
      self: `/v1/tasks/${task_id}`,
      events: `/v1/tasks/${task_id}/events`,
      stream: `/v1/tasks/${task_id}/stream`,
      report: `/v1/tasks/${task_id}/report`,
    },
    ...changes,
  };
}

/** The event of a task at `seq`, one second after the one before. */
export function eventOf(seq: number, changes: Partial<TaskEvent> = {}): TaskEvent {
  return {
    seq,
    event_id: `evt_${seq}`,
    type: seq === 1 ? "task_submitted" : "task_progress",
    at: at(seq),
    actor: { kind: "executor", id: "exec-1" },
    correlation_id: "trace-1",
    data: { progress_percentage: seq, current_step: `step ${seq}` },
    ...changes,
  };
}

export const eventsOf = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => eventOf(from + index));

/** An open question of a task. */
export function escalationOf(changes: Partial<Escalation> = {}): Escalation {
  return {
    escalation_id: "esc_1",
    task_id: "task-1",
    kind: "question",
    state: "open",
    question: "Which column is the target?",
    options: [],
    evidence: null,
    urgency: "medium",
    deadline: null,
    default_option: null,
    created_at: at(0),
    resolved_at: null,
    decision: null,
    answer: null,
    actor: null,
    ...changes,
  };
}

/** News of a task as they travel whole through the queue. */
export function messageOf(
  tenant: string,
  view: TaskView,
  events: TaskEvent[],
  escalation?: Escalation,
) {
  return {
    form: "whole" as const,
    tenant,
    task_id: view.task_id,
    view: JSON.stringify(view),
    events,
    ...(escalation !== undefined && { escalation: JSON.stringify(escalation) }),
  };
}

/** A report without its timeline, as the event agent_end_task carries it. */
export const REPORT_DATA = {
  task_id: "task-1",
  reason: "success",
  completion_status: "success",
  partial: false,
  metrics: {
    duration_s: 9,
    queued_s: 1,
    executing_s: 7,
    attempts: 1,
    retries: 0,
    notifications: 3,
    cost_usd: 0,
    tokens: 0,
    executor: null,
  },
  quality_assessment: null,
  post_mortem: [],
  finalization: { phases: [], problems: [], recommendations: [] },
  cleanup_debt: [],
  next_actions: null,
};
