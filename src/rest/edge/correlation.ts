import type { MiddlewareHandler } from "hono";

import { withoutSecrets } from "../../lib/redact.ts";
import type { RestPorts } from "../ports.ts";
import type { RestEnv } from "../route.ts";

/** One hop of a trace (W3C Trace Context Level 1). */
export interface Trace {
  traceId: string;
  spanId: string;
  /** The caller's span; null where it said none. */
  parentId: string | null;
  flags: string;
  /** When the request came, epoch milliseconds. */
  receivedAt: number;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Set by the W3C for a trace nobody has decided to leave out. */
const SAMPLED = "01";

/** The caller's decision alone: flags that we don't know must not be passed on (§3.2.2.5.2). */
function knownFlags(flags: string): string {
  return Number.parseInt(flags, 16) % 2 === 1 ? SAMPLED : "00";
}

/**
 * The trace that a request continues: the caller's trace id and a span of our own. A header that
 * the standard calls invalid (§3.2.2) is ignored, and a new trace begins.
 */
export function continueTrace(
  header: string | undefined,
  newHex: RestPorts["newHex"],
  receivedAt: number,
): Trace {
  const [, version, traceId, parent, flags, rest] = TRACEPARENT.exec(header ?? "") ?? [];
  const isValid =
    version !== undefined &&
    version !== "ff" &&
    (version !== "00" || rest === undefined) &&
    traceId !== undefined &&
    !/^0+$/.test(traceId) &&
    parent !== undefined &&
    !/^0+$/.test(parent) &&
    flags !== undefined;
  return isValid
    ? { traceId, spanId: newHex(8), parentId: parent, flags: knownFlags(flags), receivedAt }
    : { traceId: newHex(16), spanId: newHex(8), parentId: null, flags: SAMPLED, receivedAt };
}

/** Whether a caller's id may be kept for good: it has the form of one, and not the looks of a key. */
function isRequestId(sent: string): boolean {
  return REQUEST_ID.test(sent) && withoutSecrets(sent) === sent;
}

/**
 * Gives every request its ids, and the log its one line per request.
 *
 * The caller's X-Request-Id is taken over when it is 1-128 of `[A-Za-z0-9._-]` (protocol.md §7)
 * and does not look like a secret: it is shown in the audit, in records, logs and answers.
 */
export function correlate(
  ports: Pick<RestPorts, "now" | "log" | "newRequestId" | "newHex">,
): MiddlewareHandler<RestEnv> {
  return async (context, next) => {
    const startedAt = ports.now();
    const sentId = context.req.header("X-Request-Id");
    const requestId = sentId !== undefined && isRequestId(sentId) ? sentId : ports.newRequestId();
    const trace = continueTrace(context.req.header("traceparent"), ports.newHex, startedAt);
    context.set("requestId", requestId);
    context.set("trace", trace);

    await next();

    const { headers, status } = context.res;
    headers.set("X-Request-Id", requestId);
    headers.set("traceparent", `00-${trace.traceId}-${trace.spanId}-${trace.flags}`);
    const verdict = context.get("verdict");
    ports.log("info", "request", {
      method: context.req.method,
      route: context.get("route") ?? "unknown",
      status,
      duration_ms: ports.now() - startedAt,
      request_id: requestId,
      trace_id: trace.traceId,
      tenant: context.get("principal")?.tenant || null,
      ...(verdict !== undefined && {
        validation: verdict.outcome,
        checks: context.get("checked").checks.join(" "),
      }),
    });
  };
}
