import type { EndReason, ExecutorCommand, Priority } from "../../protocol/enums.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Actor } from "../../protocol/task-view.ts";

/** A command to the task and how far it has come. */
export interface CommandRecord {
  command_id: string;
  command: ExecutorCommand;
  reason: string | null;
  state: "requested" | "acknowledged" | "confirmed" | "rejected" | "unresponsive";
  requested_at: number;
  actor: Actor;
  priority?: Priority;
  grant?: Grant;
  /** Of a cleanup: what the executor said that it has to do. */
  action?: string | JsonObject;
  /** A cancellation by which the parent stops it: what its end is called. */
  end_reason?: EndReason;
  /** The intervention rule that issued it. */
  rule?: string;
  /** What had been used when it was requested; of cancellations that an executor has to confirm. */
  used_before?: Used;
  /** What was spent between the request and its settlement. */
  spent_since?: Used & { duration_s: number };
}

/** An amount of what a budget limits. */
export interface Used {
  cost_usd: number;
  tokens: number;
}

/** Resources on top of what the request asked for. */
interface Grant {
  cost_usd?: number | undefined;
  tokens?: number | undefined;
  duration_s?: number | undefined;
}

/** A question, an approval or a handover that the task waits for. */
export interface EscalationRecord {
  escalation_id: string;
  kind: "question" | "approval" | "handover";
  state: "open" | "resolved" | "expired" | "cancelled";
  question: string;
  options: string[];
  evidence: unknown;
  urgency: "low" | "medium" | "high" | "critical";
  deadline: number | null;
  default_option: string | null;
  created_at: number;
  resolved_at: number | null;
  decision: "resume" | "change" | "cancel" | null;
  answer: string | null;
  actor: string | null;
  level: "agent" | "orchestrator" | "human";
  /** The agent that asks; the system's own id when no agent does. */
  asked_by: string;
  /** The verdict when nobody answers in time; null: the task ends as escalated. */
  on_silence: Silence | null;
  /** A patch that the decision change applies when it brings none of its own. */
  suggestion: JsonObject | null;
}

/** What becomes of a task whose open escalation nobody answers. */
export interface Silence {
  reason: EndReason;
  error: Failure;
}

/** Why an attempt or a task came to nothing. */
export interface Failure {
  type: string;
  message: string;
  root_cause: JsonObject | null;
}
