import type { JsonObject } from "../protocol/primitives.ts";
import type { Reply } from "./route.ts";

/** What kind of thing an entry of the audit is about. */
type SubjectKind =
  | "key"
  | "public_token"
  | "limit"
  | "block"
  | "agent"
  | "model"
  | "task"
  | "tasks"
  | "escalation"
  | "cleanup_debt"
  | "model_decision"
  | "batch"
  | "request"
  | "memory"
  | "callback_secret"
  | "alert_channel"
  | "history"
  | "alert"
  | "alert_rule"
  | "silence"
  | "objective";

/**
 * What the audit of the installation says of a request that was carried out (edge/audit.ts). The functions are given
 * the request and the reply as they are, and have to leave out what must not be kept for good: secrets, keys, values
 * of headers, and texts of payloads.
 */
export interface AuditRule<Request> {
  /** What was done, as `key_created`. */
  action: string;
  kind: SubjectKind;
  /** Id of what it was done to; null when this time nothing was done. */
  subject(request: Request, reply: Reply): string | null;
  /** What of it changed. */
  detail?(request: Request, reply: Reply): JsonObject;
  /** Tenant of what it was done to, where that may be another than the actor's. */
  tenant?(request: Request, reply: Reply): string | undefined;
}

/**
 * Why a request that may change something leaves no entry in the audit:
 * - the task's own log has it, with actor and seq, or it is part of the work on a task that its executor holds;
 * - the webhook registry writes its entries itself, together with the change;
 * - nothing is changed by it.
 */
type AuditedElsewhere =
  | "kept by the task's own log"
  | "kept by the webhook registry"
  | "changes nothing";

/** Reading leaves no entry, unless what is read is a secret; all else says what its entry is, or why it has none. */
export type Audited<Request> =
  | { method: "GET"; audit?: AuditRule<Request> }
  | { method: "POST" | "PUT" | "PATCH" | "DELETE"; audit: AuditRule<Request> | AuditedElsewhere };

function said({ body }: Reply, name: string): unknown {
  return typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
}

/** A text that an answer says, for the audit; undefined where it says none of this name. */
export function answered(reply: Reply, name: string): string | undefined {
  const value = said(reply, name);
  return typeof value === "string" ? value : undefined;
}

/** A number that an answer says, or how long a list of it is, for the audit; null where it has neither. */
export function answeredCount(reply: Reply, name: string): number | null {
  const value = said(reply, name);
  if (Array.isArray(value)) return value.length;
  return typeof value === "number" ? value : null;
}
