import type { AgentEndTask } from "../../protocol/agent-end-task.ts";
import type {
  Complexity,
  EndReason,
  EventType,
  Priority,
  TaskPhase,
  TaskStatus,
  TaskType,
} from "../../protocol/enums.ts";
import type { QualityAssessment } from "../../protocol/notification.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { TaskExecution } from "../../protocol/task-execution.ts";
import type { Actor, EndPhaseRecord } from "../../protocol/task-view.ts";
import type { Family, Prerequisite } from "../kin/family.ts";
import type { Incident } from "./incident-kinds.ts";
import type { CommandRecord, EscalationRecord, Failure, Used } from "./records.ts";

/** A task request whose id is settled. */
export type SettledTask = TaskExecution & { task_id: string };

/** What never changes after the submission, beside the request itself. Instants are epoch milliseconds. */
export interface Origin {
  tenant: string;
  task_id: string;
  /** Random part of every event id of this task. */
  uid: string;
  trace_id: string;
  /** Hash of the request as sent: equal hashes are repetitions, others are conflicts. */
  body_hash: string;
  submitted_by: string;
  /** The batch or request that it came in with. */
  batch_id?: string | undefined;
  /** What must be so before it may start; nothing when absent. */
  gates?: Gate[] | undefined;
  /** Its place in the tree below a parent; a root has none. */
  lineage?: Lineage | undefined;
  /** How complex it was judged to be, and by what. */
  assessment?: Assessment | undefined;
  /** What must be answered before it may start, whatever its autonomy level; nothing when absent. */
  approval?: Approval | undefined;
  /** Somebody named the stall_timeout that is in the request; where this is absent, it may be a default filled in. */
  is_stall_exact?: true | undefined;
}

/** A doubt about a task that whoever submitted it wants to be settled first. */
export interface Approval {
  reason: string;
  question: string;
  evidence: unknown;
}

/**
 * What must be so before a task may start: a prerequisite has ended, its batch lets it go, or its parent is not held
 * back any more; `behind` are the prerequisites of the parent, and of those above it that are held back too.
 */
export type Gate =
  | { kind: "task"; task_id: string; needs: "success" | "end" }
  | { kind: "batch"; batch_id: string }
  | { kind: "parent"; task_id: string; behind: string[] };

/** The place of a task in its tree, and what its parent has set aside for it. Instants are epoch milliseconds. */
export interface Lineage {
  parent_task_id: string;
  root_task_id: string;
  /** 1 for a child of the root. */
  depth: number;
  /** Generations that may still follow below it. */
  levels_left: number;
  /** By when its ancestors must be over; null when none of them has a limit. */
  deadline_at: number | null;
  /** What was reserved for it and all below it; null where the parent has no limit. */
  allowance: {
    cost_usd: number | null;
    tokens: number | null;
    attempts: number | null;
    children: number | null;
  };
}

/** A judgement of complexity: its score in [0, 1], the band of the score, and the features it came from. */
export interface Assessment {
  score: number;
  band: Complexity;
  features: Record<string, number>;
  /** Of the scorer: equal versions give equal scores. */
  version: string;
}

/** What follows from the estimate of task_started. `expected_end_at` is epoch milliseconds. */
export interface Plan {
  estimate_s: number;
  expected_end_at: number;
  /** Seconds without progress after which the attempt is given up. */
  stall_window_s: number;
}

/** The executor that has the task, and its clocks in epoch milliseconds. */
export interface Holder {
  agent_id: string;
  token: string;
  attempt: number;
  assigned_at: number;
  started_at: number | null;
  /** The last notification; heartbeats are in the memo. */
  heard_at: number;
  progressed_at: number;
  /** Null until it has started. */
  plan: Plan | null;
  /** Since when it rests because it was asked to; null while it works. */
  paused_at: number | null;
  /** The next value of the executor's own count. */
  next_sequence: number;
}

/** An attempt that came to nothing: what rules and whoever decides go by. */
interface Mishap {
  what: string;
  at: number;
  class: string;
  effect: string;
  action: string;
}

/** How far an attempt is, as its executor last said. */
interface Progress {
  percentage: number;
  step: string;
  /** Absent where it does not count its steps. */
  steps_completed?: number | undefined;
  intermediate: unknown;
}

/** The frozen outcome. */
export interface Verdict {
  reason: EndReason;
  at: number;
  result: unknown;
  quality: QualityAssessment | null;
  error: Failure | null;
  hasPartialResults: boolean;
}

/** Messages that an agent signed, `[timestamp, webhook-id]` each; all that were signed until `floor` count as known. Unix seconds. */
export interface SignedMessages {
  floor: number;
  seen: [number, string][];
}

/** Facts that are overwritten instead of logged: the newest sign of life and the executor's last word. */
export interface Memo {
  /** The attempt these facts belong to. */
  attempt: number;
  beat_at: number;
  checkpoint: unknown;
  /** Cumulative use of this attempt. */
  cost_usd: number;
  tokens: number;
  /** Use of the attempts before it. */
  earlier: { cost_usd: number; tokens: number };
  end: AgentEndTask | null;
  /** When that came; absent while there is none. Epoch milliseconds. */
  end_at?: number | undefined;
  /** Signed messages that had their effect, by agent (machine/replay.ts); absent where none was signed. */
  signed?: Record<string, SignedMessages> | undefined;
}

