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

/**
 * Whether one key may make another.
 *
 * Refuses scopes that the maker lacks, and another tenant to all but the bootstrap key: `forbidden`; an expiry
 * that is not in the future: `validation_failed`.
 *
 * @param now epoch milliseconds
 */
export function grantOf(by: Principal, request: KeyRequest, now: number): Result<Grant, Refusal> {
  const tenant = request.tenant ?? by.tenant;
  if (tenant !== by.tenant && !by.isBootstrap) {
    const detail = "only the bootstrap key makes keys for another tenant";
    return refuse({ code: "forbidden", detail });
  }
  const lacking = request.scopes.filter((scope) => !holds(by, scope));
  if (lacking.length > 0) {
    const detail = `a key can't grant scopes that it lacks: ${lacking.join(", ")}`;
    return refuse({ code: "forbidden", detail });
  }
  if (request.expires_at !== undefined && Date.parse(request.expires_at) <= now) {
    const detail = "must be in the future";
    return refuse({
      code: "validation_failed",
      detail: `expires_at ${detail}`,
      errors: [{ pointer: "/expires_at", code: "custom", detail, received: request.expires_at }],
    });
  }
  return ok({ tenant, scopes: [...new Set(request.scopes)] });
}
