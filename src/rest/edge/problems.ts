import type { Problem } from "../../protocol/problem.ts";
import type { Refusal, RefusalCode } from "../../protocol/refusal.ts";
import type { RestContext } from "../route.ts";

/** The HTTP form of every refusal: a new code does not compile until it has a row here. */
export const PROBLEMS = {
  body_too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "The body is not application/json, plain or gzip" },
  malformed_json: { status: 400, title: "The body is not JSON" },
  body_too_complex: { status: 400, title: "The body is nested too deeply or has too many keys" },
  validation_failed: { status: 400, title: "The request breaks its schema" },
  unsupported_version: { status: 400, title: "This version of the contract is not spoken here" },
  unauthenticated: { status: 401, title: "A valid key is needed" },
  forbidden: { status: 403, title: "The key lacks the scope for this" },
  not_found: { status: 404, title: "There is nothing at this address" },
  method_not_allowed: { status: 405, title: "This address does not know this method" },
  rate_limited: { status: 429, title: "Too many requests" },
  temporarily_blocked: { status: 429, title: "Blocked for a while after repeated offences" },
  task_not_found: { status: 404, title: "There is no such task" },
  agent_not_found: { status: 404, title: "There is no such agent" },
  webhook_not_found: { status: 404, title: "There is no such webhook endpoint" },
  delivery_not_found: { status: 404, title: "There is no such delivery" },
  recovery_not_found: { status: 404, title: "There is no such recovery" },
  escalation_not_found: { status: 404, title: "There is no such escalation" },
  key_not_found: { status: 404, title: "There is no such key" },
  block_not_found: { status: 404, title: "There is no such block in force" },
  validation_not_found: { status: 404, title: "There is no such validation record" },
  batch_not_found: { status: 404, title: "There is no such batch" },
  request_not_found: { status: 404, title: "There is no such request" },
  pool_not_found: { status: 404, title: "There is no such pool" },
  schema_not_found: { status: 404, title: "There is no such schema" },
  note_not_found: { status: 404, title: "The task has no such note" },
  memory_not_found: { status: 404, title: "There is no such memory" },
  debt_not_found: { status: 404, title: "There is no such cleanup debt" },
  model_not_found: { status: 404, title: "There is no such model" },
  model_decision_not_found: { status: 404, title: "There is no such choice of a model" },
  rating_not_found: { status: 404, title: "Nobody has rated the task" },
  task_gone: { status: 410, title: "The task was removed when its retention was over" },
  report_not_ready: { status: 404, title: "The task has not ended, so it has no report yet" },
  idempotency_conflict: { status: 409, title: "The same idempotency key came with another body" },
  lease_lost: { status: 409, title: "The lease token is not the one in force" },
  task_ended: { status: 409, title: "The task has ended" },
  transition_refused: { status: 409, title: "Not possible in the task's present status" },
  sequence_gap: { status: 409, title: "Earlier notifications of this attempt are missing" },
  escalation_closed: { status: 409, title: "The escalation has been answered already" },
  command_refused: { status: 409, title: "The command does not fit the task's present status" },
  debt_closed: { status: 409, title: "The cleanup debt is settled or expired already" },
  verdict_refused: { status: 409, title: "The choice of a model can no longer be judged so" },
  key_expired: { status: 409, title: "The key has expired" },
  replayed: { status: 409, title: "This very message came before" },
  delivery_in_flight: { status: 409, title: "The delivery is being attempted right now" },
  wrong_agent: { status: 403, title: "The task is assigned to another agent" },
  agent_not_yours: { status: 403, title: "The agent belongs to another key" },
  task_mismatch: { status: 422, title: "The body speaks of another task than the address" },
  timestamp_in_future: { status: 422, title: "The timestamp lies in the future" },
  deadline_too_near: { status: 422, title: "The deadline leaves no time to answer" },
  progress_regressed: { status: 422, title: "Progress never falls" },
  result_rejected: { status: 422, title: "The result breaks the task's contract" },
  patch_rejected: { status: 422, title: "The patch does not give a valid task" },
  dependency_not_found: { status: 422, title: "A prerequisite does not exist" },
  dependency_cycle: { status: 422, title: "Tasks cannot wait for each other in a circle" },
  parent_refused: { status: 422, title: "The parent cannot have this child" },
  budget_exceeded: { status: 422, title: "The budget does not allow it" },
  plan_rejected: { status: 422, title: "The plan cannot be carried out" },
  notes_full: { status: 422, title: "The task's notes have no room for this" },
  endpoint_refused: { status: 422, title: "This address may not be called" },
  endpoint_unverified: { status: 409, title: "The receiver has not met its challenge" },
  challenge_failed: { status: 422, title: "The receiver did not meet the challenge" },
  model_refused: { status: 422, title: "The model cannot be registered or tried" },
  not_supported: { status: 422, title: "This field is not supported yet" },
  unavailable: { status: 503, title: "A part of the system is not available" },
  internal_error: { status: 500, title: "Something is broken here" },
} as const satisfies Record<RefusalCode, { status: number; title: string }>;

/** Where a code is explained: the anchor that the documentation page makes for it. */
export function problemType(code: RefusalCode): string {
  return `/docs#problem-${code}`;
}

/** The problem (RFC 9457) of a refusal. What the refusal adds can't replace a member that all have. */
export function problemOf(refusal: Refusal, request: { id: string; path: string }): Problem {
  const { status, title } = PROBLEMS[refusal.code];
  return {
    ...refusal.extra,
    type: problemType(refusal.code),
    title,
    status,
    code: refusal.code,
    detail: refusal.detail,
    instance: request.path,
    request_id: request.id,
    ...(refusal.errors && { errors: refusal.errors }),
  };
}

/**
 * Answers with a refusal.
 *
 * `retry_after` among the extra members, in seconds, is also sent as the header of that name.
 */
export function answerRefusal(
  context: RestContext,
  refusal: Refusal,
  headers: Readonly<Record<string, string>> = {},
): Response {
  context.set("refusal", refusal);
  const problem = problemOf(refusal, { id: context.get("requestId"), path: context.req.path });
  const retryAfter = refusal.extra?.["retry_after"];
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      "Content-Type": "application/problem+json",
      ...(typeof retryAfter === "number" && { "Retry-After": String(Math.ceil(retryAfter)) }),
      ...headers,
    },
  });
}
