import type { MiddlewareHandler } from "hono";

import type { Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { AuditRule } from "../audit-rule.ts";
import type { RestPorts } from "../ports.ts";
import type { Reply, RestContext, RestEnv, Route } from "../route.ts";
import { keepAliveOf } from "./afterwards.ts";
import { NOBODY } from "./auth.ts";

type Request = RestEnv["Variables"]["request"];
type Outcome = Promise<Result<Reply, Refusal>>;

/**
 * Carries a request out and takes down what was done, before its answer leaves. What was refused, or has thrown, has
 * changed nothing and leaves no entry.
 */
async function carryOut(
  route: Pick<Route, "handle">,
  rule: AuditRule<Request>,
  request: Request,
  ports: RestPorts,
): Outcome {
  const outcome = await route.handle(ports, request);
  if (!outcome.ok) return outcome;
  const subject = rule.subject(request, outcome.value);
  if (subject === null) return outcome;
  await ports.trail.record(request.principal, {
    action: rule.action,
    subject,
    subject_kind: rule.kind,
    detail: rule.detail?.(request, outcome.value) ?? {},
    request_id: request.requestId,
    tenant: rule.tenant?.(request, outcome.value),
  });
  return outcome;
}

/** What runs a route's handler, and leaves the entry in the audit that the route declares. */
export function performer(
  route: Pick<Route, "handle" | "audit">,
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