/** Everything the rules know of one task: the fold of its log, its memo and its family. */
export interface TaskState {
  origin: Origin;
  task: SettledTask;
  seq: number;
  notification_count: number;
  /** Of them by type; absent types have not come. */
  notifications: Partial<Record<EventType, number>>;
  /** The type that it was submitted with: a patch for a later attempt may change that of `task`. */
  submitted_type: TaskType;
  created_at: number;
  updated_at: number;
  ended_at: number | null;
  phase: TaskPhase;
  status: TaskStatus;
  priority: Priority;
  /** Number of the current or last attempt; 0 before the first. */
  attempt: number;
  retries_used: number;
  /** Attempts that ended without costing a retry: declined, escalated. */
  uncounted_attempts: number;
  /** Those of them that came to nothing before somebody was asked: the budget of the tree counts them. */
  asked_attempts: number;
  /** When it came to wait for an executor the last time; null while it does not. */
  queued_at: number | null;
  /**
   * Since when it has waited for an executor without any attempt having started, over all that gave it back;
   * null before, and from a start, a retry or an escalation until it is ready again.
   */
  waiting_since: number | null;
  retry_at: number | null;
  started_at: number | null;
  holder: Holder | null;
  /** Every agent that ever held the task, in order. */
  holders: string[];
  declined_by: string[];
  complexity: "low" | "medium" | "high" | "critical" | null;
  progress: Progress | null;
  /** The last notifications by id, so that a repeated one changes nothing. */
  recent: { id: string; sequence: number | null; attempt: number; seq: number }[];
  decision: JsonObject | null;
  granted: { cost_usd: number; tokens: number; duration_s: number };
  /** What the completing notification said was used. */
  reported: { cost_usd: number; tokens: number };
  /** Resources of which use came near the limit, and projections of them that exceed it. */
  warned_of: string[];
  commands: CommandRecord[];
  escalation: EscalationRecord | null;
  /** Those before it, the latest last. */
  past_escalations: EscalationRecord[];
  escalation_count: number;
  answers: { question: string; answer: string; decision: string }[];
  mishaps: Mishap[];
  /** Everything that went wrong, for the post-mortem. */
  incidents: readonly Incident[];
  verdict: Verdict | null;
  end_phases: EndPhaseRecord[];
  memo: Memo | null;
  /** How its prerequisites ended, once it was let go; null before, and where there are none. */
  prerequisites: Prerequisite[] | null;
  /** Whether it may start although a prerequisite has failed: an escalation asks, or has been answered so. */
  excuse: "none" | "asked" | "granted";
  /** Its children, as they last reported; null while it has none. */
  family: Family | null;
}

/** An event before it has its place in the log. */
export interface DraftEvent {
  type: EventType;
  actor: Actor;
  data: JsonObject;
  /** Kept in the object, never shown: the lease token. */
  token?: string;
}

/** An event in its place. `at` is epoch milliseconds. */
export interface LoggedEvent extends DraftEvent {
  seq: number;
  at: number;
}

/** The executor's grace to send agent_end_task after a verdict (protocol.md §7, Verdict). */
export const END_GRACE_MS = 30_000;

/** The executor's time to confirm a cancellation (protocol.md §7, Cancel). */
export const CANCEL_GRACE_MS = 30_000;

/** The longest life of a task that names no total_timeout: the largest total_timeout there is. */
export const DEFAULT_TOTAL_TIMEOUT_S = 604_800;

/** The system itself as the author of an event. */
export const SYSTEM: Actor = { kind: "system", id: "batuta" };

/** Whether the verdict has been spoken: nothing can change what happened any more. */
export function hasVerdict(state: TaskState): state is TaskState & { verdict: Verdict } {
  return state.verdict !== null;
}

/** When the executor was last heard, by notification or heartbeat. Epoch milliseconds. */
function lastHeardAt(state: TaskState, holder: Holder): number {
  return state.memo?.attempt === holder.attempt
    ? Math.max(holder.heard_at, state.memo.beat_at)
    : holder.heard_at;
}

/** When the lease becomes void unless it is renewed. Epoch milliseconds. */
export function leaseExpiresAt(state: TaskState, holder: Holder): number {
  return lastHeardAt(state, holder) + state.task.heartbeat_timeout * 1_000;
}

/** What is remembered of a warning that a projection led to: the use itself is warned of when it comes near. */
export function projectionOf(resource: string): string {
  return `projected:${resource}`;
}

/** Two uses together, at most what the contract's integers and JSON can hold. */
export function addUse(one: number, other: number): number {
  return Math.min(one + other, Number.MAX_SAFE_INTEGER);
}

/** What has been used over all attempts so far: heartbeats and the completing notification, whichever says more. */
export function usageOf(state: TaskState): Used {
  const { memo, reported } = state;
  const earlier = memo?.earlier ?? { cost_usd: 0, tokens: 0 };
  const own = memo ?? { cost_usd: 0, tokens: 0 };
  const isOfThisAttempt = memo?.attempt === state.attempt;
  const sum = (before: number, used: number, said: number): number =>
    addUse(before, isOfThisAttempt ? Math.max(used, said) : addUse(used, said));
  return {
    cost_usd: sum(earlier.cost_usd, own.cost_usd, reported.cost_usd),
    tokens: sum(earlier.tokens, own.tokens, reported.tokens),
  };
}
