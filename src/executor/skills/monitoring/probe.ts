import type { Result } from "../../../lib/result.ts";
import type { Unmet } from "../http/assertions.ts";
import { expectationSchema, faultUnmet, unmetBy } from "../http/expectations.ts";
import type { HttpAnswer, HttpFault, SkillTools } from "../skill.ts";
import type { Settings, Target } from "./parameters.ts";

/** Why a probe failed; `connection` is one that was refused or broke, which workerd does not tell apart. */
export type Cause =
  | "address_refused"
  | "certificate"
  | "connection"
  | "dns"
  | "expectation"
  | "network"
  | "timeout";

/** One probe. */
export type Sample = {
  status: number | null;
  duration_ms: number;
  cause: Cause | null;
  is_cut: boolean;
  /** Where the answer leads to, when it is a redirect. */
  location: string | null;
  unmet: Unmet[];
};

/** After so many time-outs in a row a target is given up: each costs a whole time-out. */
const PATIENCE = 3;

/** Told of what one answer lacked. */
const MOST_UNMET = 5;

/**
 * Probes one target, a sample after the other.
 *
 * Ends early at an address that may not be called and at a target that only times out.
 *
 * @throws when the run was stopped: what was measured until then is no measurement
 */
export async function probe(
  target: Target,
  { samples, interval_ms, timeout_ms }: Settings,
  tools: SkillTools,
): Promise<Sample[]> {
  const taken: Sample[] = [];
  while (taken.length < samples) {
    if (taken.length > 0) await tools.pause(interval_ms);
    tools.signal.throwIfAborted();
    const { method, url, headers } = target;
    const answer = await tools.http({ method, url, headers, timeout_ms });
    tools.signal.throwIfAborted();
    taken.push(sampleOf(target, answer));
    if (taken.at(-1)?.cause === "address_refused") break;
    const last = taken.slice(-PATIENCE);
    if (last.length === PATIENCE && last.every(({ cause }) => cause === "timeout")) break;
  }
  return taken;
}

function sampleOf({ expect }: Target, answer: Result<HttpAnswer, HttpFault>): Sample {
  if (!answer.ok) {
    const { duration_ms } = answer.refusal;
    const unmet = [faultUnmet(answer.refusal)];
    const cause = causeOfFault(answer.refusal);
    return { status: null, duration_ms, cause, is_cut: false, location: null, unmet };
  }
  const { status, duration_ms, is_cut, headers } = answer.value;
  const unmet = unmetBy(expectationSchema.parse(expect), answer.value).slice(0, MOST_UNMET);
  const cause = unmet.length === 0 ? null : (EDGE_CAUSES[status] ?? "expectation");
  const location = status >= 300 && status < 400 ? (headers["location"] ?? null) : null;
  return { status, duration_ms, cause, is_cut, location, unmet };
}

/** Statuses by which Cloudflare's edge says that the server behind it did not answer (facts/webhooks.md §5). */
const EDGE_CAUSES: Readonly<Record<number, Cause>> = {
  520: "network",
  521: "connection",
  522: "timeout",
  523: "network",
  524: "timeout",
  525: "certificate",
  526: "certificate",
  530: "dns",
};

/** By the words of workerd and Node; of a self-signed certificate workerd says nothing (facts/webhooks.md §5). */
const WORDS: readonly [RegExp, Cause][] = [
  [/certificate|\bTLS\b|\bSSL\b|self.signed/i, "certificate"],
  [/\bDNS\b|ENOTFOUND|getaddrinfo|EAI_AGAIN/i, "dns"],
  [/refused|connection lost|reset|ECONN|hang up/i, "connection"],
  [/timed? ?out|ETIMEDOUT/i, "timeout"],
];

function causeOfFault({ class: cause, detail }: HttpFault): Cause {
  if (cause === "address_refused" || cause === "request_refused") return "address_refused";
  if (cause === "timeout") return "timeout";
  return WORDS.find(([words]) => words.test(detail))?.[1] ?? "network";
}
