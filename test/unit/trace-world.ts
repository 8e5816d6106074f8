import { LifeReader } from "../../src/observe/trace/life.ts";
import type { EventType } from "../../src/protocol/enums.ts";
import type { JsonObject } from "../../src/protocol/primitives.ts";
import type { TaskEvent, TaskView } from "../../src/protocol/task-view.ts";
import type { Attempt, DeliveryView } from "../../src/protocol/webhook.ts";
import { at, eventOf, viewOf } from "../task-news.ts";

/* A life of a task with every hop, for tests of its trace. */

export const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
export const CALLER = "00f067aa0ba902b7";
export const OURS = "1111111111111111";

export type Said = [second: number, type: EventType, data?: JsonObject];

export function logOf(said: readonly Said[]): TaskEvent[] {
  return said.map(([second, type, data = {}], index) =>
    eventOf(index + 1, { type, at: at(second), correlation_id: TRACE_ID, data }),
  );
}

export function lifeOf(view: TaskView, events: readonly TaskEvent[]): LifeReader {
  const life = new LifeReader(view);
  for (const event of events) life.read(event);
  return life;
}

export const assigned = (attempt: number): JsonObject => ({ agent_id: "ann", attempt });
export const phase = (name: string, from: number, to: number): JsonObject => ({
  name,
  outcome: "done",
  started_at: at(from),
  ended_at: at(to),
  attempts: 1,
  checks: [],
});

export const round = (duration_ms: unknown): JsonObject => ({
  data: {
    progress_percentage: 50,
    current_step: "Round 1",
    intermediate_results: {
      quality_round: 1,
      model_id: "small",
      model_call: {
        finish_reason: "stop",
        tokens: 7,
        cost_usd: 0.1,
        duration_ms,
        tools_called: [],
      },
    },
  },
});

/** Two attempts, a question between them, and the end. */
export const LIFE: Said[] = [
  [1, "task_submitted", { request: { span_id: OURS, parent_id: CALLER, received_at: at(0) } }],
  [1, "task_ready"],
  [4, "task_routed"],
  [4, "task_assigned", assigned(1)],
  [5, "task_started"],
  [9, "task_progress", round(3_000)],
  [10, "task_failed", { data: { error_type: "broken" } }],
  [10, "retry_scheduled"],
  [20, "task_ready"],
  [21, "task_assigned", assigned(2)],
  [
    30,
    "task_escalated",
    { data: { question: "Go on?", escalation_level: "human", urgency: "low" } },
  ],
  [90, "escalation_resolved", { state: "resolved", decision: "resume" }],
  [90, "task_ready"],
  [91, "task_assigned", assigned(3)],
  [120, "task_completed"],
  [120, "verdict", { reason: "success" }],
  [122, "finalization_phase", phase("cleanup", 121, 122)],
  [123, "finalization_phase", phase("reporting", 122, 123)],
  [124, "agent_end_task"],
];

export const ENDED = viewOf({
  status: "completed",
  phase: "ended",
  created_at: at(1),
  ended_at: at(124),
  end_reason: "success",
});

export const post = (changes: Partial<Attempt> = {}): Attempt => ({
  attempt: 1,
  trigger: "scheduled",
  due_at: at(120),
  started_at: at(121),
  duration_ms: 500,
  status_code: 200,
  error_class: null,
  response_body: "untold",
  level: 0,
  ...changes,
});

export const delivery = (changes: Partial<DeliveryView> = {}): DeliveryView => ({
  delivery_id: "dlv_whx_15_task-1",
  webhook_id: "wh_0123456789abcdefABCDEF",
  message_id: "msg_whx_15_task-1",
  task_id: "task-1",
  seq: 15,
  prev_seq: null,
  type: "task_completed",
  priority: "normal",
  state: "delivered",
  attempts_made: 1,
  next_attempt_at: null,
  created_at: at(120),
  delivered_at: at(130),
  delay_reason: null,
  attempts: [post()],
  ...changes,
});
