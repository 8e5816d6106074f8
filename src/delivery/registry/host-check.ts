import * as z from "zod";

import type { Clock } from "../../lib/ports.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { isPublicAddress } from "./public-address.ts";

/** DNS over HTTPS with answers in JSON (developers.cloudflare.com/1.1.1.1, DNS over HTTPS, Using JSON). */
const RESOLVER = "https://cloudflare-dns.com/dns-query";

/** A registration waits no longer for a resolver. Milliseconds. */
const PATIENCE_MS = 3_000;

/** How long an answer is trusted: tasks with the same callback URL ask once. Milliseconds. */
const TRUST_MS = 60_000;

/** Beyond this the memory is emptied, so that it can't grow with the number of hosts. */
const MOST_HOSTS = 1_000;

/** The record types that hold addresses, by the number that answers carry (RFC 1035 §3.2.2, RFC 3596 §2.1). */
const ADDRESS_TYPES = { A: 1, AAAA: 28 } as const;
type AddressType = keyof typeof ADDRESS_TYPES;

/** RCODE NXDOMAIN: the name does not exist (RFC 1035 §4.1.1). */
const NO_SUCH_NAME = 3;

const answerSchema = z.object({
  Status: z.int(),
  Answer: z.array(z.object({ type: z.int(), data: z.string() })).default([]),
});
type Answer = z.infer<typeof answerSchema>;

/** What the check is given. */
export interface HostCheckParts {
  /** The platform's way to fetch a URL. */
  get: (url: string, init: RequestInit) => Promise<Response>;
  now: Clock;
  /** On a developer's machine nothing is looked up. */
  isLocalAllowed: boolean;
}

/** Why the host of a URL may not be called, by the addresses that its name stands for; null when it may. */
export type HostFault = (url: string) => Promise<string | null>;

/**
 * Looks names up before anything is sent to them (facts/webhooks.md §6.7).
 *
 * Only what was answered counts: without a resolver every host passes, and in production
 * `global_fetch_strictly_public` stops what is not public, also when a name comes to mean something else later.
 */
export function createHostCheck(parts: HostCheckParts): HostFault {
  const known = new Map<string, { fault: string | null; until: number }>();
  return async (url) => {
    if (parts.isLocalAllowed) return null;
    const host = new URL(url).hostname;
    const before = known.get(host);
    if (before !== undefined && before.until > parts.now()) return before.fault;
    const answers = await Promise.all([look(parts, host, "A"), look(parts, host, "AAAA")]);
    const fault = faultOf(answers);
    if (answers.includes(null)) return fault;
    if (known.size >= MOST_HOSTS) known.clear();
    known.set(host, { fault, until: parts.now() + TRUST_MS });
    return fault;
  };
}

/** The refusal of a registration whose host may not be called; null when it may. */
export async function hostRefusal(url: string, hostFault: HostFault): Promise<Refusal | null> {
  const detail = await hostFault(url);
  if (detail === null) return null;
  return {
    code: "endpoint_refused",
    detail: "No webhook is sent to such a host.",
    errors: [{ pointer: "/url", code: "endpoint_refused", detail }],
  };
}

/** Null when the resolver does not say. */
async function look(
  { get }: HostCheckParts,
  host: string,
  type: AddressType,
): Promise<Answer | null> {
  try {
    const response = await get(`${RESOLVER}?name=${encodeURIComponent(host)}&type=${type}`, {
      headers: { accept: "application/dns-json" },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.status === 200) return answerSchema.parse(await response.json());
    await response.body?.cancel();
    return null;
  } catch {
    // No resolver, or none that speaks as it should: what this means is the caller's rule.
    return null;
  }
}

function faultOf(answers: readonly (Answer | null)[]): string | null {
  const known = answers.filter((answer) => answer !== null);
  if (known.some(({ Status }) => Status === NO_SUCH_NAME)) return "must name a host that exists";
  const types: readonly number[] = Object.values(ADDRESS_TYPES);
  const addresses = known
    .flatMap(({ Answer }) => Answer)
    .filter(({ type }) => types.includes(type))
    .map(({ data }) => data);
  if (!addresses.every(isPublicAddress)) return "must name a host with public addresses alone";
  const isWhole = known.length === answers.length && known.every(({ Status }) => Status === 0);
  return isWhole && addresses.length === 0 ? "must name a host that has an address" : null;
}
