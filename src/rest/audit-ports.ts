import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { AuditEntry, AuditQuery, Deed } from "../protocol/audit.ts";
import type { Page } from "../protocol/keyset.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Who did what to webhooks and the callback secret. */
export interface AuditPort {
  list(
    tenant: string,
    webhook_id: string,
    page: { cursor?: string | undefined; limit: number },
  ): Answer<Page<AuditEntry>>;
  /** All entries, oldest first, a page at a time. */
  all(tenant: string, webhook_id: string): Answer<AsyncIterable<AuditEntry[]>>;
  ofCallbackSecret(
    tenant: string,
    page: { cursor?: string | undefined; limit: number },
  ): Answer<Page<AuditEntry>>;
}

/** The audit of the installation. */
export interface TrailPort {
  /** Takes down what somebody has done. Never throws. */
  record(by: Principal, deed: Deed): Promise<void>;
  /** Takes down that somebody was denied what only administrators may do, where it was not told a moment ago. */
  recordDenied(by: Principal, denied: { operation: string; request_id: string }): Promise<void>;
  list(by: Principal, query: AuditQuery): Answer<Page<AuditEntry>>;
  /** All entries that fit, oldest first, a page at a time. */
  all(by: Principal, query: AuditQuery): Answer<AsyncIterable<AuditEntry[]>>;
}
