import type { MiddlewareHandler } from "hono";

import { WINDOW_S, type OperationClass } from "../../protocol/limits.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Draw, LimitPort } from "../limit-port.ts";
import { classOf } from "../operation-class.ts";
import type { RestEnv, Route } from "../route.ts";
import { answerRefusal } from "./problems.ts";
import { rateHeaders } from "./rate-headers.ts";

/** Classes that draw on what the others leave, together. */
const SHARED: ReadonlySet<OperationClass> = new Set(["notify", "status"]);

/** The refusal of a request for which its principal has no permit left. */
export function limitRefusal(operation: OperationClass, draw: Draw): Refusal {
  const { limit, reset_s } = draw;
  return {
    code: "rate_limited",
    detail: `no request of the class ${operation} is left to this key in this window (${limit} in ${WINDOW_S} s at most${SHARED.has(operation) ? ", shared by notify and status" : ""}); try again in ${reset_s} s`,
    extra: { retry_after: reset_s, operation, limit, window_seconds: WINDOW_S },
  };
}

/**
 * Lets a request pass for which its principal has a permit of the route's class; answers 429 with `Retry-After`
 * otherwise. Both say in `RateLimit` what is left.
 */
export function limitRequests(
  route: Pick<Route, "operation" | "scopes" | "method">,
  limits: Pick<LimitPort, "draw" | "answered">,
): MiddlewareHandler<RestEnv> {
  const operation = classOf(route);
  if (operation === null) return (_context, next) => next();
  return async (context, next) => {
    const principal = context.get("principal");
    const draw = await limits.draw(principal, operation);
    const { limit: quota, remaining, reset_s } = draw;
    const headers = rateHeaders({
      name: operation,
      quota,
      window_s: WINDOW_S,
      remaining,
      reset_s,
    });
    if (!draw.isAllowed) return answerRefusal(context, limitRefusal(operation, draw), headers);
    await next();
    if (principal.public_task === undefined) {
      limits.answered(principal.tenant, context.res.status >= 500);
    }
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
    return undefined;
  };
}
