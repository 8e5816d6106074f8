import type { MiddlewareHandler } from "hono";

import type { Result } from "../../lib/result.ts";
import type { Deed } from "../../protocol/audit.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { AuditRule } from "../audit-rule.ts";
import type { RestPorts } from "../ports.ts";
import type { Reply, RestContext, RestEnv, Route } from "../route.ts";
import { keepAliveOf } from "./afterwards.ts";
import { NOBODY } from "./auth.ts";

type Request = RestEnv["Variables"]["request"];
type Outcome = Promise<Result<Reply, Refusal>>;

/** What a rule is asked about where a handler has thrown: it says nothing. */
const NO_REPLY: Reply = { status: 500 };

/** What a rule makes of a request and its reply; null where nothing was done. */
function deedOf(rule: AuditRule<Request>, request: Request, reply: Reply): Deed | null {
  const subject = rule.subject(request, reply);
  if (subject === null) return null;
  return {
    action: rule.action,
    subject,
    subject_kind: rule.kind,
    detail: rule.detail?.(request, reply) ?? {},
    request_id: request.requestId,
    tenant: rule.tenant?.(request, reply),
  };
}

/** Takes down what may have been done by a handler that has thrown: perhaps only what came after it has failed. */
async function recordUnknown(
  rule: AuditRule<Request>,
  request: Request,
  ports: RestPorts,
): Promise<void> {
  const deed = deedOf(rule, request, NO_REPLY);
  if (deed === null) return;
  const { principal } = request;
  const detail = { ...deed.detail, outcome: "unknown" };
  // Whether somebody may act in the tenant that was asked for, may not have been judged yet.
  const tenant = principal.isBootstrap ? deed.tenant : undefined;
  await ports.trail.record(principal, { ...deed, detail, tenant });
}

/**
 * Carries a request out and takes down what was done, before its answer leaves. What was refused has changed nothing
 * and leaves no entry; of what has thrown nobody knows, and its entry says so (`outcome`).
 */
async function carryOut(
  route: Pick<Route, "handle" | "method">,
  rule: AuditRule<Request>,
  request: Request,
  ports: RestPorts,
): Outcome {
  let outcome: Awaited<Outcome>;
  try {
    outcome = await route.handle(ports, request);
  } catch (error) {
    // What was to be shown has not been.
    if (route.method !== "GET") await recordUnknown(rule, request, ports);
    throw error;
  }
  const deed = outcome.ok ? deedOf(rule, request, outcome.value) : null;
  if (deed !== null) await ports.trail.record(request.principal, deed);
  return outcome;
}

/** What runs a route's handler, and leaves the entry in the audit that the route declares. */
export function performer(
  route: Pick<Route, "handle" | "method" | "audit">,
  ports: RestPorts,
): (context: RestContext) => Outcome {
  const { audit } = route;
  if (audit === undefined || typeof audit === "string") {
    return (context) => route.handle(ports, context.get("request"));
  }
  return (context) => {
    const work = carryOut(route, audit, context.get("request"), ports);
    // A client that hangs up ends an invocation, but not this work: what it changes has to leave its entry.
    keepAliveOf(context)(work.catch(() => undefined));
    return work;
  };
}

/** Takes down that a known key was denied an administrator's operation. */
export function tellDenials(
  operation: string,
  { trail }: Pick<RestPorts, "trail">,
): MiddlewareHandler<RestEnv> {
  return async (context, next) => {
    await next();
    const principal = context.get("principal") ?? NOBODY;
    if (context.res.status !== 403 || principal === NOBODY) return;
    await trail.recordDenied(principal, { operation, request_id: context.get("requestId") });
  };
}
