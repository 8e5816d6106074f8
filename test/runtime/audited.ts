import { randomId } from "../../src/lib/ports.ts";
import type { AuditEntry } from "../../src/protocol/audit.ts";
import type { Act } from "./audit-acts.ts";
import { call } from "./batuta.ts";

/** Carries an act out under a request id of its own. */
export async function carryOut({ method, path, body }: Act, headers: Record<string, string> = {}) {
  const request_id = `req-${randomId()}`;
  const answer = await call(method, path, body, { "x-request-id": request_id, ...headers });
  return { answer, request_id };
}

interface Page {
  items: AuditEntry[];
  next_cursor: string | null;
}

/** A page of the audit as the Worker shows it. */
export async function audit(
  query: Record<string, string | number>,
  headers: Record<string, string> = {},
): Promise<Page> {
  const search = new URLSearchParams(Object.entries(query).map(([at, value]) => [at, `${value}`]));
  const { body } = await call<Page>("GET", `/v1/audit?${search.toString()}`, undefined, headers);
  return body;
}

/** The entries that a request has left, of the last two hundred. */
export async function leftBy(request_id: string): Promise<AuditEntry[]> {
  const { items } = await audit({ limit: 200 });
  return items.filter((entry) => entry.request_id === request_id);
}

/** A key of a tenant that no other test knows, as the header that carries it. */
export async function foreigner(tenant = `t${randomId()}`) {
  const { body } = await call<{ key: string; key_id: string }>("POST", "/v1/keys", {
    name: "auditor",
    tenant,
    scopes: ["orchestrate", "execute", "observe", "admin"],
  });
  return { tenant, key_id: body.key_id, headers: { authorization: `Bearer ${body.key}` } };
}
