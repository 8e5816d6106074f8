import { instant } from "../lib/ports.ts";
import { rootCauseSchema } from "../protocol/notification.ts";
import type { Escalation, TaskEvent, TaskView } from "../protocol/task-view.ts";
import { isComposite, weightedProgress } from "./kin/family.ts";
import { totalDeadline } from "./machine/limits.ts";
import type { EscalationRecord } from "./machine/records.ts";
import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { usageOf } from "./machine/state.ts";
import { completionStatusOf } from "./machine/verdict.ts";

function instantOrNull(ms: number | null): string | null {
  return ms === null ? null : instant(ms);
}

/** The instant by which the running attempt, or else the whole task, must be over. */
function deadlineOf(state: TaskState): number {
  const total = totalDeadline(state);
  const started = state.holder?.started_at ?? null;
  if (started === null) return total;
  return Math.min(total, started + (state.task.timeout + state.granted.duration_s) * 1_000);
}

function errorOf(state: TaskState): TaskView["error"] {
  const error = state.verdict?.error ?? null;
  if (error === null) return null;
  const cause = rootCauseSchema.safeParse(error.root_cause);
  return {
    type: error.type,
    message: error.message,
    root_cause: cause.success ? cause.data : null,
  };
}

function executingSeconds(state: TaskState): number {
  if (state.started_at === null) return 0;
  // The work is done with the verdict; how long the executor takes to say goodbye is not its duration.
  return ((state.verdict?.at ?? state.updated_at) - state.started_at) / 1_000;
}

function outcomeOf(
  state: TaskState,
): Pick<TaskView, "end_reason" | "completion_status" | "result" | "error" | "quality_assessment"> {
  const { verdict } = state;
  return {
    end_reason: verdict?.reason ?? null,
    completion_status:
      verdict === null ? null : completionStatusOf(verdict.reason, verdict.hasPartialResults),
    result: verdict?.result ?? null,
    error: errorOf(state),
    quality_assessment: verdict?.quality ?? null,
  };
}

/** Who has the task, or who had it when its outcome was settled; nobody while it waits for another one. */
function agentOf(state: TaskState): string | null {
  if (state.holder !== null) return state.holder.agent_id;
  return state.verdict === null ? null : (state.holders.at(-1) ?? null);
}

/** Whoever started it knows better than who asked for it, and that one better than the scorer. */
function complexityOf(state: TaskState): TaskView["complexity"] {
  return state.complexity ?? state.task.complexity ?? state.origin.assessment?.band ?? null;
}

/** How far it is; a task that its children do is as far as they are. */
function progressOf(
  state: TaskState,
): Pick<TaskView, "progress_percentage" | "current_step" | "usage"> {
  const { progress, task, family } = state;
  const told = progress?.percentage ?? null;
  const isUnderWay = isComposite(task) && progress !== null && state.verdict === null;
  const joined = isUnderWay ? weightedProgress(family, task.subtasks?.expected) : 0;
  return {
    progress_percentage: told === null ? null : Math.max(told, joined),
    current_step: progress?.step ?? null,
    usage: { ...usageOf(state), duration_s: executingSeconds(state) },
  };
}

/** The task as everyone sees it. */
export function viewOf(state: TaskState): TaskView {
  const { task } = state;
  const self = `/v1/tasks/${state.origin.task_id}`;
  return {
    task_id: state.origin.task_id,
    task_type: task.task_type,
    description: task.description,
    status: state.status,
    phase: state.phase,
    priority: state.priority,
    pool: task.pool,
    complexity: complexityOf(state),
    ...progressOf(state),
    agent_id: agentOf(state),
    attempt: state.attempt,
    max_attempts: 1 + task.execution_options.retry_policy.max_retries + state.uncounted_attempts,
    seq: state.seq,
    notification_count: state.notification_count,
    parent_task_id: task.parent_task_id ?? null,
    batch_id: state.origin.batch_id ?? null,
    tags: task.tags ?? [],
    metadata: task.metadata ?? null,
    created_at: instant(state.created_at),
    started_at: instantOrNull(state.started_at),
    updated_at: instant(state.updated_at),
    ended_at: instantOrNull(state.ended_at),
    deadline_at: state.phase === "ended" ? null : instant(deadlineOf(state)),
    ...outcomeOf(state),
    links: { self, events: `${self}/events`, stream: `${self}/stream`, report: `${self}/report` },
  };
}

/** An event as everyone sees it: without what stays in the object. */
export function eventOf(state: TaskState, event: LoggedEvent): TaskEvent {
  return {
    seq: event.seq,
    event_id: eventIdOf(state, event.seq),
    type: event.type,
    at: instant(event.at),
    actor: event.actor,
    correlation_id: state.origin.trace_id,
    data: event.data,
  };
}

/** The id of the event with this seq: unique over all tasks and tenants, and the same whenever it is asked for. */
export function eventIdOf(state: TaskState, seq: number): string {
  return `evt_${state.origin.uid}_${seq}`;
}

/** An escalation as everyone sees it. */
export function escalationOf(state: TaskState, record: EscalationRecord): Escalation {
  const { level: _level, asked_by: _asker, on_silence: _silence, suggestion: _, ...seen } = record;
  return {
    ...seen,
    task_id: state.origin.task_id,
    evidence: record.evidence ?? null,
    deadline: instantOrNull(record.deadline),
    created_at: instant(record.created_at),
    resolved_at: instantOrNull(record.resolved_at),
  };
}
