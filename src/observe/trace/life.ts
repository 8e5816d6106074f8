import { attemptSpan, taskSpan } from "../../protocol/span-names.ts";
import { endPhaseRecordSchema } from "../../protocol/task-view.ts";
import type { TaskEvent, TaskView } from "../../protocol/task-view.ts";
import { shown, type Draft } from "./draft.ts";
import {
  answeredSchema,
  askedSchema,
  assignedSchema,
  failedSchema,
  roundSchema,
  submittedSchema,
  verdictSchema,
} from "./said.ts";
import { STATUS_OF_END, STATUS_OF_PHASE, WAITS } from "./words.ts";

/* What a task did, as spans, from its log alone. */

/** The spans of a life, and which of them each event came from. */
export interface Life {
  drafts: Draft[];
  /** Of the first event: the trace id of the submission. */
  correlation_id: string;
  /** The caller's own span; null where it said none. */
  remote_parent: string | null;
  /** Id of the span of the request, which was given out before this was derived; by its key. */
  known: ReadonlyMap<string, string>;
  /** By seq, the key of the span in which the event happened. */
  causes: ReadonlyMap<number, string>;
}

function statusOf({ status }: TaskView): Draft["status"] {
  if (status === "completed") return "ok";
  return status === "failed" ? "error" : "unset";
}

/**
 * Reads a log, event by event in order of seq, and keeps nothing of an event but what its span shows: a log may be longer
 * than memory. Made are its submission, waits, attempts, calls of models, questions and end phases. Parents stand before
 * their children; everything hangs below the task, but calls of models, which hang below their attempt.
 */
export class LifeReader implements Life {
  readonly drafts: Draft[];
  readonly causes = new Map<number, string>();
  readonly known = new Map<string, string>();
  correlation_id = "";
  remote_parent: string | null = null;
  readonly #task_id: string;
  readonly #root: Draft;
  #attempt: Draft | null = null;
  #wait: Draft | null = null;
  #question: Draft | null = null;
  #attempts = 0;

  constructor(view: TaskView) {
    this.#task_id = view.task_id;
    this.#root = {
      key: taskSpan(view.task_id),
      parent: null,
      kind: "task",
      name: `Task ${view.task_id}`,
      start: Date.parse(view.created_at),
      end: view.ended_at === null ? null : Date.parse(view.ended_at),
      status: view.phase === "ended" ? statusOf(view) : "unset",
      attributes: {
        task_type: view.task_type,
        priority: view.priority,
        pool: view.pool,
        phase: view.phase,
        end_reason: view.end_reason,
      },
    };
    this.drafts = [this.#root];
  }

