/**
 * Headers that a registration must not set: they belong to the connection (RFC 9110 §7.6.1), describe the body,
 * name the host or the path of the request, or are ours (protocol.md §5).
 */
const REFUSED_NAMES: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "forwarded",
  "host",
  "keep-alive",
  "te",
  "traceparent",
  "tracestate",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "x-attempt",
  "x-batch-size",
  "x-notification-type",
  "x-real-ip",
  "x-task-id",
]);
const REFUSED_PREFIX = /^(webhook-|cf-|proxy-|x-forwarded-)/;

/** Whether a registration may ask for this header. */
export function isHeaderAllowed(name: string): boolean {
  const lower = name.toLowerCase();
  return !REFUSED_NAMES.has(lower) && !REFUSED_PREFIX.test(lower);
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
    ...(/^[0-9a-f]{32}$/.test(facts.correlation_id) && {
      traceparent: `00-${facts.correlation_id}-${facts.span_id}-01`,
    }),
  };
}
