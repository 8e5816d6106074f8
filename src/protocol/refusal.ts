/** Every way this system says no. Stable: callers switch on them. Each face maps them to its own form. */
export const REFUSAL_CODES = [
  "body_too_large",
  "unsupported_media_type",
  "malformed_json",
  "body_too_complex",
  "validation_failed",
  "unsupported_version",
  "unauthenticated",
  "forbidden",
  "not_found",
  "method_not_allowed",
  "rate_limited",
  "temporarily_blocked",
  "task_not_found",
  "agent_not_found",
  "webhook_not_found",
  "delivery_not_found",
  "recovery_not_found",
  "escalation_not_found",
  "key_not_found",
  "block_not_found",
  "validation_not_found",
  "batch_not_found",
  "request_not_found",
  "pool_not_found",
  "schema_not_found",
  "note_not_found",
  "memory_not_found",
  "debt_not_found",
  "model_not_found",
  "model_decision_not_found",
  "rating_not_found",
  "task_gone",
  "report_not_ready",
  "idempotency_conflict",
  "lease_lost",
  "task_ended",
  "transition_refused",
  "sequence_gap",
  "escalation_closed",
  "command_refused",
  "debt_closed",
  "verdict_refused",
  "key_expired",
  "replayed",
  "delivery_in_flight",
  "wrong_agent",
  "agent_not_yours",
  "task_mismatch",
  "timestamp_in_future",
  "deadline_too_near",
  "progress_regressed",
  "result_rejected",
  "patch_rejected",
  "dependency_not_found",
  "dependency_cycle",
  "parent_refused",
  "budget_exceeded",
  "plan_rejected",
  "notes_full",
  "endpoint_refused",
  "endpoint_unverified",
  "challenge_failed",
  "model_refused",
  "not_supported",
  "unavailable",
  "internal_error",
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** One fault of a message: where, which rule, what was expected and what came. */
export interface Fault {
  /** JSON Pointer (RFC 6901) to the field itself, also when it is missing or unknown. */
  pointer: string;
  code: string;
  detail: string;
  expected?: string;
  received?: string;
}

/** A rule said no. Plain data: it crosses RPC, and each face gives it a form. */
export interface Refusal {
  code: RefusalCode;
  /** For the person or agent who reads it: what is wrong and what would be right. Never a secret. */
  detail: string;
  errors?: Fault[];
  /** Further members of the problem, such as the id of the task that already exists. */
  extra?: Record<string, string | number | boolean | null>;
}