  read(event: TaskEvent): void {
    if (this.causes.size === 0) this.correlation_id = event.correlation_id;
    this.causes.set(event.seq, this.#attempt?.key ?? this.#root.key);
    switch (event.type) {
      case "task_submitted":
        this.#submitted(event);
        return this.#waits("prerequisites", event);
      case "task_ready":
        return this.#waits("executor", event);
      case "retry_scheduled":
        this.#ends("retried", event);
        return this.#waits("retry", event);
      case "task_assigned":
        return this.#assigned(event);
      case "task_progress":
        return this.#progressed(event);
      case "task_escalated":
        return this.#asked(event);
      case "task_approved":
      case "escalation_resolved":
        return this.#answered(event);
      case "finalization_phase":
        return this.#finished(event);
      case "task_completed":
        return this.#ends("completed", event);
      case "task_failed":
        return this.#ends("failed", event);
      case "task_declined":
        return this.#ends("declined", event);
      case "lease_expired":
        return this.#ends("lease_expired", event);
      case "verdict":
        return this.#over(event);
      case "task_started":
      case "task_routed":
      case "command_issued":
      case "command_acknowledged":
      case "budget_warning":
      case "agent_end_task":
      case "agent_status":
      case "system_alert":
        return undefined;
    }
  }

  #add(draft: Omit<Draft, "parent"> & { parent?: string }): Draft {
    const added = { parent: this.#root.key, ...draft };
    this.drafts.push(added);
    return added;
  }

  /** From the arrival of the request until the task was there. The root begins with it. */
  #submitted({ at, data }: TaskEvent): void {
    const told = submittedSchema.safeParse(data);
    // A life begins once.
    if (!told.success || this.known.size > 0) return;
    const { span_id, parent_id, received_at } = told.data.request;
    const start = Date.parse(received_at);
    this.#root.start = Math.min(this.#root.start, start);
    this.remote_parent = parent_id;
    const key = `${this.#root.key}/request`;
    this.known.set(key, span_id);
    this.#add({
      key,
      kind: "request",
      name: "Submission",
      start,
      end: Date.parse(at),
      status: "ok",
      attributes: { remote_parent: parent_id },
    });
  }

  #waits(cause: keyof typeof WAITS, { seq, at }: TaskEvent): void {
    this.#waited(at);
    this.#wait = {
      key: `${this.#root.key}/event/${seq}`,
      parent: this.#root.key,
      kind: "queue_wait",
      name: WAITS[cause],
      start: Date.parse(at),
      end: null,
      status: "unset",
      attributes: { cause, attempt: this.#attempts + 1 },
    };
    this.drafts.push(this.#wait);
  }

  /** A wait is over; one that took no time was none. */
  #waited(at: string): void {
    const wait = this.#wait;
    this.#wait = null;
    if (wait === null) return;
    wait.end = Date.parse(at);
    wait.status = "ok";
    const isNone = wait.end === wait.start && wait.attributes["cause"] !== "executor";
    if (isNone) this.drafts.splice(this.drafts.indexOf(wait), 1);
  }

  #assigned(event: TaskEvent): void {
    const { agent_id, attempt } = assignedSchema.parse(event.data);
    this.#ends("superseded", event);
    this.#waited(event.at);
    this.#attempts = attempt;
    this.#attempt = this.#add({
      key: attemptSpan(this.#task_id, attempt),
      kind: "attempt",
      name: `Attempt ${attempt} by ${shown(agent_id)}`,
      start: Date.parse(event.at),
      end: null,
      status: "unset",
      attributes: { agent_id, attempt },
    });
    this.causes.set(event.seq, this.#attempt.key);
  }

  #ends(outcome: string, { at, data }: TaskEvent): void {
    const attempt = this.#attempt;
    this.#attempt = null;
    if (attempt === null) return;
    const failure = failedSchema.safeParse(data);
    attempt.end = Date.parse(at);
    attempt.status = STATUS_OF_END[outcome] ?? "error";
    attempt.attributes = {
      ...attempt.attributes,
      outcome,
      ...(failure.success && { error_type: shown(failure.data.data.error_type) }),
    };
  }

  #progressed({ seq, at, data }: TaskEvent): void {
    const told = roundSchema.safeParse(data);
    if (!told.success || this.#attempt === null) return;
    const { model_id, quality_round, model_call } = told.data.data.intermediate_results;
    const { duration_ms, tokens, cost_usd, finish_reason } = model_call;
    const end = Date.parse(at);
    this.#add({
      key: `${this.#root.key}/event/${seq}`,
      parent: this.#attempt.key,
      kind: "model_call",
      name: `Model ${shown(model_id)}`,
      // It is told when its answer was judged, which takes milliseconds.
      start: end - duration_ms,
      end,
      status: "ok",
      attributes: {
        model_id: shown(model_id),
        round: quality_round,
        tokens,
        cost_usd,
        finish_reason: shown(finish_reason),
      },
    });
  }

  #asked(event: TaskEvent): void {
    this.#ends("escalated", event);
    this.#waited(event.at);
    const told = askedSchema.safeParse(event.data);
    this.#question = this.#add({
      key: `${this.#root.key}/event/${event.seq}`,
      kind: "escalation",
      name: "Question",
      start: Date.parse(event.at),
      end: null,
      status: "unset",
      attributes: {
        asked_by: event.actor.id,
        ...(told.success && {
          question: shown(told.data.data.question),
          level: told.data.data.escalation_level,
          urgency: told.data.data.urgency,
        }),
      },
    });
  }

  #answered(event: TaskEvent): void {
    const question = this.#question;
    this.#question = null;
    if (question === null) return;
    const told = answeredSchema.safeParse(event.data);
    const state = (told.success ? told.data.state : undefined) ?? "resolved";
    question.end = Date.parse(event.at);
    question.status = state === "resolved" ? "ok" : "error";
    question.attributes = {
      ...question.attributes,
      answered_by: event.actor.id,
      state,
      ...(told.success && { decision: told.data.decision ?? null }),
    };
    this.#waits("prerequisites", event);
  }

  #finished({ data }: TaskEvent): void {
    const told = endPhaseRecordSchema.safeParse(data);
    if (!told.success) return;
    const { name, outcome, started_at, ended_at, attempts } = told.data;
    this.#add({
      key: `${this.#root.key}/end/${name}`,
      kind: "end_phase",
      name: `End phase ${name}`,
      start: Date.parse(started_at),
      end: Date.parse(ended_at),
      status: STATUS_OF_PHASE[outcome],
      attributes: { phase: name, outcome, attempts },
    });
  }

  /** Whatever goes on ends with the verdict. */
  #over(event: TaskEvent): void {
    const told = verdictSchema.safeParse(event.data);
    this.#ends(told.success ? told.data.reason : "ended", event);
    this.#waited(event.at);
    if (this.#question === null) return;
    this.#answered(event);
    this.#waited(event.at);
  }
}
