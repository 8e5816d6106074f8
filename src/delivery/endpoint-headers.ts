import { traceparentOf } from "../lib/trace-context.ts";

/**
 * Headers that a registration must not set: they belong to the connection (RFC 9110 §7.6.1), steer how it is passed
 * on (§7.6.2, §10.1.1), name the host or the path of the request, or are ours (protocol.md §5).
 */
const REFUSED_NAMES: ReadonlySet<string> = new Set([
  "alt-used",
  "cdn-loop",
  "connection",
  "early-data",
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  "keep-alive",
  "max-forwards",
  "te",
  "traceparent",
  "tracestate",
  "trailer",
  "transfer-encoding",
  "true-client-ip",
  "upgrade",
  "via",
  "x-attempt",
  "x-batch-size",
  "x-notification-type",
  "x-real-ip",
  "x-task-id",
]);
/** `content-` describes the body, which is ours (RFC 9110 §8). */
const REFUSED_PREFIX = /^(webhook-|content-|cf-|proxy-|x-forwarded-)/;

/**
 * Why a registration must not ask for these headers, one by one: some are not its to set, and no name may stand
 * there twice, whatever its case (RFC 9110 §5.1).
 */
export function headerFaults(names: readonly string[]): { name: string; detail: string }[] {
  const seen = new Set<string>();
  return names.flatMap((name) => {
    const lower = name.toLowerCase();
    if (!isAllowed(lower)) return [{ name, detail: "is not yours to set" }];
    if (seen.has(lower)) return [{ name, detail: "is there already, in another spelling" }];
    seen.add(lower);
    return [];
  });
}

function isAllowed(name: string): boolean {
  return !REFUSED_NAMES.has(name) && !REFUSED_PREFIX.test(name);
}

/** What the headers of one attempt tell. */
export interface HeaderFacts {
  message_id: string;
  /** Unix seconds of this attempt. */
  timestamp: number;
  signature: string;
  /** Content coding of the body; null when it is sent as it is. */
  encoding: string | null;
  task_id: string | null;
  /** How many a batch carries; null for a delivery alone. */
  batch_size: number | null;
  type: string;
  attempt: number;
  /** Trace id of the submitting request; anything but 32 hexadecimal digits is left out. */
  correlation_id: string;
  /** 16 hexadecimal digits that name this attempt in the trace. */
  span_id: string;
}

/** The headers of one attempt (protocol.md §5); ours win over the registration's. */
export function deliveryHeaders(
  custom: Readonly<Record<string, string>>,
  facts: HeaderFacts,
): Record<string, string> {
  const traceparent = traceparentOf(facts.correlation_id, facts.span_id);
  return {
    "user-agent": "Batuta",
    ...Object.fromEntries(
      Object.entries(custom).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    "content-type": "application/json",
    ...(facts.encoding !== null && { "content-encoding": facts.encoding }),
    "webhook-id": facts.message_id,
    "webhook-timestamp": String(facts.timestamp),
    "webhook-signature": facts.signature,
    "x-notification-type": facts.type,
    "x-attempt": String(facts.attempt),
    ...(facts.task_id !== null && { "x-task-id": facts.task_id }),
    ...(facts.batch_size !== null && { "x-batch-size": String(facts.batch_size) }),
    ...(traceparent !== null && { traceparent }),
  };
}
