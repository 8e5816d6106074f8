import { flag, json, list, maybe, number, object, pageOf, text, type Read } from "../lib/shape.ts";

/* What the pages of tasks read. Fields that no page shows are left out. */

const taskFields = {
  task_id: text,
  task_type: text,
  description: text,
  status: text,
  phase: text,
  priority: text,
  pool: text,
  complexity: maybe(text),
  progress_percentage: maybe(number),
  current_step: maybe(text),
  agent_id: maybe(text),
  attempt: number,
  max_attempts: number,
  seq: number,
  parent_task_id: maybe(text),
  batch_id: maybe(text),
  tags: list(text),
  metadata: json,
  created_at: text,
  started_at: maybe(text),
  updated_at: text,
  ended_at: maybe(text),
  deadline_at: maybe(text),
  end_reason: maybe(text),
  completion_status: maybe(text),
  result: json,
  error: maybe(object({ type: text, message: text, root_cause: json })),
  quality_assessment: maybe(object({ overall_score: maybe(number), feedback: maybe(text) })),
  usage: object({ cost_usd: number, tokens: number, duration_s: number }),
};

/** A task (GET /v1/tasks/{id}). */
export const task = object(taskFields);
export type Task = Read<typeof task>;

/** A page of GET /v1/tasks. */
export const taskPage = pageOf(task);

/** An event of a task's log or stream. */
export const taskEvent = object({
  seq: number,
  type: text,
  at: text,
  actor: object({ kind: text, id: text }),
  data: json,
});
export type TaskEvent = Read<typeof taskEvent>;

/** A page of GET /v1/tasks/{id}/events. */
export const eventPage = pageOf(taskEvent);

/** GET /v1/tasks/{id}/explain */
export const explanation = object({
  phase: text,
  waiting_for: list(object({ kind: text, detail: text })),
  decision: json,
  unblocked_by: list(text),
  estimated_start: maybe(text),
});

/** GET /v1/tasks/{id}/report */
export const report = object({
  reason: text,
  completion_status: text,
  partial: flag,
  metrics: object({
    duration_s: number,
    queued_s: maybe(number),
    executing_s: maybe(number),
    attempts: number,
    retries: number,
    notifications: number,
    cost_usd: number,
    tokens: number,
  }),
  post_mortem: list(object({ what: text, when: text, class: text, effect: text, action: text })),
  finalization: object({
    outcome: maybe(text),
    phases: list(
      object({
        name: text,
        outcome: text,
        started_at: text,
        ended_at: text,
        attempts: number,
        checks: list(object({ name: text, passed: flag, detail: text })),
      }),
    ),
    problems: list(text),
    recommendations: list(text),
  }),
  cleanup_debt: list(object({ what: text, owner: text, expires_at: maybe(text) })),
  next_actions: json,
});
export type Report = Read<typeof report>;

/** GET /v1/tasks/{id}/commands */
export const commandPage = pageOf(
  object({
    command_id: text,
    command: text,
    state: text,
    requested_at: text,
    reason: maybe(text),
    actor: object({ kind: text, id: text }),
  }),
);

const notified = object({
  seq: number,
  type: text,
  state: text,
  deliveries: list(
    object({
      delivery_id: text,
      webhook_id: text,
      state: text,
      attempts_made: number,
      next_attempt_at: maybe(text),
      delivered_at: maybe(text),
      created_at: text,
    }),
  ),
});
export type Notified = Read<typeof notified>;

const deliveriesAnswer = object({ items: list(notified), next_after: maybe(number) });

/** GET /v1/tasks/{id}/deliveries, as a page like others: where to go on is the seq that it says. */
export const taskDeliveries = (value: unknown) => {
  const { items, next_after } = deliveriesAnswer(value);
  return { items, next_cursor: next_after === null ? null : String(next_after) };
};

/** GET /v1/tasks/{id}/subtasks */
export const children = object({
  subtasks: list(
    object({
      task_id: text,
      state: text,
      agent_id: maybe(text),
      status: text,
      progress_percentage: number,
      usage: object({ cost_usd: number, tokens: number }),
    }),
  ),
});

/** GET /v1/tasks/{id}/notes */
export const notes = object({
  items: list(
    object({ key: text, value: json, updated_at: text, attempt: number, agent_id: text }),
  ),
});

/** GET /v1/tasks/{id}/trace */
export const trace = object({
  trace_id: text,
  started_at: text,
  ended_at: maybe(text),
  duration_ms: maybe(number),
  spans: list(
    object({
      span_id: text,
      parent_id: maybe(text),
      kind: text,
      name: text,
      started_at: text,
      ended_at: maybe(text),
      duration_ms: maybe(number),
      status: text,
      attributes: json,
      is_on_slowest_path: flag,
    }),
  ),
  is_complete: flag,
});
export type Trace = Read<typeof trace>;
export type Span = Trace["spans"][number];
