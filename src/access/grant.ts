import { ok, refuse, type Result } from "../lib/result.ts";
import type { KeyRequest, Principal } from "../protocol/access.ts";
import type { Scope } from "../protocol/enums.ts";
import type { Refusal } from "../protocol/refusal.ts";

/** What a new key will be able to do, and where. */
export interface Grant {
  tenant: string;
  scopes: Scope[];
}

/** `admin` includes the other scopes (protocol.md §7, Scopes). */
function holds(by: Principal, scope: Scope): boolean {
  return by.scopes.includes(scope) || by.scopes.includes("admin");
}

/** Whose keys somebody governs: the tenant's own, or those of the one that the bootstrap key names. Refuses: `forbidden`. */
export function governedTenant(by: Principal, tenant = by.tenant): Result<string, Refusal> {
  if (tenant === by.tenant || by.isBootstrap) return ok(tenant);
  const detail = "only the bootstrap key governs keys of another tenant";
  return refuse({ code: "forbidden", detail });
}

/** What is wrong with an expiry that is not in the future; null when it is, and without one. */
export function expiryFault(expires_at: string | undefined, now: number): Refusal | null {
  if (expires_at === undefined || Date.parse(expires_at) > now) return null;
  const detail = "must be in the future";
  return {
    code: "validation_failed",
    detail: `expires_at ${detail}`,
    errors: [{ pointer: "/expires_at", code: "custom", detail, received: expires_at }],
  };
}

/**
 * Whether one key may make another.
 *
 * Refuses scopes that the maker lacks, and another tenant to all but the bootstrap key: `forbidden`; an expiry
 * that is not in the future: `validation_failed`.
 *
 * @param now epoch milliseconds
 */
export function grantOf(by: Principal, request: KeyRequest, now: number): Result<Grant, Refusal> {
  const tenant = governedTenant(by, request.tenant);
  if (!tenant.ok) return tenant;
  const lacking = request.scopes.filter((scope) => !holds(by, scope));
  if (lacking.length > 0) {
    const detail = `a key can't grant scopes that it lacks: ${lacking.join(", ")}`;
    return refuse({ code: "forbidden", detail });
  }
  const fault = expiryFault(request.expires_at, now);
  if (fault !== null) return refuse(fault);
  return ok({ tenant: tenant.value, scopes: [...new Set(request.scopes)] });
}
