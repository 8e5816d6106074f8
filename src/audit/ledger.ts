import type { Result } from "../lib/result.ts";
import type { AuditEntry, AuditQuery, AuditRecord } from "../protocol/audit.ts";
import type { Page } from "../protocol/keyset.ts";
import type { Refusal } from "../protocol/refusal.ts";

/** Which entries of a tenant are meant; all that is given has to hold. */
export type AuditFilter = Pick<AuditQuery, "subject" | "actor" | "action" | "since" | "until">;

/** Where entries are kept for good. */
export interface Ledger {
  /** Adds an entry. The same one again changes nothing. */
  add(record: AuditRecord): Promise<void>;
  /** A page of what fits, newest first. Refuses a cursor that is not one. */
  list(
    tenant: string,
    filter: AuditFilter,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<Result<Page<AuditEntry>, Refusal>>;
  /** All that fits, oldest first, read page by page as it is asked for. */
  all(tenant: string, filter: AuditFilter): AsyncGenerator<AuditEntry[], void>;
}
